/** Distribution of differences, which lie on both sides of zero. */

import { type Digits, Histogram, nearestRank } from "./histogram.ts";

/** Two histograms, as the buckets of one cannot hold values below zero. All values in µs. */
export interface SignedHistogram {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  /** @param valueUs Microseconds of either sign, finite. */
  record(valueUs: number): void;
  /** By nearest rank, of shares in ascending order; NaN while empty. */
  percentiles(quantiles: readonly number[]): number[];
  /** Values of ranks in ascending order; the smallest value has rank 1. */
  atRanks(ranks: readonly number[]): number[];
}

/** @param digits Precision of the percentiles, relative to the distance from zero. */
export function createSignedHistogram(digits: Digits): SignedHistogram {
  /** Distances from zero of the values below it. */
  const below = new Histogram(digits);
  const above = new Histogram(digits);
  const count = () => below.count + above.count;

  const mean = () => {
    if (below.count === 0) return above.mean;
    if (above.count === 0) return -below.mean;
    return (above.count * above.mean - below.count * below.mean) / count();
  };

  const stddev = () => {
    if (below.count === 0) return above.stddev;
    if (above.count === 0) return below.stddev;
    // Each side's own spread, and the spread of the sides' means (Chan, Golub, LeVeque 1979).
    const distance = above.mean + below.mean;
    const squares = above.count * above.stddev ** 2 + below.count * below.stddev ** 2 +
      distance ** 2 * ((above.count * below.count) / count());
    return Math.sqrt(squares / count());
  };

  const atRanks = (ranks: readonly number[]): number[] => {
    // Ascending values are descending distances below zero.
    const ranksBelow = ranks.filter((rank) => rank <= below.count)
      .map((rank) => below.count - rank + 1).reverse();
    const ranksAbove = ranks.filter((rank) => rank > below.count)
      .map((rank) => rank - below.count);
    return [
      ...below.atRanks(ranksBelow).map((distanceUs) => -distanceUs).reverse(),
      ...above.atRanks(ranksAbove),
    ];
  };

  return {
    get count() {
      return count();
    },
    get min() {
      return below.count > 0 ? -below.max : above.min;
    },
    get max() {
      return above.count > 0 ? above.max : -below.min;
    },
    get mean() {
      return mean();
    },
    get stddev() {
      return stddev();
    },
    record(valueUs) {
      if (valueUs < 0) below.record(-valueUs);
      else above.record(valueUs);
    },
    percentiles: (quantiles) =>
      atRanks(quantiles.map((quantile) => nearestRank(quantile, count()))),
    atRanks,
  };
}
