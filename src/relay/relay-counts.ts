/** What a relay tells a session of the messages that it had, in heartbeats and in its bye. */
import { type Counts, MAX_COUNTED_ORIGINS, type OriginCounts } from "./counts.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import type { Session } from "./session.ts";

/**
 * Counts for `session` of its own messages, and of those that it was sent by others who sent
 * something since `sinceUs`. What does not fit into one frame is sent at once, as heartbeats; the
 * last part is returned.
 */
export function sendLongCounts(
  session: Session,
  sessions: ReadonlySet<Session>,
  sinceUs: number,
  nowUs: number,
): Counts {
  const origins = countsFor(session, sessions, sinceUs);
  while (origins.length > MAX_COUNTED_ORIGINS) {
    const part = origins.splice(0, MAX_COUNTED_ORIGINS);
    session.connection.outbox.sendControl(writeHeartbeat({ sent: 0, origins: part }), nowUs);
  }
  return { sent: 0, origins };
}

function countsFor(
  session: Session,
  sessions: ReadonlySet<Session>,
  sinceUs: number,
): OriginCounts[] {
  const counts: OriginCounts[] = [];
  // Of a route's flows only the first is sent the messages of others.
  for (const origin of session.flow === 0 ? sessions : [session]) {
    const { tracker } = origin;
    const concerns = origin === session ||
      (origin.metered && tracker.received > 0 && origin.dataUs >= sinceUs);
    if (!concerns) continue;
    counts.push({
      session: origin.number,
      received: tracker.received,
      next: tracker.next,
      dropped: session.dropped.get(origin.number) ?? 0,
    });
  }
  return counts;
}
