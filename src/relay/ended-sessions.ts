/** Final counts of ended sessions, for clients that come back and ask. */
import type { Hello } from "./hello.ts";
import { toHex } from "./hex.ts";
import type { Session } from "./session.ts";

/** Sessions whose counts are kept: the oldest are forgotten first. */
const MAX_ENDED = 10_000;

export interface EndedSessions {
  remember(session: Session): void;
  /** Of the session that the hello names as its previous one, where its process had it. */
  countsFor(hello: Hello): { received: number; next: number } | undefined;
}

export function createEndedSessions(): EndedSessions {
  const counts = new Map<string, { received: number; next: number }>();
  // With the process id, so that nobody else can ask.
  const key = (sessionId: string, processId: string): string => `${sessionId}/${processId}`;
  return {
    remember({ id, pair, tracker }) {
      const { received, next } = tracker;
      counts.set(key(id, pair.processId), { received, next });
      if (counts.size > MAX_ENDED) counts.delete(counts.keys().next().value!);
    },
    countsFor: ({ previousSession, processId }) =>
      counts.get(key(toHex(previousSession), toHex(processId))),
  };
}
