/** How much a number of messages says of a quantile, when what is large comes in bursts. */

import type { Histogram } from "../metrics/histogram.ts";

/**
 * How many independent messages would say as much of how many lie beyond the quantile.
 *
 * Of independent messages the number beyond it in each block is binomial; the more it scatters, the
 * less each one says (the design effect of samples in clusters; Kish, Survey Sampling, 1965, 8.2).
 *
 * @param blocks of about equally many messages
 * @param quantileUs the quantile of all blocks together
 */
export function effectiveBeyond(
  blocks: readonly Histogram[],
  quantile: number,
  quantileUs: number,
): number {
  const shares = blocks.map((block) => countBeyond(block, quantileUs) / block.count);
  const total = blocks.reduce((sum, { count }) => sum + count, 0);
  const share = 1 - quantile;
  const squares = shares.reduce((sum, one) => sum + (one - share) ** 2, 0);
  const expected = quantile * share / (total / blocks.length);
  const effect = Math.max(1, squares / (blocks.length - 1) / expected);
  return total * share / effect;
}

/** How many values lie above, to the histogram's precision. */
function countBeyond(histogram: Histogram, valueUs: number): number {
  let [low, high] = [0, histogram.count];
  while (low < high) {
    const rank = Math.ceil((low + high) / 2);
    if (histogram.atRanks([rank])[0]! <= valueUs) low = rank;
    else high = rank - 1;
  }
  return histogram.count - low;
}
