/**
 * Datagrams: how frames travel without a stream. Little-endian, as the frames.
 *
 * A session is set up so that nobody can have a server send to somebody else, and that a server
 * keeps nothing for somebody who has not proven to receive at the address that he sends from:
 *
 *     client                                   server
 *       request: nonce ─────────────────────────>
 *       <──────────────────────── cookie: nonce, cookie
 *       open: nonce, cookie, hello ─────────────>          from here on the server keeps state
 *       <──────────── plain, control, ack: token ─────────────>
 *
 * A client sends its open again until something of the session comes. Those that set it up:
 *
 *      0       1       2       4               8
 *     +-------+-------+-------+---------------+-------------------------------+
 *     | kind  | 0     |version| magic         | nonce, 16 bytes               |   24
 *     +-------+-------+-------+---------------+-------------------------------+
 *     | request: zeros up to 64 bytes                                         |
 *     | cookie:  cookie, 24 bytes                                             |   48
 *     | open:    cookie, 24 bytes | hello, a frame                            |
 *     +-----------------------------------------------------------------------+
 *
 * nonce   random bits of the client: who cannot see the request cannot answer it
 * cookie  the server's proof to itself that it gave it to this address lately (datagram-cookie.ts)
 * token   the nonce's first 8 bytes. Every later datagram, either way, carries them: who does not
 *         see the traffic can neither put something into a session nor end it
 *
 * A request is longer than its answer, so that a forged sender is sent less than he cost. All later
 * datagrams:
 *
 *      0       1       2       4               12
 *     +-------+-------+-------+---------------+------ …
 *     | kind  | flags | 0     | token         | by kind, then 16 bytes of MAC where flags say so
 *     +-------+-------+-------+---------------+------ …
 *
 * flags      bit 0 of a control datagram: its frame goes on in the next number; bit 1: a MAC is at
 *            the end, over all before it: the first half of an HMAC-SHA-256 under the session's key
 *            for this direction (proof.ts). Where the ends have proven their token, nothing without
 *            one is taken; a close without is a sign that has to be looked into
 *
 * plain      one frame, never sent again: messages and clock frames
 * control    number u32, then bytes of a frame. Numbers count from 1. All frames but those above; sent again until acknowledged
 * ack        number u32: all control datagrams up to this one have arrived
 * challenge  8 random bytes: to be returned by who is at this address
 * response   the challenge's bytes
 * close      nothing: the sender does not know this session (any more). Never answered
 */
import { MAGIC, VERSION } from "./frame.ts";

export const DatagramKind = {
  request: 1,
  cookie: 2,
  open: 3,
  plain: 4,
  control: 5,
  ack: 6,
  challenge: 7,
  response: 8,
  close: 9,
} as const;

/** Where a datagram comes from or goes to. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Sends one datagram that consists of these slices; they are left alone until it has left. */
export type SendDatagram = (slices: readonly Uint8Array[], to: Endpoint) => void;

export const NONCE_BYTES = 16;
export const COOKIE_BYTES = 24;
export const TOKEN_BYTES = 8;
export const CHALLENGE_BYTES = 8;

/** Largest datagram that control frames are put into: every path takes it. */
export const CONTROL_DATAGRAM_BYTES = 1200;
/** Before the frame of a plain datagram. */
export const PLAIN_HEADER_BYTES = 12;
/** Before the bytes of a control datagram. */
export const CONTROL_HEADER_BYTES = 16;
/** Size of a challenge and of its response. */
export const CHALLENGE_DATAGRAM_BYTES = PLAIN_HEADER_BYTES + CHALLENGE_BYTES;

/** Largest payload of a message over UDP: with all before it, and hops to come, one datagram. */
export const MAX_UDP_PAYLOAD_BYTES = 60_000;
/** Largest payload that fits into 1,500 bytes with two hops, behind an IPv6 and a UDP header. */
export const unfragmentedPayloadBytes = (hasToken: boolean): number =>
  1500 - 48 - PLAIN_HEADER_BYTES - 96 - (hasToken ? MAC_BYTES : 0);

const NONCE = 8;
const AFTER_NONCE = 24;
const REQUEST_BYTES = 64;
const TOKEN = 4;
const NUMBER = 12;
const FLAG_MORE = 1;
const FLAG_MAC = 2;
/** At the end of each datagram of a session that has been authenticated. */
export const MAC_BYTES = 16;

