/**
 * The last frame of either end: why, and the final counts. A relay answers a client's bye with its
 * own; before a welcome it is a refusal.
 *
 *     | length u32 | 7 | reason | counts (counts.ts) | text: u16 and UTF-8 |
 *
 * reason  u8, one of ByeReason
 * text    for people; may be empty
 */
import { createReader, createWriter } from "./bytes.ts";
import { type Counts, readCounts, writeCounts } from "./counts.ts";
import { FrameType } from "./frame.ts";
import { ProtocolError } from "./protocol-error.ts";

export const ByeReason = {
  /** The run is over; also the relay's answer to that. */
  done: 0,
  /** The relay shuts down. */
  shutdown: 1,
  /** The relay has as many clients as it takes. */
  full: 2,
  /** The receiver took nothing for too long. */
  stalled: 3,
  /** Nothing was heard for too long. */
  silent: 4,
  /** The other end broke a rule of the wire format. */
  protocol: 5,
  /** A newer session of the same process took this one's place. */
  replaced: 6,
  /** The other end spoke TLS where there is none, or did not where there has to be. */
  tls: 7,
  /** No certificate, or no token, that the relay trusts. */
  untrusted: 8,
  /** More was sent than may be. */
  rate: 9,
  /** There are too many connections. */
  crowded: 10,
} as const;
export type ByeReasonName = keyof typeof ByeReason;
const REASON_NAMES = Object.keys(ByeReason) as ByeReasonName[];

const MAX_TEXT_BYTES = 500;

export interface Bye {
  reason: ByeReasonName;
  counts: Counts;
  text: string;
}

export function writeBye(bye: Bye): Uint8Array {
  const writer = createWriter(FrameType.bye, ByeReason[bye.reason]);
  writeCounts(writer, bye.counts);
  writer.text(bye.text);
  return writer.finish();
}

export function readBye(frame: Uint8Array): Bye {
  const reader = createReader(frame, 5, "bye");
  const code = reader.u8();
  const reason = REASON_NAMES[code];
  if (reason === undefined) throw new ProtocolError(`bye: unknown reason ${code}`);
  const counts = readCounts(reader, "bye");
  const text = reader.text(MAX_TEXT_BYTES);
  reader.end();
  return { reason, counts, text };
}
