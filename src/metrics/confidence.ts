/**
 * Where the true percentile lies, with 95 % confidence, by the order statistics of a sample: no
 * assumption on the shape of the distribution (David and Nagaraja, Order Statistics, 7.1). Delays
 * of neighbours are alike, so the intervals are somewhat too narrow for them.
 */

/** Share left out at each end. */
const TAIL = 0.025;
/** The same, in standard deviations. */
const DEVIATIONS = 1.96;
/** Up to here the binomial's sums are taken exactly, beyond by the normal approximation. */
const EXACT_UP_TO = 2_000;

/** Ranks from 1; undefined where the sample is too small to bound that side. */
export interface RankInterval {
  low: number | undefined;
  high: number | undefined;
}

/**
 * Ranks of the sorted sample between which the quantile lies.
 *
 * The number of values below the true quantile is binomial, B ~ Bin(count, quantile): `low` is the
 * largest rank with P(B < low) ≤ 2.5 %, `high` the smallest with P(B ≥ high) ≤ 2.5 %.
 */
export function quantileRanks(quantile: number, count: number): RankInterval {
  const [low, high] = count <= EXACT_UP_TO ? exact(quantile, count) : normal(quantile, count);
  return { low: low < 1 ? undefined : low, high: high > count ? undefined : high };
}

function exact(quantile: number, count: number): [low: number, high: number] {
  const odds = Math.log(quantile) - Math.log1p(-quantile);
  let logTerm = count * Math.log1p(-quantile);
  /** P(B < k). */
  let below = 0;
  let low = 0;
  for (let k = 0; k <= count; k++) {
    if (below <= TAIL) low = k;
    if (1 - below <= TAIL) return [low, k];
    below += Math.exp(logTerm);
    logTerm += Math.log((count - k) / (k + 1)) + odds;
  }
  return [low, count + 1];
}

function normal(quantile: number, count: number): [low: number, high: number] {
  const middle = count * quantile;
  const reach = DEVIATIONS * Math.sqrt(middle * (1 - quantile));
  return [Math.floor(middle - reach), Math.ceil(middle + reach) + 1];
}
