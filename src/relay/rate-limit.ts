/** How much one client may send: a bucket that fills steadily, and of which each frame takes. */

export interface RateLimits {
  /** Frames a second; Infinity: any number. */
  messages: number;
  /** Bytes a second; Infinity: any number. */
  bytes: number;
}

export interface RateLimit {
  /** At `nowUs` so much has come; an earlier time than was known counts as none that has passed. */
  take(messages: number, bytes: number, nowUs: number): void;
  /** More has been taken than there was: until it is made up for. */
  isExceeded(nowUs: number): boolean;
}

/** What a stalled network held back comes at once: it may be as much as comes in this time. */
const BURST_S = 10;
/** Clocks differ: who keeps to the limit by his own does not exceed it by ours. */
const TOLERANCE = 1.01;

export function createRateLimit({ messages, bytes }: RateLimits, startUs: number): RateLimit {
  const buckets = [createBucket(messages), createBucket(bytes)] as const;
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
      buckets[0].left -= count;
      buckets[1].left -= size;
    },
    isExceeded(nowUs) {
      fill(nowUs);
      return buckets[0].left < 0 || buckets[1].left < 0;
    },
  };
}

const createBucket = (perSecond: number) => ({ perSecond, left: perSecond * BURST_S });
