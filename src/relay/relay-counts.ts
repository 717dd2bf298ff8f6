/** What a relay tells a session of the messages that it had, in heartbeats and in its bye. */
import { type Counts, MAX_COUNTED_ORIGINS, type OriginCounts } from "./counts.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import type { Ends } from "./farewells.ts";
import type { Session } from "./session.ts";

/**
 * Counts for `session` of its own messages, and of those that it was sent by others who sent
 * something since `sinceUs`: as they are now, or up to the `ends` of one that leaves. What does
 * not fit into one frame is sent at once, as heartbeats; the last part is returned.
 */
export function sendLongCounts(
  session: Session,
  { sessions, ends }: { sessions: ReadonlySet<Session>; ends: Ends | undefined },
  sinceUs: number,
  nowUs: number,
): Counts {
  const counts = countsFor(session, ends?.keys() ?? sessions, ends, sinceUs);
  while (counts.length > MAX_COUNTED_ORIGINS) {
    const part = counts.splice(0, MAX_COUNTED_ORIGINS);
    session.connection.outbox.sendControl(writeHeartbeat({ sent: 0, origins: part }), nowUs);
  }
  return { sent: 0, origins: counts };
}

function countsFor(
  session: Session,
  origins: Iterable<Session>,
  ends: Ends | undefined,
  sinceUs: number,
): OriginCounts[] {
  const counts: OriginCounts[] = [];
  // Of a route's flows only the first is sent the messages of others.
  for (const origin of session.flow === 0 ? origins : [session]) {
    const { tracker } = origin;
    const next = ends?.get(origin) ?? tracker.next;
    const concerns = origin === session ||
      (origin.metered && tracker.received > 0 && origin.dataUs >= sinceUs);
    if (!concerns) continue;
    counts.push({
      session: origin.number,
      received: tracker.receivedBelow(next),
      next,
      dropped: session.dropped.get(origin.number) ?? 0,
    });
  }
  return counts;
}
