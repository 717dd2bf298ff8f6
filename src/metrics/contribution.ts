/** What one reporter says of one key, and what several say together. */

import { bucketPercentiles } from "./mesh-view.ts";
import type { DelayFigures, Interval, LossFigures } from "./summary.ts";

/** Figures of a key since its reporter's start. */
export interface Totals extends LossFigures {
  count: number;
  negative: number;
  uncorrected: number;
  per_second: number;
  ms?: DelayFigures;
  confidence_ms?: { p50: Interval; p95: Interval; p99: Interval };
  error_ms?: { p50: number; max: number };
  jitter_ms?: number;
}

/** Buckets of delays with their counts, added up over intervals. */
export interface BucketSum {
  add(buckets: readonly number[]): void;
  /** Pairs of bucket and count, in ascending order. */
  list(): number[];
}

export function createBucketSum(): BucketSum {
  const counts = new Map<number, number>();
  return {
    add(buckets) {
      for (let i = 0; i + 1 < buckets.length; i += 2) {
        counts.set(buckets[i]!, (counts.get(buckets[i]!) ?? 0) + buckets[i + 1]!);
      }
    },
    list: () => [...counts].sort(([a], [b]) => a - b).flat(),
  };
}

export interface Contribution {
  totals: Totals;
  buckets: BucketSum;
}

/** One reporter's figures as they are; those of several added up, percentiles from their buckets. */
export function addUp(contributions: readonly Contribution[]): Totals & { merged?: true } {
  const [first, ...rest] = contributions;
  if (rest.length === 0) return first!.totals;
  const all = contributions.map(({ totals }) => totals);
  const sum = (of: (totals: Totals) => number) => all.reduce((total, one) => total + of(one), 0);
  const bounds = all.flatMap(({ error_ms }) => error_ms ?? []);
  const ms = mergedDelays(contributions);
  return {
    count: sum(({ count }) => count),
    lost: sum(({ lost }) => lost),
    up: sum(({ up }) => up),
    down: sum(({ down }) => down),
    dropped: sum(({ dropped }) => dropped),
    duplicates: sum(({ duplicates }) => duplicates),
    reordered: sum(({ reordered }) => reordered),
    negative: sum(({ negative }) => negative),
    uncorrected: sum(({ uncorrected }) => uncorrected),
    per_second: sum(({ per_second }) => per_second),
    ...(ms && { ms, merged: true }),
    // No median of all: the largest of the medians never claims too much.
    ...(bounds.length > 0 && {
      error_ms: {
        p50: Math.max(...bounds.map(({ p50 }) => p50)),
        max: Math.max(...bounds.map(({ max }) => max)),
      },
    }),
  };
}

function mergedDelays(contributions: readonly Contribution[]): DelayFigures | undefined {
  const measured = contributions.flatMap(({ totals }) =>
    totals.ms ? [{ ms: totals.ms, count: Math.max(1, totals.count - totals.uncorrected) }] : []
  );
  const percentiles = bucketPercentiles(
    contributions.map(({ buckets }) => buckets.list()),
    [0.5, 0.9, 0.95, 0.99, 0.999],
  );
  if (measured.length === 0 || percentiles === undefined) return undefined;
  const count = measured.reduce((total, one) => total + one.count, 0);
  const mean = measured.reduce((total, one) => total + one.ms.mean * one.count, 0) / count;
  const squares = measured.reduce(
    (total, { ms, count }) => total + count * (ms.stddev ** 2 + (ms.mean - mean) ** 2),
    0,
  );
  const min = Math.min(...measured.map(({ ms }) => ms.min));
  const max = Math.max(...measured.map(({ ms }) => ms.max));
  const [p50, p90, p95, p99, p999] = percentiles.map((value) =>
    Math.min(max, Math.max(min, value))
  ) as [number, number, number, number, number];
  return { min, mean, stddev: Math.sqrt(squares / count), p50, p90, p95, p99, p999, max };
}
