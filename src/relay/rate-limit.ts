/** How much one client may send: buckets that fill steadily, and of which each frame takes. */

export interface RateLimits {
  /** Messages a second; Infinity: any number. */
  messages: number;
  /** Bytes a second; Infinity: any number. */
  bytes: number;
}

export interface RateLimit {
  /** At `nowUs` so much has come; an earlier time than was known counts as none that has passed. */
  take(messages: number, bytes: number, nowUs: number): void;
  /** As `take`, of one frame that is no message. */
  takeControl(bytes: number, nowUs: number): void;
  /** More has been taken than there was: until it is made up for. */
  isExceeded(nowUs: number): boolean;
  /** How much is left of what there is at most: 1 is all, below 0 it is exceeded. */
  filled(nowUs: number): number;
}

/** What a stalled network held back comes at once: it may be as much as comes in this time. */
const BURST_S = 10;
/**
 * Frames that are no messages, a second, where messages are limited: whoever keeps to that limit has
 * to be able to read the clocks beside. A client on a short way sends 60 clock frames a second, and
 * one whose clock is being slewed some thousands.
 */
const CONTROL_PER_SECOND = 5000;
/** Clocks differ: who keeps to the limit by his own does not exceed it by ours. */
const TOLERANCE = 1.01;

export function createRateLimit({ messages, bytes }: RateLimits, startUs: number): RateLimit {
  const control = messages === Infinity ? Infinity : CONTROL_PER_SECOND;
  const buckets = [messages, bytes, control].map(createBucket);
  const [ofMessages, ofBytes, ofControl] = buckets as [Bucket, Bucket, Bucket];
  let filledUs = startUs;

  /** Before anything is taken: what a pause would fill beyond the brim is nobody's. */
  const fill = (nowUs: number): void => {
    if (nowUs <= filledUs) return;
    const seconds = (nowUs - filledUs) / 1e6;
    filledUs = nowUs;
    for (const bucket of buckets) {
      const { perSecond, left } = bucket;
      bucket.left = Math.min(left + perSecond * TOLERANCE * seconds, perSecond * BURST_S);
    }
  };

  return {
    take(count, size, nowUs) {
      fill(nowUs);
      ofMessages.left -= count;
      ofBytes.left -= size;
    },
    takeControl(size, nowUs) {
      fill(nowUs);
      ofControl.left--;
      ofBytes.left -= size;
    },
    isExceeded(nowUs) {
      fill(nowUs);
      return buckets.some(({ left }) => left < 0);
    },
    filled(nowUs) {
      fill(nowUs);
      const shares = buckets.map(({ perSecond, left }) => left / (perSecond * BURST_S));
      return Math.min(1, ...shares.filter((share) => !Number.isNaN(share)));
    },
  };
}

interface Bucket {
  readonly perSecond: number;
  left: number;
}

const createBucket = (perSecond: number): Bucket => ({ perSecond, left: perSecond * BURST_S });
