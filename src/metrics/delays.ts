/** From distributions in µs to the figures in ms that people and records read. */

import { quantileRanks } from "./confidence.ts";
import type { DelayFigures, Interval } from "./summary.ts";

/** What `delayFigures` needs of a distribution; all times in µs. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  percentiles(quantiles: readonly number[]): number[];
  /** Values of ranks in ascending order; the smallest value has rank 1. */
  atRanks(ranks: readonly number[]): number[];
}

const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999];

/** µs as ms, rounded to 0.1 µs: what clocks resolve, and no longer in JSON than need be. */
export function toMs(us: number): number {
  return Math.round(us * 10) / 10_000;
}

/** Figures of a distribution in ms, or undefined if it is empty. */
export function delayFigures(distribution: Distribution): DelayFigures | undefined {
  if (distribution.count === 0) return undefined;
  const [p50, p90, p95, p99, p999] = distribution.percentiles(QUANTILES).map(toMs);
  return {
    min: toMs(distribution.min),
    mean: toMs(distribution.mean),
    stddev: toMs(distribution.stddev),
    p50: p50!,
    p90: p90!,
    p95: p95!,
    p99: p99!,
    p999: p999!,
    max: toMs(distribution.max),
  };
}

/** Median and maximum of error bounds in ms, or undefined if none is known. */
export function boundFigures(bounds: Distribution): { p50: number; max: number } | undefined {
  if (bounds.count === 0) return undefined;
  return { p50: toMs(bounds.percentiles([0.5])[0]!), max: toMs(bounds.max) };
}

/** Where the median of what was sampled lies (see confidence.ts); undefined if either end is open. */
export function medianInterval(sample: Distribution): { low: number; high: number } | undefined {
  const { low, high } = quantileInterval(sample, 0.5);
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** Where three percentiles of what was sampled lie, or undefined if the sample is empty. */
export function confidence(
  sample: Distribution,
): { p50: Interval; p95: Interval; p99: Interval } | undefined {
  if (sample.count === 0) return undefined;
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((quantile) => quantileInterval(sample, quantile));
  return { p50: p50!, p95: p95!, p99: p99! };
}

function quantileInterval(sample: Distribution, quantile: number): Interval {
  const { low, high } = quantileRanks(quantile, sample.count);
  const ranks = [low, high].filter((rank) => rank !== undefined);
  const values = sample.atRanks(ranks).map(toMs);
  return {
    ...(low !== undefined && { low: values[0]! }),
    ...(high !== undefined && { high: values.at(-1)! }),
  };
}
