/** Delay by percentile, as HdrHistogram plots it: finer the closer to the maximum. */
import type { FigureSet } from "../metrics/figure-set.ts";
import type { Mesh } from "../metrics/mesh.ts";
import { bucketPercentiles, type PercentileCurve } from "../metrics/mesh-view.ts";
import { toMs } from "../metrics/delays.ts";

const STEPS_A_HALVING = 10;

/** Of a key that is measured here by its histogram, of a reported one by its buckets. */
export function curveOf(
  { spec, isOwn, buckets }: NonNullable<ReturnType<Mesh["find"]>>,
  figures: FigureSet,
): Omit<PercentileCurve, "id"> {
  if (isOwn) {
    const delays = figures.get(spec).delays();
    const quantiles = quantilesOf(delays.count);
    const values = delays.percentiles(quantiles);
    return {
      count: delays.count,
      curve: quantiles.map((quantile, i) => [quantile, toMs(values[i]!)]),
      ...(delays.count > 0 && { hdr: delays.encode() }),
    };
  }
  const count = buckets.reduce((sum, value, i) => i % 2 === 1 ? sum + value : sum, 0);
  const quantiles = quantilesOf(count);
  const values = bucketPercentiles([buckets], quantiles) ?? [];
  return { count, curve: quantiles.map((quantile, i) => [quantile, values[i]!]) };
}

/** Up to the last that `count` values tell apart, and 1. */
function quantilesOf(count: number): number[] {
  if (count === 0) return [];
  const quantiles: number[] = [];
  for (let half = 1; half * count >= 1; half /= 2) {
    for (let step = 0; step < STEPS_A_HALVING; step++) {
      quantiles.push(1 - half + (half / 2) * (step / STEPS_A_HALVING));
    }
  }
  return [...quantiles, 1];
}
