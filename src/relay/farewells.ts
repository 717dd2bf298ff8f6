/**
 * Sessions that said bye, and when that is answered. A session's counts end with its bye; what over
 * UDP was overtaken by the bye, or by later messages of its origin, is waited for, so that it is
 * not taken for lost. Until then the session is handed such stragglers, and nothing newer.
 */
import type { FanOut } from "./fan-out.ts";
import { STRAGGLERS_US } from "./link.ts";
import type { RelayDirectory } from "./relay-directory.ts";
import type { Session } from "./session.ts";

/** Of each origin, the first sequence that no longer counts. */
export type Ends = ReadonlyMap<Session, number>;

export interface Farewells {
  /** `session` says bye, having sent `sent` messages. */
  said(session: Session, sent: number, atUs: number): void;
  /** Something came from `session`: it may be complete now. */
  heard(session: Session, atUs: number): void;
  /** Where the counts of `session` end, while its bye waits: it has been told who left before. */
  endsOf(session: Session): Ends | undefined;
  /** `session` ended. */
  forget(session: Session): void;
  /** Answers the byes whose time has come; returns when to call again (Infinity: none waits). */
  tick(atUs: number): number;
}

interface Farewell {
  sent: number;
  ends: Ends;
  dueUs: number;
  /** Messages of others are under way, of which nobody knows how many there are. */
  awaitsOthers: boolean;
}

export function createFarewells(options: {
  sessions: ReadonlySet<Session>;
  fanOut: FanOut;
  directory: RelayDirectory;
  wake: (atUs: number) => void;
  /** Says bye, which ends the session. */
  answer: (session: Session, atUs: number) => void;
}): Farewells {
  const { sessions } = options;
  /** The oldest first. */
  const waiting = new Map<Session, Farewell>();

  const answer = (session: Session, sent: number, atUs: number): void => {
    session.tracker.extendTo(sent + 1);
    options.answer(session, atUs);
  };

  const isAnyUnderWay = (recipient: Session, atUs: number): boolean => {
    // Of a route's flows only the first is sent the messages of others.
    if (recipient.flow > 0) return false;
    for (const origin of sessions) {
      if (origin !== recipient && origin.metered && mayBeOvertaken(origin, atUs)) return true;
    }
    return false;
  };

  const endsNow = (session: Session, sent: number): Ends => {
    const ends = new Map<Session, number>();
    for (const origin of sessions) ends.set(origin, origin.tracker.next);
    return ends.set(session, Math.max(sent + 1, session.tracker.next));
  };

  return {
    said(session, sent, atUs) {
      if (waiting.has(session)) return;
      const awaitsOwn = isOverUdp(session) && session.tracker.received < sent;
      const awaitsOthers = isAnyUnderWay(session, atUs);
      if (!awaitsOwn && !awaitsOthers) return answer(session, sent, atUs);
      const ends = endsNow(session, sent);
      const dueUs = atUs + STRAGGLERS_US;
      waiting.set(session, { sent, ends, dueUs, awaitsOthers });
      if (session.flow === 0) {
        options.directory.farewell(session, atUs);
        options.fanOut.retire(session, ends);
      }
      options.wake(dueUs);
    },
    heard(session, atUs) {
      if (waiting.size === 0) return;
      const farewell = waiting.get(session);
      if (farewell === undefined || farewell.awaitsOthers) return;
      const { sent } = farewell;
      if (session.tracker.received >= sent) answer(session, sent, atUs);
    },
    endsOf: (session) => waiting.get(session)?.ends,
    forget(session) {
      waiting.delete(session);
    },
    tick(atUs) {
      for (const [session, { sent, dueUs }] of waiting) {
        if (atUs < dueUs) return dueUs;
        answer(session, sent, atUs);
      }
      return Infinity;
    },
  };
}

const isOverUdp = ({ connection }: Session): boolean => connection.link.transport === "udp";

/** Whether a message of it that was sent before others may yet come after them. */
function mayBeOvertaken(origin: Session, atUs: number): boolean {
  const { first, next, received } = origin.tracker;
  return isOverUdp(origin) && next - first > received && atUs - origin.dataUs < STRAGGLERS_US;
}
