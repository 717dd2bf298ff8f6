/**
 * The relay's answer to a hello that it takes.
 *
 *      0               4       5       6       8              12
 *     +---------------+-------+-------+-------+---------------+
 *     | length        | 2     | flags |version| magic         |
 *     +---------------+-------+-------+-------+---------------+
 *     | session       | session id, 8 bytes           |           24
 *     +---------------+-------------------------------+
 *     | relay's process id, 16 bytes                          |   40
 *     +-------------------------------------------------------+
 *     | max payload   | heartbeat, ms | slots | 0     |           50
 *     +---------------+---------------+-------+-------+
 *     | previous: received (f64), next (f64)                  |   66
 *     +-------------------------------------------------------+
 *     | relay's name: u16 and UTF-8
 *     +------ …
 *     | proof, 32 bytes: where flags say so
 *     +------ …
 *
 * flags        bit 0: metered (the prefix has the relay's filter; otherwise this session's messages
 *              are neither metered nor relayed); bit 1: previous counts are known; bit 2: takes
 *              reports (report-frame.ts); bit 3: the relay proves that it knows the client's token
 *              (proof.ts)
 * session      u32: number of this session, in data frames and directories
 * session id   the same for records: 64 random bits, as 16 hexadecimal digits
 * slots        u8: hops that data frames must have room for
 * previous     final counts of the session that the hello named: received, next
 */
import { createReader, createWriter } from "./bytes.ts";
import { FrameType, MAGIC, MAX_NAME_BYTES, MAX_PAYLOAD_BYTES, VERSION } from "./frame.ts";
import { isFitForNames, PROCESS_ID_BYTES, SESSION_ID_BYTES } from "./hello.ts";
import { PROOF_BYTES } from "./proof.ts";
import { ProtocolError } from "./protocol-error.ts";

const FLAG_METERED = 1;
const FLAG_PREVIOUS = 2;
const FLAG_REPORTS = 4;
const FLAG_PROOF = 8;

export interface Welcome {
  metered: boolean;
  /** The relay takes reports of what this client measures. */
  takesReports: boolean;
  session: number;
  sessionId: Uint8Array;
  processId: Uint8Array;
  maxPayloadBytes: number;
  heartbeatMs: number;
  hopSlots: number;
  /** What the relay knew at the end of the session that the hello named. */
  previous?: { received: number; next: number };
  name: string;
  /** That it knows the token, over all that came before. */
  proof?: Uint8Array;
}

export function writeWelcome(welcome: Welcome): Uint8Array {
  const flags = (welcome.metered ? FLAG_METERED : 0) | (welcome.previous ? FLAG_PREVIOUS : 0) |
    (welcome.takesReports ? FLAG_REPORTS : 0) | (welcome.proof ? FLAG_PROOF : 0);
  const writer = createWriter(FrameType.welcome, flags);
  writer.u16(VERSION);
  writer.u32(MAGIC);
  writer.u32(welcome.session);
  writer.bytes(welcome.sessionId);
  writer.bytes(welcome.processId);
  writer.u32(welcome.maxPayloadBytes);
  writer.u32(welcome.heartbeatMs);
  writer.u8(welcome.hopSlots);
  writer.u8(0);
  writer.f64(welcome.previous?.received ?? 0);
  writer.f64(welcome.previous?.next ?? 0);
  writer.text(welcome.name);
  if (welcome.proof) writer.bytes(welcome.proof);
  return writer.finish();
}

/** Throws ProtocolError for anything but a welcome of this version. */
export function readWelcome(frame: Uint8Array): Welcome {
  const reader = createReader(frame, 5, "welcome");
  const flags = reader.u8();
  const version = reader.u16();
  if (reader.u32() !== MAGIC) throw new ProtocolError("not a performance server");
  if (version !== VERSION) {
    throw new ProtocolError(`the server speaks wire version ${version}, this client ${VERSION}`);
  }
  const session = reader.u32();
  const sessionId = reader.bytes(SESSION_ID_BYTES);
  const processId = reader.bytes(PROCESS_ID_BYTES);
  const maxPayloadBytes = reader.u32();
  const heartbeatMs = reader.u32();
  const hopSlots = reader.u8();
  reader.u8();
  const previous = { received: reader.count(), next: reader.count() };
  const name = reader.text(MAX_NAME_BYTES);
  const proof = (flags & FLAG_PROOF) === 0 ? undefined : reader.bytes(PROOF_BYTES);
  reader.end();
  if (!isFitForNames(name)) throw new ProtocolError("welcome: the name breaks its rules");
  if (maxPayloadBytes > MAX_PAYLOAD_BYTES) {
    throw new ProtocolError(`welcome: payload of ${maxPayloadBytes} bytes`);
  }
  if (hopSlots < 1) throw new ProtocolError("welcome: no room for a hop");
  if (heartbeatMs < 100) throw new ProtocolError(`welcome: heartbeat of ${heartbeatMs} ms`);
  const welcome: Welcome = {
    metered: (flags & FLAG_METERED) !== 0,
    takesReports: (flags & FLAG_REPORTS) !== 0,
    session,
    sessionId,
    processId,
    maxPayloadBytes,
    heartbeatMs,
    hopSlots,
    name,
  };
  if ((flags & FLAG_PREVIOUS) !== 0) welcome.previous = previous;
  if (proof !== undefined) welcome.proof = proof;
  return welcome;
}
