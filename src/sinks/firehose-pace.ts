/**
 * When the next request may go: how many at once, and how long to wait after failures. While
 * nothing succeeds, one request at a time probes, ever less often; each success then lets one more
 * go, and each failure halves their number, so that a service that throttles is not hammered.
 */

/** Exponential backoff with full jitter: a random part of what doubles with each failure. */
const BASE_MS = 100;
const CAP_MS = 20_000;
/** Somebody waits for the end of the program. */
const CLOSING_CAP_MS = 1000;
/** What only an operator can change is asked for every 30 to 60 s. */
const BLOCKED_MS = 30_000;
/** From the second failure in a row on, there is an outage until the next success. */
const OUTAGE_ROUNDS = 2;

export interface Pace {
  /** Whether a request may start now, beside so many others. */
  mayStart(inFlight: number, nowMs: number): boolean;
  /** No request starts before this time; in the past where one may. */
  heldUntilMs(): number;
  /** Returns what to hand to `failed`, should this request fail. */
  started(): number;
  /** Something was taken; `wholly`: all of it. */
  succeeded(wholly: boolean): void;
  /** Returns how long the records of the failed request wait. */
  failed(round: number, nowMs: number): number;
  blocked(nowMs: number): void;
  /** Failures in a row, those of requests side by side counted as one. */
  failures(): number;
  /** Nobody waits long from now on. */
  hurry(): void;
  /** How long records wait that were refused so often. */
  backoffMs(tries: number): number;
}

export function createPace({ maxInFlight, random }: {
  maxInFlight: number;
  random: () => number;
}): Pace {
  let window = maxInFlight;
  let heldUntilMs = -Infinity;
  let failures = 0;
  let capMs = CAP_MS;
  /** A request that began before the last failure tells nothing new by failing as well. */
  let round = 0;

  const backoffMs = (tries: number): number =>
    random() * Math.min(capMs, BASE_MS * 2 ** (tries - 1));
  const halve = (): void => {
    window = Math.max(1, Math.floor(window / 2));
  };

  return {
    mayStart: (inFlight, nowMs) =>
      nowMs >= heldUntilMs && inFlight < (failures >= OUTAGE_ROUNDS ? 1 : window),
    heldUntilMs: () => heldUntilMs,
    started: () => round,
    succeeded(wholly) {
      // The first success after an outage is no reason to let all go at once.
      if (failures >= OUTAGE_ROUNDS) window = 1;
      failures = 0;
      heldUntilMs = -Infinity;
      if (wholly) window = Math.min(maxInFlight, window + 1);
      else halve();
    },
    failed(itsRound, nowMs) {
      if (itsRound === round) {
        round++;
        failures++;
        halve();
      }
      const waitMs = backoffMs(failures);
      if (failures >= OUTAGE_ROUNDS) heldUntilMs = Math.max(heldUntilMs, nowMs + waitMs);
      return waitMs;
    },
    blocked(nowMs) {
      round++;
      failures = Math.max(failures + 1, OUTAGE_ROUNDS);
      heldUntilMs = nowMs + BLOCKED_MS * (1 + random());
    },
    failures: () => failures,
    hurry() {
      capMs = CLOSING_CAP_MS;
      heldUntilMs = -Infinity;
    },
    backoffMs,
  };
}
