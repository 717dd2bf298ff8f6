/**
 * How long to wait before connecting again: exponential with full jitter, so that a thousand
 * clients of a server that restarts do not come back in step.
 */
export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  nextMs(): number;
  /** The connection was good: the next failure begins anew. */
  reset(): void;
}

const FIRST_MS = 500;
const MOST_MS = 10_000;
/** Never at once: a server that refuses would be asked in a tight loop. */
const LEAST_MS = 50;

/** `random` gives numbers in [0, 1). */
export function createBackoff(random: () => number): Backoff {
  let ceilingMs = FIRST_MS;
  return {
    nextMs() {
      const waitMs = LEAST_MS + random() * (ceilingMs - LEAST_MS);
      ceilingMs = Math.min(MOST_MS, ceilingMs * 2);
      return waitMs;
    },
    reset() {
      ceilingMs = FIRST_MS;
    },
  };
}
