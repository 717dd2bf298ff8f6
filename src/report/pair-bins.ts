/** Delays of two sides and the differences of their pairs, in bins that can be joined. */

import { Histogram, nearestRank } from "../metrics/histogram.ts";

/** In µs. */
export interface PairBin {
  a: Histogram;
  b: Histogram;
  /** Differences below zero, as distances from it. */
  below: Histogram;
  above: Histogram;
}

export function createPairBin(): PairBin {
  return {
    a: new Histogram(3),
    b: new Histogram(3),
    below: new Histogram(3),
    above: new Histogram(3),
  };
}

/** @param differenceUs delay on b − delay on a, which is `aUs` */
export function recordPair(bin: PairBin, aUs: number, differenceUs: number): void {
  bin.a.record(aUs);
  bin.b.record(aUs + differenceUs);
  if (differenceUs < 0) bin.below.record(-differenceUs);
  else bin.above.record(differenceUs);
}

export function mergePairBin(into: PairBin, from: PairBin): void {
  into.a.add(from.a);
  into.b.add(from.b);
  into.below.add(from.below);
  into.above.add(from.above);
}

export function joinPairBins(bins: readonly PairBin[]): PairBin {
  const joined = createPairBin();
  for (const bin of bins) mergePairBin(joined, bin);
  return joined;
}

/** The median of the differences; NaN while empty. */
export function medianDifference({ below, above }: PairBin): number {
  const count = below.count + above.count;
  if (count === 0) return NaN;
  const rank = nearestRank(0.5, count);
  if (rank > below.count) return above.atRanks([rank - below.count])[0]!;
  return -below.atRanks([below.count - rank + 1])[0]!;
}
