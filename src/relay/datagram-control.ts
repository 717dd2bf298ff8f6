/**
 * Control frames over datagrams that get lost, doubled and reordered: numbered, acknowledged, sent
 * again, and delivered whole and in order. A frame longer than a datagram is cut.
 *
 * How long an acknowledgement is awaited follows the round trips (RFC 6298, with a shorter first
 * guess and least value: control frames are few). How many datagrams are under way grows with what
 * is acknowledged and halves with what is not, so that a long directory does not flood a thin way.
 */
import {
  CONTROL_DATAGRAM_BYTES,
  CONTROL_HEADER_BYTES,
  readMore,
  readNumber,
  writeAck,
  writeControl,
} from "./datagram.ts";
import { MAX_CONTROL_BYTES } from "./frame.ts";

const FIRST_TIMEOUT_US = 250_000;
const LEAST_TIMEOUT_US = 20_000;
const MOST_TIMEOUT_US = 2_000_000;
/**
 * Each time that the oldest is sent again it is awaited longer, but where the round trip allows it
 * not longer than this: a handshake has 5 s, over ways that lose every fifth datagram.
 */
const BACKOFF = 1.5;
const MOST_BACKED_OFF_US = 500_000;
/** How much longer than the round trip may have been, the next one is awaited. */
const GUESS_MARGIN = 1.25;
/** Nothing acknowledged for so long: the other end is gone. */
const GIVE_UP_US = 20_000_000;
const FIRST_WINDOW = 10;
const LEAST_WINDOW = 2;
/** Also how far ahead of the next one a receiver keeps datagrams. */
const MOST_WINDOW = 64;
const PART_BYTES = CONTROL_DATAGRAM_BYTES - CONTROL_HEADER_BYTES;
/** What may wait for one that takes its time; far more than any directory. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export interface ControlSender {
  send(frame: Uint8Array, atUs: number): void;
  /** All up to `number` have arrived. */
  acknowledged(number: number, atUs: number): void;
  /** Sends again what is due; returns when to call again (Infinity: nothing is under way). */
  tick(atUs: number): number;
  /** Everything has been acknowledged. */
  readonly isIdle: boolean;
  /** Why it is of no use any more. */
  readonly failure: string | undefined;
  /** Datagrams that were sent again. */
  readonly resent: number;
}

interface Part {
  readonly number: number;
  readonly datagram: Uint8Array;
  firstSentUs: number;
  sentUs: number;
}

