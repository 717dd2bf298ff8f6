/**
 * How far a peer's hop clock is ahead of the local one, and within which bound that is certain.
 *
 * offset = peer's clock − local clock. A hop received here at `receivedUs` (local) that the peer
 * sent at `sentUs` (its clock) took `ms_raw` = received − sent and, corrected, `ms` = `ms_raw` +
 * offset, measured in the peer's time. One estimator serves a pair of processes and is fed by all
 * their connections, so that all their hops are corrected by one and the same figure.
 */
import { createClockPrediction } from "./clock-prediction.ts";
import {
  beganHere,
  type ClockExchange,
  createClockWindow,
  middleOffsetUs,
  roundTripUs,
} from "./clock-window.ts";
import {
  SYSTEM_UNKNOWN,
  systemHighAt,
  type SystemInterval,
  systemLowAt,
} from "./clock-system-interval.ts";

/** `--clock`: trust the system clocks alone, the exchanges alone, or both where known. */
export type ClockMode = "auto" | "system" | "estimate";

/** How a hop was corrected. */
export type ClockMethod = "none" | "system" | "estimate";

/** What to add to a hop's raw figure, and the bound on the error of the sum; µs. */
export interface ClockEstimate {
  offsetUs: number;
  /** NaN where nothing is proven: before the first exchange, and after a step until it is over. */
  errorUs: number;
  method: ClockMethod;
}

/** Something that the log should tell. */
export type ClockEvent =
  /** The exchanges contradict one another by so much: a clock stepped, or ran off. Told once. */
  | { kind: "stepped"; byUs: number }
  /** A host's bound on its system clock contradicts the exchanges by so much. Told once. */
  | { kind: "system-dropped"; byUs: number }
  /** The system clocks agree with the exchanges again, and are used again. */
  | { kind: "system-restored" };

/** The clocks of one pair of processes, as seen from this one. */
export interface ClockEstimator {
  /**
   * Takes an exchange that completed now on one of the pair's connections (any number that tells
   * them apart). Exchanges with timestamps that are no numbers are ignored.
   */
  addExchange(exchange: ClockExchange, connection: number, nowUs: number): ClockEvent | undefined;
  /** Takes what both hosts know of their system clocks; see `systemInterval`. */
  setSystemInterval(interval: SystemInterval, nowUs: number): ClockEvent | undefined;
  /** For hops received at `nowUs`. The object is overwritten by the next call: copy its fields. */
  estimateAt(nowUs: number): Readonly<ClockEstimate>;
  /** True until eight exchanges have been taken since the start or the last step. */
  readonly wantsBurst: boolean;
}

/** Exchanges after which the estimate has the best of a few. */
export const BURST_EXCHANGES = 8;
/**
 * What contradicted itself has to be free of contradictions for so long, and for a burst of
 * exchanges, before it is believed again: a step is over at once, but one who slews a clock goes on
 * (chrony at up to 83 ms a second). Nothing that was exchanged meanwhile is kept.
 */
const SETTLING_US = 1e6;
/** A dropped system interval is tried again after this long. */
const SYSTEM_RETRY_US = 60e6;

/**
 * Holds about 17 KB at most, whatever the number of connections and exchanges. Limits of what it
 * can know: a step that is smaller than the shortest round trip looks like a change of the route.
 * The bound is that of the offset; `hopErrorUs` has what a hop's own delay adds.
 */
