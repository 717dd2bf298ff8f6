/** How much one client may send: a bucket that fills steadily, and of which each frame takes. */

export interface RateLimits {
  /** Frames a second; Infinity: any number. */
  messages: number;
  /** Bytes a second; Infinity: any number. */
  bytes: number;
}

export interface RateLimit {
  take(messages: number, bytes: number): void;
  /** More has been taken than there was: until it is made up for. */
  isExceeded(nowUs: number): boolean;
}

/** What a stalled network held back comes at once: it may be as much as comes in this time. */
const BURST_S = 10;
/** Clocks differ: who keeps to the limit by his own does not exceed it by ours. */
const TOLERANCE = 1.01;

export function createRateLimit({ messages, bytes }: RateLimits, startUs: number): RateLimit {
  let messagesLeft = messages * BURST_S;
  let bytesLeft = bytes * BURST_S;
  let filledUs = startUs;

  const fill = (left: number, perSecond: number, seconds: number): number =>
    Math.min(left + perSecond * TOLERANCE * seconds, perSecond * BURST_S);

  return {
    take(count, size) {
      messagesLeft -= count;
      bytesLeft -= size;
    },
    isExceeded(nowUs) {
      const seconds = (nowUs - filledUs) / 1e6;
      filledUs = nowUs;
      messagesLeft = fill(messagesLeft, messages, seconds);
      bytesLeft = fill(bytesLeft, bytes, seconds);
      return messagesLeft < 0 || bytesLeft < 0;
    },
  };
}
