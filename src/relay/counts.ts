/**
 * Counts of messages, in heartbeats and byes: they tell loss up and loss down apart.
 *
 *     | sent (f64) | entries (u32) | entries × { session u32, received f64, next f64, dropped f64 }
 *
 * sent      messages that the sender of the frame has sent in this session (0 from a relay)
 * session   number of the origin's session
 * received  distinct messages of that session that the sender of the frame has received
 * next      one more than the highest sequence that it knows of
 * dropped   of those, how many the relay did not pass on because their receiver fell behind
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { MAX_SEQUENCE } from "./frame.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface OriginCounts {
  session: number;
  received: number;
  next: number;
  dropped: number;
}

export interface Counts {
  sent: number;
  origins: OriginCounts[];
}

/** Origins that fit into one control frame; the rest goes into a heartbeat before it. */
export const MAX_COUNTED_ORIGINS = 2000;

export function writeCounts(writer: ByteWriter, counts: Counts): void {
  writer.f64(counts.sent);
  writer.u32(counts.origins.length);
  for (const origin of counts.origins) {
    writer.u32(origin.session);
    writer.f64(origin.received);
    writer.f64(origin.next);
    writer.f64(origin.dropped);
  }
}

export function readCounts(reader: ByteReader, what: string): Counts {
  const sent = reader.count();
  if (sent > MAX_SEQUENCE) throw new ProtocolError(`${what}: ${sent} messages sent`);
  const entries = reader.u32();
  if (entries > MAX_COUNTED_ORIGINS) throw new ProtocolError(`${what}: ${entries} origins`);
  const origins: OriginCounts[] = [];
  for (let i = 0; i < entries; i++) {
    origins.push({
      session: reader.u32(),
      received: reader.count(),
      next: reader.count(),
      dropped: reader.count(),
    });
  }
  return { sent, origins };
}
