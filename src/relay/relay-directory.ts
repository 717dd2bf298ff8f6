/**
 * Tells everyone who joined and who left. News wait a moment, so that a thousand clients that come
 * at once are a few frames each and not a million; but a session is always announced before its
 * first message is passed on.
 */
import type { OriginCounts } from "./counts.ts";
import { type DirectoryEntry, MAX_DIRECTORY_ENTRIES, writeDirectory } from "./directory.ts";
import type { Session } from "./session.ts";

/** How long news may wait, µs. */
const NEWS_DELAY_US = 20_000;

export interface RelayDirectory {
  /** `session` joined: everyone will be told of it. */
  joined(session: Session, nowUs: number): void;
  /** `session`, which had joined, left: the recipients that remain will be told. */
  left(session: Session, nowUs: number): void;
  /** Tells the waiting news now where `origin`, about to be relayed, is among them. */
  announceFirst(origin: Session, nowUs: number): void;
  /** Tells `session` of all that are there. */
  introduce(session: Session, others: Iterable<Session>, nowUs: number): void;
  /** Tells `session`, which is about to leave, of those that left before: it counts them. */
  farewell(session: Session, nowUs: number): void;
  /** Tells what has waited long enough; returns when to call again (Infinity: nothing waits). */
  tick(nowUs: number): number;
}

export function createRelayDirectory(recipients: readonly Session[]): RelayDirectory {
  const arrivals = new Set<Session>();
  const departures: Session[] = [];
  let dueUs = Infinity;

  const entryOf = (session: Session): DirectoryEntry => ({
    session: session.number,
    sessionId: session.idBytes,
    flow: session.flow,
    received: session.tracker.received,
    next: session.tracker.next,
    name: session.name,
    route: session.route,
  });

  const leftFor = (recipient: Session): OriginCounts[] =>
    departures.map((session) => ({
      session: session.number,
      received: session.tracker.received,
      next: session.tracker.next,
      dropped: recipient.dropped.get(session.number) ?? 0,
    }));

  const chunks = <T>(items: T[]): T[][] => {
    const parts: T[][] = [];
    for (let at = 0; at < items.length; at += MAX_DIRECTORY_ENTRIES) {
      parts.push(items.slice(at, at + MAX_DIRECTORY_ENTRIES));
    }
    return parts;
  };

  const tellDepartures = (recipient: Session, nowUs: number): void => {
    for (const part of chunks(leftFor(recipient))) {
      recipient.connection.outbox.sendControl(writeDirectory({ joined: [], left: part }), nowUs);
    }
  };

  const tellNews = (nowUs: number): void => {
    dueUs = Infinity;
    const joined = chunks([...arrivals].map(entryOf))
      .map((part) => writeDirectory({ joined: part, left: [] }));
    for (const recipient of recipients) {
      for (const frame of joined) recipient.connection.outbox.sendControl(frame, nowUs);
      tellDepartures(recipient, nowUs);
      for (const session of departures) recipient.dropped.delete(session.number);
    }
    arrivals.clear();
    departures.length = 0;
  };

  const wait = (nowUs: number): void => {
    dueUs = Math.min(dueUs, nowUs + NEWS_DELAY_US);
  };

  return {
    joined(session, nowUs) {
      arrivals.add(session);
      wait(nowUs);
    },
    left(session, nowUs) {
      if (arrivals.delete(session)) return;
      departures.push(session);
      wait(nowUs);
    },
    announceFirst(origin, nowUs) {
      if (arrivals.has(origin)) tellNews(nowUs);
    },
    introduce(session, others, nowUs) {
      // Those whose arrival still waits are told with the news, so that their leaving is too.
      const known = [...others].filter((other) => other !== session && !arrivals.has(other));
      const entries = known.map(entryOf);
      for (const part of chunks(entries)) {
        const frame = writeDirectory({ joined: part, left: [] });
        session.connection.outbox.sendControl(frame, nowUs);
      }
    },
    farewell: tellDepartures,
    tick(nowUs) {
      if (nowUs >= dueUs) tellNews(nowUs);
      return dueUs;
    },
  };
}
