/** From what two sides have in common to what can be said: differences, and verdicts in words. */

import { toMs } from "../metrics/delays.ts";
import { Histogram } from "../metrics/histogram.ts";
import { blocksOf, difference, type Estimate, estimate, MOST_BLOCKS } from "./batch-means.ts";
import type { Group, Measure, SideFigures } from "./comparer.ts";
import { effectiveBeyond } from "./effective-count.ts";
import { joinPairBins, medianDifference, type PairBin } from "./pair-bins.ts";
import type { Series } from "./timeline.ts";

/** Pairs are compared where there are so many, and this share of the smaller side is in one. */
const FEWEST_PAIRS = 30;
const LEAST_PAIRED = 0.2;
/** Independent messages beyond a quantile that it takes to say something about it. */
const FEWEST_BEYOND = 10;
/** Half a step of a histogram of three digits, as a share of its value. */
const HALF_STEP = 0.0005;

const QUANTILES = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]] as const;

export type Verdict =
  | "faster"
  | "slower"
  | "no difference shown"
  /** The clocks' error is larger than what there is to see. */
  | "not shown: clocks"
  | "not shown: too few messages";

/** Of b − a, in ms: below zero, b is faster. */
export interface Difference {
  /** `pairs`: the median of the differences of pairs. Else what the figure of b is beyond a's. */
  figure: "pairs" | "p50" | "p95" | "p99";
  a?: number;
  b?: number;
  ms: number;
  /** 95 % confidence; absent where there are too few blocks of time. */
  low?: number;
  high?: number;
  verdict: Verdict;
}

/** Two sides between two places. */
export interface Comparison {
  measure: Measure;
  from: string;
  to: string;
  /** Where routes are not what is compared. */
  route?: string;
  a: string;
  b: string;
  count_a: number;
  count_b: number;
  /** Messages that left in one slot; 0 where the sides were compared as a whole. */
  pairs: number;
  /** Bound on the error of the differences that clocks make; absent where it is not known. */
  error_ms?: number;
  /** Of time, which the confidence is from. */
  blocks: number;
  differences: Difference[];
  /** Of the first difference. */
  verdict: Verdict;
}

export function compare(
  group: Group,
  [a, b]: readonly [string, string],
): Comparison {
  const [one, other] = group.sides;
  const least = Math.min(one.count, other.count);
  const isPaired = group.pairCount >= FEWEST_PAIRS && group.pairCount >= LEAST_PAIRED * least;
  const { errorUs, blocks, differences } = isPaired ? comparePairs(group) : compareSides(group);
  return {
    measure: group.measure,
    from: group.from,
    to: group.to,
    ...(group.route !== undefined && { route: group.route }),
    a,
    b,
    count_a: one.count,
    count_b: other.count,
    pairs: isPaired ? group.pairCount : 0,
    ...(errorUs < Infinity && { error_ms: toMs(errorUs) }),
    blocks,
    differences,
    verdict: differences[0]!.verdict,
  };
}

interface Compared {
  errorUs: number;
  blocks: number;
  differences: Difference[];
}

/** Both routes under the same conditions: the blocks hold the pairs together. */
function comparePairs({ pairs, pairErrors }: Group): Compared {
  const errorUs = pairErrors.percentile(0.5);
  const batching = {
    bins: inOrder(pairs),
    countOf: ({ a }: PairBin) => a.count,
    join: joinPairBins,
  };
  const all = joinPairBins(batching.bins);
  const blocks = blocksOf(batching, MOST_BLOCKS);
  const median = estimate(batching, medianDifference);
  const quantiles = QUANTILES.map(([figure, quantile]): Difference => {
    const [aUs, bUs] = [all.a.percentile(quantile), all.b.percentile(quantile)];
    const isEnough = beyond(blocks.map(({ a }) => a), quantile, aUs) &&
      beyond(blocks.map(({ b }) => b), quantile, bUs);
    const found = estimate(
      batching,
      (bin) => bin.b.percentile(quantile) - bin.a.percentile(quantile),
    );
    return told(figure, widened(found, aUs, bUs), errorUs, isEnough, [aUs, bUs]);
  });
  const first = told("pairs", median, errorUs, true);
  return { errorUs, blocks: median.blocks, differences: [first, ...quantiles] };
}

/** Different messages, perhaps at different times: each side has its own blocks. */
function compareSides({ sides }: Group): Compared {
  const errorUs = errorOf(sides[0]) + errorOf(sides[1]);
  const [a, b] = sides.map(({ series }) => ({
    bins: inOrder(series),
    countOf: ({ count }: Histogram) => count,
    join: joined,
  })) as [HistogramBatching, HistogramBatching];
  const found = QUANTILES.map(([figure, quantile]) => {
    const [ofA, ofB] = [a, b].map((side) => estimate(side, (bin) => bin.percentile(quantile)));
    const isEnough = [[a, ofA!], [b, ofB!]] as const;
    return {
      estimate: difference(ofA!, ofB!),
      told: told(
        figure,
        widened(difference(ofA!, ofB!), ofA!.value, ofB!.value),
        errorUs,
        isEnough.every(([side, { value }]) => beyond(blocksOf(side, MOST_BLOCKS), quantile, value)),
        [ofA!.value, ofB!.value],
      ),
    };
  });
  return {
    errorUs,
    blocks: found[0]!.estimate.blocks,
    differences: found.map((one) => one.told),
  };
}

interface HistogramBatching {
  bins: Histogram[];
  countOf: (bin: Histogram) => number;
  join: (bins: readonly Histogram[]) => Histogram;
}

function joined(bins: readonly Histogram[]): Histogram {
  const all = new Histogram(3);
  for (const bin of bins) all.add(bin);
  return all;
}

function errorOf({ errors, count }: SideFigures): number {
  // What most messages do not have is not known.
  return errors.count > count / 2 ? errors.percentile(0.5) : Infinity;
}

function inOrder<Bin>({ bins }: Series<Bin>): Bin[] {
  return [...bins].sort(([one], [other]) => one - other).map(([, bin]) => bin);
}

function beyond(blocks: readonly Histogram[], quantile: number, valueUs: number): boolean {
  return blocks.length > 1 && effectiveBeyond(blocks, quantile, valueUs) >= FEWEST_BEYOND;
}

/** A histogram knows each of the two values to half a step. */
function widened(found: Estimate, aUs: number, bUs: number): Estimate {
  const reach = HALF_STEP * (Math.abs(aUs) + Math.abs(bUs));
  return { ...found, low: found.low - reach, high: found.high + reach };
}

function told(
  figure: Difference["figure"],
  { value, low, high }: Estimate,
  errorUs: number,
  isEnough: boolean,
  sides?: readonly [number, number],
): Difference {
  const isBounded = low > -Infinity && high < Infinity;
  return {
    figure,
    ...(sides && { a: toMs(sides[0]), b: toMs(sides[1]) }),
    ms: toMs(value),
    ...(isBounded && { low: toMs(low), high: toMs(high) }),
    verdict: isBounded && isEnough ? verdictOf(low, high, errorUs) : "not shown: too few messages",
  };
}

function verdictOf(low: number, high: number, errorUs: number): Verdict {
  if (low - errorUs > 0) return "slower";
  if (high + errorUs < 0) return "faster";
  // Whichever is the larger hides what there may be.
  return errorUs > (high - low) / 2 ? "not shown: clocks" : "no difference shown";
}
