/**
 * The sessions whose messages a client's session receives, and how many of them were lost on the
 * way. Loss is counted from the relay's counts: up = span of sequences − the relay's count, down =
 * the relay's count − what arrived here; both from the joining of the two to the first leave.
 */
import type { OriginCounts } from "../relay/counts.ts";
import type { DirectoryEntry } from "../relay/directory.ts";
import { toHex } from "../relay/hex.ts";
import { createSequenceTracker, type SequenceTracker } from "../relay/sequence.ts";

/** One session that messages come from. Owned by the session that receives them. */
export interface Origin {
  readonly number: number;
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly route: string;
  readonly flow: number;
  readonly tracker: SequenceTracker;
  /** The relay's counts when both were there first. */
  readonly start: { received: number; next: number };
  /** The relay's newest counts. */
  latest: { received: number; next: number };
  up: number;
  down: number;
  dropped: number;
}

export function createOrigin(entry: DirectoryEntry): Origin {
  const counts = { received: entry.received, next: entry.next };
  return {
    number: entry.session,
    id: toHex(entry.sessionId),
    name: entry.name,
    route: entry.route,
    flow: entry.flow,
    tracker: createSequenceTracker(entry.next),
    start: counts,
    latest: counts,
    up: 0,
    down: 0,
    dropped: 0,
  };
}

/**
 * Takes the relay's counts, which stand in the stream behind all messages that they count: what
 * has not arrived by now is lost.
 */
export function updateLoss(origin: Origin, counts: OriginCounts): void {
  const span = counts.next - origin.start.next;
  const relayed = counts.received - origin.start.received;
  origin.latest = { received: counts.received, next: counts.next };
  origin.up = Math.max(0, span - relayed);
  origin.down = Math.max(0, relayed - origin.tracker.received);
  origin.dropped = counts.dropped;
}