function setUp(kind: number, nonce: Uint8Array, totalBytes: number): Uint8Array {
  const bytes = new Uint8Array(totalBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint16(2, VERSION, true);
  view.setUint32(4, MAGIC, true);
  bytes.set(nonce, NONCE);
  return bytes;
}

export const writeRequest = (nonce: Uint8Array): Uint8Array =>
  setUp(DatagramKind.request, nonce, REQUEST_BYTES);

export function writeCookie(nonce: Uint8Array, cookie: Uint8Array): Uint8Array {
  const bytes = setUp(DatagramKind.cookie, nonce, AFTER_NONCE + COOKIE_BYTES);
  bytes.set(cookie, AFTER_NONCE);
  return bytes;
}

export function writeOpen(nonce: Uint8Array, cookie: Uint8Array, hello: Uint8Array): Uint8Array {
  const helloAt = AFTER_NONCE + COOKIE_BYTES;
  const bytes = setUp(DatagramKind.open, nonce, helloAt + hello.byteLength);
  bytes.set(cookie, AFTER_NONCE);
  bytes.set(hello, helloAt);
  return bytes;
}

/** What all datagrams of the session that a nonce opens carry. */
export const tokenOf = (nonce: Uint8Array): Uint8Array => nonce.slice(0, TOKEN_BYTES);

/** What a set-up datagram says; undefined where it is none of this version. */
export type SetUp =
  | { kind: "request"; nonce: Uint8Array }
  | { kind: "cookie"; nonce: Uint8Array; cookie: Uint8Array }
  | { kind: "open"; nonce: Uint8Array; cookie: Uint8Array; hello: Uint8Array };

export function readSetUp(bytes: Uint8Array): SetUp | undefined {
  const size = bytes.byteLength;
  if (size < AFTER_NONCE + COOKIE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  if (view.getUint32(4, true) !== MAGIC || view.getUint16(2, true) !== VERSION) return undefined;
  const nonce = bytes.slice(NONCE, AFTER_NONCE);
  const cookieEnd = AFTER_NONCE + COOKIE_BYTES;
  switch (view.getUint8(0)) {
    case DatagramKind.request:
      return size === REQUEST_BYTES ? { kind: "request", nonce } : undefined;
    case DatagramKind.cookie:
      if (size !== cookieEnd) return undefined;
      return { kind: "cookie", nonce, cookie: bytes.slice(AFTER_NONCE) };
    case DatagramKind.open: {
      if (size <= cookieEnd) return undefined;
      const cookie = bytes.slice(AFTER_NONCE, cookieEnd);
      return { kind: "open", nonce, cookie, hello: bytes.slice(cookieEnd) };
    }
    default:
      return undefined;
  }
}

function sessionDatagram(kind: number, token: Uint8Array, totalBytes: number): Uint8Array {
  const bytes = new Uint8Array(totalBytes);
  bytes[0] = kind;
  bytes.set(token, TOKEN);
  return bytes;
}

/** What stands before the frame of every plain datagram of a session. */
export const plainHeader = (token: Uint8Array): Uint8Array =>
  sessionDatagram(DatagramKind.plain, token, PLAIN_HEADER_BYTES);

export const writeClose = (token: Uint8Array): Uint8Array =>
  sessionDatagram(DatagramKind.close, token, PLAIN_HEADER_BYTES);

export function writeControl(
  token: Uint8Array,
  number: number,
  more: boolean,
  part: Uint8Array,
): Uint8Array {
  const bytes = sessionDatagram(
    DatagramKind.control,
    token,
    CONTROL_HEADER_BYTES + part.byteLength,
  );
  bytes[1] = more ? FLAG_MORE : 0;
  new DataView(bytes.buffer).setUint32(NUMBER, number, true);
  bytes.set(part, CONTROL_HEADER_BYTES);
  return bytes;
}

export function writeAck(token: Uint8Array, number: number): Uint8Array {
  const bytes = sessionDatagram(DatagramKind.ack, token, CONTROL_HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(NUMBER, number, true);
  return bytes;
}

export function writeChallenge(
  kind: "challenge" | "response",
  token: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  const bytes = sessionDatagram(DatagramKind[kind], token, CHALLENGE_DATAGRAM_BYTES);
  bytes.set(challenge, PLAIN_HEADER_BYTES);
  return bytes;
}

/** Whether a session's datagram has a MAC at its end. */
export const hasMac = (bytes: Uint8Array): boolean => (bytes[1]! & FLAG_MAC) !== 0;

/** Says of a datagram, by its header, that a MAC will be at its end. */
export function announceMac(header: Uint8Array): void {
  header[1] = header[1]! | FLAG_MAC;
}

/** Whether a datagram is one of a session, and long enough for its kind. */
export function isSessionDatagram(bytes: Uint8Array): boolean {
  const size = bytes.byteLength - (hasMac(bytes) ? MAC_BYTES : 0);
  switch (bytes[0]) {
    case DatagramKind.plain:
      return size > PLAIN_HEADER_BYTES;
    case DatagramKind.control:
      // Those that come before their turn are kept.
      return size > CONTROL_HEADER_BYTES && size <= CONTROL_DATAGRAM_BYTES;
    case DatagramKind.ack:
      return size === CONTROL_HEADER_BYTES;
    case DatagramKind.challenge:
    case DatagramKind.response:
      return size === CHALLENGE_DATAGRAM_BYTES;
    case DatagramKind.close:
      return size === PLAIN_HEADER_BYTES;
    default:
      return false;
  }
}

/** The first 53 bits of the token at `at` (of a session's datagram, unless said), to look it up. */
export function readTokenStart(bytes: Uint8Array, at = TOKEN): number {
  const low = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
  const high = bytes[at + 4]! | bytes[at + 5]! << 8 | (bytes[at + 6]! & 0x1f) << 16;
  return (low >>> 0) + high * 2 ** 32;
}

/** Whether a session's datagram carries `token`. Takes as long whichever bytes differ. */
export function hasToken(bytes: Uint8Array, token: Uint8Array): boolean {
  let different = 0;
  for (let i = 0; i < TOKEN_BYTES; i++) different |= bytes[TOKEN + i]! ^ token[i]!;
  return different === 0;
}

/** Of a control datagram or an ack. */
export function readNumber(bytes: Uint8Array): number {
  return (bytes[12]! | bytes[13]! << 8 | bytes[14]! << 16 | bytes[15]! << 24) >>> 0;
}

/** Of a control datagram: its frame goes on in the next one. */
export const readMore = (bytes: Uint8Array): boolean => (bytes[1]! & FLAG_MORE) !== 0;
