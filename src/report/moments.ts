/** Delays of several histograms together, with extremes and moments that are known better. */

import type { Distribution } from "../metrics/delays.ts";
import { Histogram, nearestRank } from "../metrics/histogram.ts";

/** In µs. Of nothing: count 0. */
export interface Moments {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
}

export const NO_MOMENTS: Moments = { count: 0, min: Infinity, max: -Infinity, mean: 0, stddev: 0 };

/** Moments of two sets from the moments of each (Chan, Golub, LeVeque 1979). */
export function combineMoments(a: Moments, b: Moments): Moments {
  if (b.count === 0) return a;
  if (a.count === 0) return b;
  const count = a.count + b.count;
  const distance = b.mean - a.mean;
  const squares = a.count * a.stddev ** 2 + b.count * b.stddev ** 2 +
    distance ** 2 * (a.count * b.count / count);
  return {
    count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    mean: a.mean + distance * (b.count / count),
    stddev: Math.sqrt(squares / count),
  };
}

/** A set of values: their counters, and their moments where these are known better. */
export interface Values {
  histogram: Histogram;
  moments?: Moments;
}

/** All values as one distribution. The percentiles are those of the counters. */
export function distributionOf(parts: readonly Values[]): Distribution {
  const histogram = new Histogram(3);
  let moments = NO_MOMENTS;
  for (const part of parts) {
    histogram.add(part.histogram);
    moments = combineMoments(moments, part.moments ?? part.histogram);
  }
  const { count } = histogram;
  const atRanks = (ranks: readonly number[]): number[] =>
    histogram.atRanks(ranks).map((value, index) => {
      if (ranks[index]! >= count) return moments.max;
      return Math.min(
        Math.max(value, ranks[index] === 1 ? Math.max(0, moments.min) : value),
        moments.max,
      );
    });
  const { min, max, mean, stddev } = moments;
  return {
    count,
    min,
    max,
    mean,
    stddev,
    percentiles: (quantiles) => atRanks(quantiles.map((quantile) => nearestRank(quantile, count))),
    atRanks,
  };
}
