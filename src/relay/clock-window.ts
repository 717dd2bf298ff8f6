/**
 * What exchanges of timestamps prove about the offset of two clocks.
 *
 * Definitions. Two clocks, local L and peer P; offset o = P − L, as a function of the local time l.
 * The one assumption: the clocks' relative rate is at most `RELATIVE_RATE_LIMIT` = r, that is
 * |o(l) − o(m)| ≤ r·|l − m|.
 *
 * The peer received at P = peerReceived what was sent at L = localSent = a. When it did, the local
 * clock stood at some m ≥ a, and o(m) = peerReceived − m. So
 *     o(a) ≤ o(m) + r·(m − a) = peerReceived − a − (1 − r)·(m − a) ≤ peerReceived − localSent,
 * an upper limit that holds exactly at the local instant `localSent`, however long the way took.
 * Likewise what the peer sent at P = peerSent arrived at L = localReceived = d, and
 *     o(d) ≥ peerSent − localReceived,
 * a lower limit exactly at the local instant `localReceived`. At a later local time l these are
 *     o(l) ≤ (peerReceived − localSent) + r·(l − localSent)
 *     o(l) ≥ (peerSent − localReceived) − r·(l − localReceived).
 * Nothing depends on which end asked: for the end that answered, localReceived precedes localSent.
 *
 * All upper limits rise at the same rate r, so the lowest one stays the lowest until it expires:
 * what is kept is the minimum of (limit − r·instant) over the window, and for the lower limits the
 * mirror image.
 */

/** Assumed limit on the relative rate of two hop clocks (500 ppm), as µs per µs. */
export const RELATIVE_RATE_LIMIT = 500e-6;

/**
 * Bound on the error of a hop's corrected delay, µs: `offsetErrorUs` holds at its reception, but it
 * was sent `delayUs` before, when the offset may have been another by what the rates allow.
 */
export function hopErrorUs(offsetErrorUs: number, delayUs: number): number {
  return offsetErrorUs + RELATIVE_RATE_LIMIT * Math.abs(delayUs);
}

/** An exchange proves nothing any more after this long. */
export const WINDOW_US = 600e6;

/**
 * Added to each limit: an f64 of microseconds since 2020 is rounded to 0.03 µs, and readings of a
 * monotonic clock step by up to 0.07 µs, at both ends.
 */
const READING_ERROR_US = 0.25;

/**
 * A limit that is weaker than the newest kept one is kept too, for when that one expires, but only
 * if it is at least this much newer. Bounds the memory; costs sharpness for so long, at most, in
 * ten minutes, and never correctness: leaving out a limit can only widen what is claimed.
 */
const SPACING_US = 10e6;

/**
 * The four timestamps of one exchange, in µs since 2020, by the end that reads them: two frames,
 * one each way, whichever went first. The end that asked has t1, t2, t3, t4 in this order; the end
 * that answered has localSent = t3, peerReceived = t4, peerSent = t1, localReceived = t2.
 */
export interface ClockExchange {
  localSentUs: number;
  peerReceivedUs: number;
  peerSentUs: number;
  localReceivedUs: number;
}

/** Whether the end that reads the exchange asked. One that answers may stamp both with one reading. */
export function beganHere(exchange: ClockExchange): boolean {
  return exchange.localSentUs < exchange.localReceivedUs;
}

/** Time both frames were under way together: the round trip without the answering end's delay. */
export function roundTripUs(exchange: ClockExchange): number {
  return exchange.localReceivedUs - exchange.localSentUs -
    (exchange.peerSentUs - exchange.peerReceivedUs);
}

/** The offset if both ways took the same time, at the middle of the exchange. */
export function middleOffsetUs(exchange: ClockExchange): number {
  return (exchange.peerReceivedUs - exchange.localSentUs + exchange.peerSentUs -
    exchange.localReceivedUs) / 2;
}

/** The intersection of what the exchanges of the last ten minutes prove. */
export interface ClockWindow {
  add(exchange: ClockExchange, nowUs: number): void;
  /** Greatest offset that is possible at `nowUs`; Infinity while nothing is proven. */
  upperAt(nowUs: number): number;
  /** Least offset that is possible at `nowUs`; -Infinity while nothing is proven. */
  lowerAt(nowUs: number): number;
  clear(): void;
}

/** At most 61 limits a side are kept, so a window takes about 2 KB. */
export function createClockWindow(): ClockWindow {
  const upper = createSlidingMinimum();
  const lower = createSlidingMinimum();
  // Keeps the products with the rate small, so that they lose no digits.
  let baseUs = Number.NaN;
  /** Time of the newest limit. */
  let newestUs = Number.NEGATIVE_INFINITY;

  /**
   * Limits widen with time in either direction: before the newest of them, as long before as the
   * returned time is after. (A flood that was held up is asked about when it arrived.)
   */
  const mirrored = (nowUs: number): number => nowUs < newestUs ? 2 * newestUs - nowUs : nowUs;

  return {
    add(exchange, nowUs) {
      const { localSentUs, peerReceivedUs, peerSentUs, localReceivedUs } = exchange;
      if (Number.isNaN(baseUs)) baseUs = nowUs;
      newestUs = Math.max(newestUs, localSentUs, localReceivedUs);
      upper.add(
        peerReceivedUs - localSentUs + READING_ERROR_US -
          RELATIVE_RATE_LIMIT * (localSentUs - baseUs),
        nowUs,
      );
      lower.add(
        localReceivedUs - peerSentUs + READING_ERROR_US -
          RELATIVE_RATE_LIMIT * (localReceivedUs - baseUs),
        nowUs,
      );
    },
    upperAt(nowUs) {
      const atUs = mirrored(nowUs);
      const least = upper.at(atUs);
      return least === Infinity ? Infinity : least + RELATIVE_RATE_LIMIT * (atUs - baseUs);
    },
    lowerAt(nowUs) {
      const atUs = mirrored(nowUs);
      const least = lower.at(atUs);
      return least === Infinity ? -Infinity : -least - RELATIVE_RATE_LIMIT * (atUs - baseUs);
    },
    clear() {
      upper.clear();
      lower.clear();
    },
  };
}

interface SlidingMinimum {
  add(value: number, nowUs: number): void;
  /** The least value of the last ten minutes; Infinity if there is none. */
  at(nowUs: number): number;
  clear(): void;
}

/** A monotonic queue: values rise from front to back, each the least of all that came after it. */
function createSlidingMinimum(): SlidingMinimum {
  const values: number[] = [];
  const addedUs: number[] = [];

  return {
    add(value, nowUs) {
      while (values.length > 0 && values[values.length - 1]! >= value) {
        values.pop();
        addedUs.pop();
      }
      if (values.length > 0 && nowUs - addedUs[addedUs.length - 1]! < SPACING_US) return;
      values.push(value);
      addedUs.push(nowUs);
    },
    at(nowUs) {
      while (values.length > 0 && nowUs - addedUs[0]! > WINDOW_US) {
        values.shift();
        addedUs.shift();
      }
      return values[0] ?? Infinity;
    },
    clear() {
      values.length = 0;
      addedUs.length = 0;
    },
  };
}
