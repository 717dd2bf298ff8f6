/**
 * The sessions whose messages a client's session receives, and how many of them were lost on the
 * way. Loss is counted from the relay's counts: up = span of sequences − the relay's count, down =
 * the relay's count − what arrived here; both from the joining of the two to the first leave.
 *
 * Over datagrams counts and messages overtake one another: a count is compared with what arrived
 * of the sequences that it is about, whenever that came. What was sent before the joining, but
 * reached the relay after it, is in the relay's count and not in the span: it is left out of both.
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
  /** Lost on the way to the relay, by those counts. */
  readonly up: number;
  /** Lost on the way from the relay, by those counts. */
  readonly down: number;
  /** Of these, what the relay did not pass on. */
  dropped: number;
}

export function createOrigin(entry: DirectoryEntry): Origin {
  const start = { received: entry.received, next: entry.next };
  const tracker = createSequenceTracker(entry.next);
  const relayed = (): number => origin.latest.received - start.received - tracker.outside;
  const origin: Origin = {
    number: entry.session,
    id: toHex(entry.sessionId),
    name: entry.name,
    route: entry.route,
    flow: entry.flow,
    tracker,
    start,
    latest: start,
    get up() {
      return Math.max(0, origin.latest.next - start.next - relayed());
    },
    get down() {
      return Math.max(0, relayed() - tracker.receivedBelow(origin.latest.next));
    },
    dropped: 0,
  };
  return origin;
}

/** Takes the relay's counts. */
export function updateLoss(origin: Origin, counts: OriginCounts): void {
  origin.latest = { received: counts.received, next: counts.next };
  origin.dropped = counts.dropped;
}