export function createClockEstimator(mode: ClockMode): ClockEstimator {
  const window = createClockWindow();
  const prediction = createClockPrediction();
  const estimate: ClockEstimate = { offsetUs: 0, errorUs: Number.NaN, method: "none" };
  let exchanges = 0;
  let everExchanged = false;

  let system: SystemInterval = SYSTEM_UNKNOWN;
  let systemSetUs = 0;
  let systemRetryUs = Number.NEGATIVE_INFINITY;
  let systemSuspect = false;

  // After a step, only exchanges that began after it count. The end that asked knows by its own
  // clock when they began; for those that the peer began, its clock has to be known to have passed
  // the step.
  let notBeforeLocalUs = Number.NEGATIVE_INFINITY;
  let notBeforePeerUs = Number.NEGATIVE_INFINITY;
  let isSettling = false;

  function beganBeforeStep(exchange: ClockExchange): boolean {
    return beganHere(exchange)
      ? exchange.localSentUs < notBeforeLocalUs
      : exchange.peerSentUs < notBeforePeerUs;
  }

  function clear(): void {
    window.clear();
    prediction.clear();
    exchanges = 0;
  }

  function forget(contradiction: ClockExchange, nowUs: number): void {
    if (exchanges > 0 && !isSettling) estimate.offsetUs = prediction.offsetAt(nowUs);
    isSettling = true;
    clear();
    notBeforeLocalUs = nowUs;
    // The contradicting exchange ended after the step. If it ended at the peer, its last timestamp
    // is past the step; if here, the next exchange begun here will show where the peer's clock is.
    notBeforePeerUs = beganHere(contradiction)
      ? Number.POSITIVE_INFINITY
      : contradiction.peerReceivedUs;
  }

  /** Whether the system interval counts at `nowUs`; only `auto` combines it with exchanges. */
  function systemCounts(nowUs: number): boolean {
    return mode === "auto" && nowUs >= systemRetryUs &&
      !Number.isNaN(systemHighAt(system, systemSetUs, nowUs));
  }

  /** Drops the system interval if it contradicts what the exchanges alone prove. */
  function checkSystem(nowUs: number): ClockEvent | undefined {
    if (exchanges === 0 || isSettling || !systemCounts(nowUs)) return undefined;
    const byUs = Math.max(
      systemLowAt(system, systemSetUs, nowUs) - window.upperAt(nowUs),
      window.lowerAt(nowUs) - systemHighAt(system, systemSetUs, nowUs),
    );
    const wasSuspect = systemSuspect;
    systemSuspect = byUs > 0;
    if (systemSuspect) systemRetryUs = nowUs + SYSTEM_RETRY_US;
    if (systemSuspect === wasSuspect) return undefined;
    return systemSuspect ? { kind: "system-dropped", byUs } : { kind: "system-restored" };
  }

  function addExchange(
    exchange: ClockExchange,
    connection: number,
    nowUs: number,
  ): ClockEvent | undefined {
    const rttUs = roundTripUs(exchange);
    if (mode === "system" || !Number.isFinite(rttUs) || beganBeforeStep(exchange)) return undefined;
    if (beganHere(exchange)) {
      notBeforePeerUs = Math.min(notBeforePeerUs, exchange.peerReceivedUs);
    }
    if (isSettling && exchanges >= BURST_EXCHANGES && nowUs >= notBeforeLocalUs + SETTLING_US) {
      isSettling = false;
      clear();
    }
    window.add(exchange, nowUs);
    const byUs = window.lowerAt(nowUs) - window.upperAt(nowUs);
    if (byUs > 0) {
      const isNews = !isSettling;
      forget(exchange, nowUs);
      return isNews ? { kind: "stepped", byUs } : undefined;
    }
    const middleUs = (exchange.localSentUs + exchange.localReceivedUs) / 2;
    prediction.add(connection, middleUs, middleOffsetUs(exchange), rttUs);
    exchanges++;
    everExchanged = true;
    return checkSystem(nowUs);
  }

  function setSystemInterval(interval: SystemInterval, nowUs: number): ClockEvent | undefined {
    system = interval;
    systemSetUs = nowUs;
    return checkSystem(nowUs);
  }

  function estimateAt(nowUs: number): Readonly<ClockEstimate> {
    if (mode === "system") {
      estimate.method = "system";
      estimate.errorUs = Math.max(
        Math.abs(systemLowAt(system, systemSetUs, nowUs)),
        Math.abs(systemHighAt(system, systemSetUs, nowUs)),
      );
      return estimate;
    }
    if (!everExchanged) return estimate;
    estimate.method = "estimate";
    let upperUs = window.upperAt(nowUs);
    let lowerUs = window.lowerAt(nowUs);
    if (exchanges === 0 || isSettling || upperUs === Infinity) {
      // Nothing is proven: the last estimate stays, with no bound.
      estimate.errorUs = Number.NaN;
      return estimate;
    }
    if (systemCounts(nowUs)) {
      upperUs = Math.min(upperUs, systemHighAt(system, systemSetUs, nowUs));
      lowerUs = Math.max(lowerUs, systemLowAt(system, systemSetUs, nowUs));
    }
    const offsetUs = Math.min(Math.max(prediction.offsetAt(nowUs), lowerUs), upperUs);
    estimate.offsetUs = offsetUs;
    estimate.errorUs = Math.max(upperUs - offsetUs, offsetUs - lowerUs);
    return estimate;
  }

  return {
    addExchange,
    setSystemInterval,
    estimateAt,
    get wantsBurst() {
      return mode !== "system" && exchanges < BURST_EXCHANGES;
    },
  };
}
