/**
 * The first frame of a client.
 *
 *      0               4       5       6       8              12
 *     +---------------+-------+-------+-------+---------------+
 *     | length        | 1     | flags |version| magic         |
 *     +---------------+-------+-------+-------+---------------+
 *     | process id, 16 bytes                                  |   28
 *     +-------------------------------------------------------+
 *     | previous session, 8 bytes     | max payload   | flow  |   42
 *     +-------------------------------+---------------+-------+
 *     | mode  | 0     | name, route, prefix: u16 and UTF-8 each
 *     +-------+-------+------ …
 *     | nonce, 16 bytes: where flags say so
 *     +------ …
 *
 * flags             bit 0: probe (asks whether the relay is there; never a client);
 *                   bit 1: echo (wants its own messages back); bit 2: has a token, of which
 *                   both are to prove that they know it (proof.ts), and a nonce for that
 * process id        128 random bits: sessions of one process share one clock estimate. A secret
 *                   between this client and the relay
 * previous session  the session that this one follows after a lost connection; zeros: none
 * max payload       u32: the largest payload that the client will send, or wants to receive
 * flow              u16: which of the route's connections this is, from 0
 * mode              u8, one of SendMode
 * prefix            the text that all payloads of this session begin with
 */
import { createReader, createWriter } from "./bytes.ts";
import {
  FrameType,
  MAGIC,
  MAX_NAME_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_PREFIX_BYTES,
  MAX_ROUTE_BYTES,
  VERSION,
} from "./frame.ts";
import { PROOF_NONCE_BYTES } from "./proof.ts";
import { ProtocolError } from "./protocol-error.ts";

export const PROCESS_ID_BYTES = 16;
export const SESSION_ID_BYTES = 8;
/** Largest hello: a relay takes nothing longer from a connection that has not said it. */
export const MAX_HELLO_BYTES = 44 + 3 * 2 + MAX_NAME_BYTES + MAX_ROUTE_BYTES + MAX_PREFIX_BYTES +
  PROOF_NONCE_BYTES;

const FLAG_PROBE = 1;
const FLAG_ECHO = 2;
const FLAG_TOKEN = 4;

/**
 * What joins names in keys, and what terminals obey or reorder what they show by: neither may come
 * with a name or a label.
 */
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]|::~::|<~>/u;

/** Whether a text from outside may be the name of a node, or the label of a route. */
export function isFitForNames(text: string): boolean {
  return !NOT_IN_NAMES.test(text);
}

export const SendMode = { paced: 0, "ping-pong": 1, flood: 2 } as const;
export type SendModeName = keyof typeof SendMode;
const MODE_NAMES: readonly SendModeName[] = ["paced", "ping-pong", "flood"];

export interface Hello {
  probe: boolean;
  echo: boolean;
  processId: Uint8Array;
  /** All zeros where there was none. */
  previousSession: Uint8Array;
  maxPayloadBytes: number;
  flow: number;
  mode: SendModeName;
  name: string;
  route: string;
  prefix: string;
  /** Random bits of a client that has a token. */
  nonce?: Uint8Array;
}

export function writeHello(hello: Hello): Uint8Array {
  const flags = (hello.probe ? FLAG_PROBE : 0) | (hello.echo ? FLAG_ECHO : 0) |
    (hello.nonce ? FLAG_TOKEN : 0);
  const writer = createWriter(FrameType.hello, flags);
  writer.u16(VERSION);
  writer.u32(MAGIC);
  writer.bytes(hello.processId);
  writer.bytes(hello.previousSession);
  writer.u32(hello.maxPayloadBytes);
  writer.u16(hello.flow);
  writer.u8(SendMode[hello.mode]);
  writer.u8(0);
  writer.text(hello.name);
  writer.text(hello.route);
  writer.text(hello.prefix);
  if (hello.nonce) writer.bytes(hello.nonce);
  return writer.finish();
}

/** Throws ProtocolError for anything but a hello of this version. */
export function readHello(frame: Uint8Array): Hello {
  const fault = helloFault(frame);
  if (fault !== undefined) throw new ProtocolError(fault);
  const reader = createReader(frame, 5, "hello");
  const flags = reader.u8();
  reader.bytes(6);
  const hello: Hello = {
    probe: (flags & FLAG_PROBE) !== 0,
    echo: (flags & FLAG_ECHO) !== 0,
    processId: reader.bytes(PROCESS_ID_BYTES),
    previousSession: reader.bytes(SESSION_ID_BYTES),
    maxPayloadBytes: reader.u32(),
    flow: reader.u16(),
    mode: readMode(reader.u8()),
    name: (reader.u8(), reader.text(MAX_NAME_BYTES)),
    route: reader.text(MAX_ROUTE_BYTES),
    prefix: reader.text(MAX_PREFIX_BYTES),
  };
  if ((flags & FLAG_TOKEN) !== 0) hello.nonce = reader.bytes(PROOF_NONCE_BYTES);
  reader.end();
  if (hello.maxPayloadBytes > MAX_PAYLOAD_BYTES) {
    throw new ProtocolError(`hello: payload of ${hello.maxPayloadBytes} bytes`);
  }
  if (hello.name === "") throw new ProtocolError("hello: no name");
  if (!isFitForNames(hello.name)) throw new ProtocolError("hello: the name breaks its rules");
  if (!isFitForNames(hello.route)) throw new ProtocolError("hello: the route breaks its rules");
  return hello;
}

function readMode(mode: number): SendModeName {
  const name = MODE_NAMES[mode];
  if (name === undefined) throw new ProtocolError(`hello: unknown mode ${mode}`);
  return name;
}

/**
 * Why the first bytes of a connection, as far as they are there, cannot begin a hello of this
 * version; undefined where they may. Tells a stranger from a peer at the earliest byte.
 */
export function helloFault(start: Uint8Array): string | undefined {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (start.byteLength >= 4) {
    const length = view.getUint32(0, true);
    if (length < 44 || length > MAX_HELLO_BYTES) return "not a hello: its length";
  }
  if (start.byteLength >= 5 && view.getUint8(4) !== FrameType.hello) return "not a hello: its type";
  if (start.byteLength >= 12 && view.getUint32(8, true) !== MAGIC) return "not a hello: its magic";
  if (start.byteLength >= 8) {
    const version = view.getUint16(6, true);
    if (version !== VERSION) return `wire version ${version}, this is ${VERSION}`;
  }
  return undefined;
}
