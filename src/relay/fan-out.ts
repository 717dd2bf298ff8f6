/**
 * Hands the messages of one session to all that are to have them: the same bytes to everyone, each
 * time another one first.
 */
import { readSequence } from "./data-frame.ts";
import type { Ends } from "./farewells.ts";
import type { Session } from "./session.ts";

/** A receiver that took nothing for this long no longer holds a flood up. */
const HOLD_STALLED_US = 1_000_000;

export interface FanOutResult {
  /** Receivers that the messages were handed to. */
  receivers: number;
  /** What the last of them waited for the others, µs. */
  waitUs: number;
}

export interface FanOut {
  add(session: Session): void;
  remove(session: Session): void;
  /** `session` leaves: from now on it is handed only what lies before the end of its origin. */
  retire(session: Session, ends: Ends): void;
  /** Everyone who gets others' messages. */
  readonly recipients: readonly Session[];
  /** Hands over `slices`, whole frames of `origin` stamped at `sentUs`: `messages` of them. */
  distribute(
    origin: Session,
    slices: readonly Uint8Array[],
    messages: number,
    sentUs: number,
  ): FanOutResult;
  /** Whether a flood of `origin` must wait: someone who still takes has over half a backlog. */
  mustHold(origin: Session, nowUs: number): boolean;
}

export function createFanOut(options: {
  nowUs: () => number;
  maxBacklogBytes: number;
  /** `recipient` lost messages of `origin` because its backlog is full. */
  dropped: (recipient: Session, origin: Session, messages: number) => void;
}): FanOut {
  const recipients: Session[] = [];
  const holdBytes = options.maxBacklogBytes / 2;
  let rotation = 0;
  /** Those that leave, and where their counts end. */
  const retired = new Map<Session, Ends>();

  const isFor = (recipient: Session, origin: Session): boolean =>
    recipient !== origin || origin.echo;

  const hand = (
    recipient: Session,
    origin: Session,
    slices: readonly Uint8Array[],
    messages: number,
    nowUs: number,
  ): boolean => {
    if (recipient.connection.outbox.sendData(slices, nowUs)) return true;
    noteDropped(recipient, origin, messages);
    return false;
  };

  const noteDropped = (recipient: Session, origin: Session, messages: number): void => {
    recipient.dropped.set(origin.number, (recipient.dropped.get(origin.number) ?? 0) + messages);
    recipient.droppedTotal += messages;
    recipient.overflowed = true;
    options.dropped(recipient, origin, messages);
  };

  const holds = (recipient: Session, nowUs: number): boolean => {
    const { outbox } = recipient.connection;
    return outbox.backlogBytes > holdBytes && nowUs - outbox.progressUs < HOLD_STALLED_US;
  };

  const remove = (session: Session): void => {
    retired.delete(session);
    const index = recipients.indexOf(session);
    if (index >= 0) recipients.splice(index, 1);
  };

  return {
    recipients,
    add(session) {
      recipients.push(session);
    },
    remove,
    retire(session, ends) {
      remove(session);
      retired.set(session, ends);
    },
    distribute(origin, slices, messages, sentUs) {
      const count = recipients.length;
      let receivers = 0;
      let lastUs = sentUs;
      let at = count > 0 ? rotation++ % count : 0;
      for (let i = 0; i < count; i++) {
        const recipient = recipients[at]!;
        at = at + 1 === count ? 0 : at + 1;
        if (!isFor(recipient, origin)) continue;
        if (receivers > 0) lastUs = options.nowUs();
        if (hand(recipient, origin, slices, messages, lastUs)) receivers++;
      }
      if (retired.size > 0) {
        const sequence = firstSequence(slices);
        for (const [recipient, ends] of retired) {
          if (!isFor(recipient, origin) || sequence >= (ends.get(origin) ?? 0)) continue;
          if (receivers > 0) lastUs = options.nowUs();
          if (hand(recipient, origin, slices, messages, lastUs)) receivers++;
        }
      }
      if (origin.echo && origin.flow > 0) {
        // Of a route's flows only the first is a recipient; its own echo each one gets.
        if (receivers > 0) lastUs = options.nowUs();
        if (hand(origin, origin, slices, messages, lastUs)) receivers++;
      }
      return { receivers, waitUs: lastUs - sentUs };
    },
    mustHold(origin, nowUs) {
      for (const recipient of recipients) {
        if (isFor(recipient, origin) && holds(recipient, nowUs)) return true;
      }
      return origin.echo && origin.flow > 0 && holds(origin, nowUs);
    },
  };
}

function firstSequence([slice]: readonly Uint8Array[]): number {
  return readSequence(new DataView(slice!.buffer, slice!.byteOffset), 0);
}
