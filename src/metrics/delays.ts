/** From distributions in µs to the figures in ms that people and records read. */

import type { DelayFigures } from "./summary.ts";

/** What `delayFigures` needs of a distribution; all times in µs. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  percentiles(quantiles: readonly number[]): number[];
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

/**
 * Where the median of what was sampled lies with 95 % confidence: between the order statistics at
 * half ± 0.98 √n ranks (the normal approximation of the binomial, 1.96 √(n/4)). Neighbours in time
 * are alike, so it is somewhat too narrow for delays; undefined for an empty distribution.
 */
export function medianInterval(sample: Distribution): { low: number; high: number } | undefined {
  const { count } = sample;
  if (count === 0) return undefined;
  const reach = 0.98 / Math.sqrt(count);
  const [low, high] = sample.percentiles([Math.max(0, 0.5 - reach), Math.min(1, 0.5 + reach)]);
  return { low: toMs(low!), high: toMs(high!) };
}