export function createControlSender(
  token: Uint8Array,
  send: (datagram: Uint8Array) => void,
): ControlSender {
  const waiting: Part[] = [];
  const underWay: Part[] = [];
  let waitingBytes = 0;
  let lastNumber = 0;
  let window = FIRST_WINDOW;
  let timeoutUs = FIRST_TIMEOUT_US;
  let backoff = 1;
  let smoothUs = NaN;
  let variationUs = 0;
  let progressUs = 0;
  let failure: string | undefined;
  let resent = 0;
  /** The newest that was acknowledged after it had been sent again. */
  let again = { number: 0, tookUs: 0 };

  const transmit = (part: Part, atUs: number): void => {
    part.sentUs = atUs;
    send(part.datagram);
  };

  const pump = (atUs: number): void => {
    if (underWay.length === 0) progressUs = atUs;
    while (waiting.length > 0 && underWay.length < window) {
      const part = waiting.shift()!;
      waitingBytes -= part.datagram.byteLength;
      underWay.push(part);
      part.firstSentUs = atUs;
      transmit(part, atUs);
    }
  };

  const learn = (rttUs: number): void => {
    if (Number.isNaN(smoothUs)) {
      smoothUs = rttUs;
      variationUs = rttUs / 2;
    } else {
      variationUs += (Math.abs(smoothUs - rttUs) - variationUs) / 4;
      smoothUs += (rttUs - smoothUs) / 8;
    }
    timeoutUs = Math.min(
      Math.max(smoothUs + 4 * variationUs, LEAST_TIMEOUT_US),
      MOST_TIMEOUT_US,
    );
  };

  /**
   * Of one that was sent twice nobody knows which is acknowledged (Karn): the round trip is not
   * learned from it. But where that is longer than what is awaited, each is sent twice, and it would
   * never be learned. Acknowledged once more, it tells: both have arrived, so the first answer may
   * have been that to the first, and the next one is awaited for as long. With more than one under
   * way, the second answer may be that to one which overtook another.
   */
  const guess = (number: number): void => {
    if (number !== again.number || underWay.length > 1) return;
    const guessedUs = Math.min(again.tookUs * GUESS_MARGIN, MOST_TIMEOUT_US);
    timeoutUs = Math.max(timeoutUs, guessedUs);
  };

  const dueUs = (): number => {
    if (underWay.length === 0) return Infinity;
    const mostUs = Math.max(timeoutUs, MOST_BACKED_OFF_US);
    return underWay[0]!.sentUs + Math.min(timeoutUs * backoff, mostUs);
  };

  return {
    send(frame, atUs) {
      for (let at = 0; at < frame.byteLength; at += PART_BYTES) {
        const isLast = at + PART_BYTES >= frame.byteLength;
        const part = frame.subarray(at, at + PART_BYTES);
        const datagram = writeControl(token, ++lastNumber, !isLast, part);
        waiting.push({ number: lastNumber, datagram, firstSentUs: 0, sentUs: 0 });
        waitingBytes += datagram.byteLength;
      }
      if (waitingBytes > MAX_WAITING_BYTES) failure ??= "stalled: took no control frames";
      pump(atUs);
    },
    acknowledged(number, atUs) {
      let newest: Part | undefined;
      while (underWay.length > 0 && underWay[0]!.number <= number) {
        newest = underWay.shift();
        window = Math.min(window + 1, MOST_WINDOW);
      }
      if (newest === undefined) {
        guess(number);
        return;
      }
      if (newest.sentUs === newest.firstSentUs) learn(atUs - newest.sentUs);
      else again = { number, tookUs: atUs - newest.firstSentUs };
      progressUs = atUs;
      backoff = 1;
      pump(atUs);
    },
    tick(atUs) {
      if (atUs < dueUs()) return dueUs();
      if (atUs - progressUs > GIVE_UP_US) {
        failure ??= `nothing acknowledged for ${GIVE_UP_US / 1e6} s`;
        return Infinity;
      }
      const [oldest] = underWay;
      resent++;
      backoff = Math.min(backoff * BACKOFF, 64);
      window = Math.max(Math.floor(window / 2), LEAST_WINDOW);
      transmit(oldest!, atUs);
      return dueUs();
    },
    get isIdle() {
      return underWay.length === 0 && waiting.length === 0;
    },
    get failure() {
      return failure;
    },
    get resent() {
      return resent;
    },
  };
}

export interface ControlReceiver {
  /**
   * Takes a control datagram, and delivers what it completes. False where it, and all that follows,
   * cannot be a frame.
   */
  take(datagram: Uint8Array): boolean;
}

export function createControlReceiver(
  token: Uint8Array,
  { send, deliver }: {
    send: (datagram: Uint8Array) => void;
    /** A whole frame. */
    deliver: (frame: Uint8Array) => void;
  },
): ControlReceiver {
  /** Those that came before their time, by number. */
  const early = new Map<number, Uint8Array>();
  let next = 1;
  let parts: Uint8Array[] = [];
  let partsBytes = 0;

  /** Takes the next datagram; returns its frame where it completes one. */
  const append = (datagram: Uint8Array): Uint8Array | undefined => {
    const part = datagram.subarray(CONTROL_HEADER_BYTES);
    parts.push(part);
    partsBytes += part.byteLength;
    if (readMore(datagram)) return undefined;
    const frame = parts.length === 1 ? part : new Uint8Array(partsBytes);
    if (parts.length > 1) {
      let at = 0;
      for (const each of parts) {
        frame.set(each, at);
        at += each.byteLength;
      }
    }
    parts = [];
    partsBytes = 0;
    return frame;
  };

  return {
    take(datagram) {
      const number = readNumber(datagram);
      if (number >= next && number < next + MOST_WINDOW) early.set(number, datagram);
      const frames: Uint8Array[] = [];
      for (let ready = early.get(next); ready !== undefined; ready = early.get(next)) {
        early.delete(next++);
        const frame = append(ready);
        if (partsBytes > MAX_CONTROL_BYTES) return false;
        if (frame !== undefined) frames.push(frame);
      }
      // Acknowledged first: what a frame brings about may be the end of this session.
      send(writeAck(token, next - 1));
      for (const frame of frames) {
        if (!isFrame(frame)) return false;
        deliver(frame);
      }
      return true;
    },
  };
}

/** Whether its length is that of its bytes. */
export function isFrame(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 6) return false;
  const length = (bytes[0]! | bytes[1]! << 8 | bytes[2]! << 16 | bytes[3]! << 24) >>> 0;
  return length === bytes.byteLength;
}
