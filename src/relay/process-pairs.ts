/** One clock estimator for each other process, shared by all its sessions. */
import { type ClockEstimator, type ClockMode, createClockEstimator } from "./clock-estimator.ts";
import { toHex } from "./hex.ts";

/** An estimate outlives its last session for this long: a client that reconnects finds it again. */
const KEEP_US = 600_000_000;
/** Of estimates without a session no more are kept: the latest. Each is about 14 KB. */
const MAX_IDLE = 2000;

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
  /** Those without a session, the longest idle first. */
  const idle = new Set<ProcessPair>();
  const remove = (pair: ProcessPair): void => {
    idle.delete(pair);
    pairs.delete(pair.processId);
  };
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
      idle.delete(pair);
      return pair;
    },
    release(pair, nowUs) {
      pair.sessions--;
      if (pair.sessions > 0) return;
      pair.idleSinceUs = nowUs;
      idle.add(pair);
      if (idle.size > MAX_IDLE) remove(idle.values().next().value!);
    },
    forget(nowUs) {
      for (const pair of idle) {
        if (nowUs - pair.idleSinceUs <= KEEP_US) return;
        remove(pair);
      }
    },
  };
}
