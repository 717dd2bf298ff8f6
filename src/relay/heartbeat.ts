/**
 * Says that a session lives, with its counts so far.
 *
 *     | length u32 | 6 | 0 | counts (counts.ts) |
 */
import { createReader, createWriter } from "./bytes.ts";
import { type Counts, readCounts, writeCounts } from "./counts.ts";
import { FrameType } from "./frame.ts";

export function writeHeartbeat(counts: Counts): Uint8Array {
  const writer = createWriter(FrameType.heartbeat, 0);
  writeCounts(writer, counts);
  return writer.finish();
}

export function readHeartbeat(frame: Uint8Array): Counts {
  const reader = createReader(frame, 6, "heartbeat");
  const counts = readCounts(reader, "heartbeat");
  reader.end();
  return counts;
}
