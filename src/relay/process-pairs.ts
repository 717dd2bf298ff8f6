/** One clock estimator for each other process, shared by all its sessions. */
import { type ClockEstimator, type ClockMode, createClockEstimator } from "./clock-estimator.ts";
import { toHex } from "./hex.ts";

/** An estimate outlives its last session for this long: a client that reconnects finds it again. */
const KEEP_US = 600_000_000;

/** Clocks of this process and of one other: all sessions of that process share the estimate. */
export interface ProcessPair {
  /** The other's process id, in hexadecimal. A secret: for `clockId` only. */
  readonly processId: string;
  readonly estimator: ClockEstimator;
  sessions: number;
  idleSinceUs: number;
}

export interface ProcessPairs {
  take(processId: Uint8Array): ProcessPair;
  release(pair: ProcessPair, nowUs: number): void;
  /** Forgets pairs that had no session for long. */
  forget(nowUs: number): void;
}

export function createProcessPairs(clockMode: ClockMode): ProcessPairs {
  const pairs = new Map<string, ProcessPair>();
  return {
    take(processId) {
      const key = toHex(processId);
      let pair = pairs.get(key);
      if (pair === undefined) {
        const estimator = createClockEstimator(clockMode);
        pair = { processId: key, estimator, sessions: 0, idleSinceUs: Infinity };
        pairs.set(key, pair);
      }
      pair.sessions++;
      return pair;
    },
    release(pair, nowUs) {
      pair.sessions--;
      if (pair.sessions === 0) pair.idleSinceUs = nowUs;
    },
    forget(nowUs) {
      for (const [key, pair] of pairs) {
        if (pair.sessions === 0 && nowUs - pair.idleSinceUs > KEEP_US) pairs.delete(key);
      }
    },
  };
}
