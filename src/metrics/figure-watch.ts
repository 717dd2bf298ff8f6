/**
 * What a key had since somebody last looked: for points of time series. Costs the messages
 * nothing: the histograms are compared with what they were at the last look.
 */

import { toMs } from "./delays.ts";
import { type Histogram, nearestRank } from "./histogram.ts";
import { type LossSource, noLoss, subtractLoss } from "./loss.ts";
import { bucketOf } from "./mesh-view.ts";
import type { LossFigures } from "./summary.ts";

/** Of one key in one interval. */
export interface IntervalFigures {
  count: number;
  /** What became known in the interval: below zero where a message came after all. */
  loss: LossFigures;
  /** Absent where no delay was measured. In ms, within 0.1 %; buckets as in `Point`. */
  delays?: { p50: number; p95: number; p99: number; max: number; buckets: number[] };
  /** Largest bound on the error of a delay, within 1 %. */
  errorMs?: number;
}

export interface FigureWatch {
  /** Since the last call; undefined where nothing came and nothing was lost. */
  take(): IntervalFigures | undefined;
  /** The histograms are about to be emptied: notes what they hold. */
  beforeReset(): void;
}

/** The parts of a key's tally that are watched. */
export interface WatchedTally {
  readonly count: number;
  readonly delay: Histogram;
  readonly error: Histogram;
}

/** @param before what has been moved out of `tally` so far, and is news to this watch */
export function createFigureWatch(
  tally: WatchedTally,
  loss: LossSource,
  before: WatchedTally | undefined,
): FigureWatch {
  const newDelays = createBucketChanges(tally.delay);
  const newErrors = createBucketChanges(tally.error);
  /** Middles of buckets in µs, and how many values fell into them since the last `take`. */
  let values = new Map<number, number>();
  let total = 0;
  let errorUs = NaN;
  let count = 0;
  let seenCount = 0;
  let seenMaxUs = -Infinity;
  let maxUs = -Infinity;
  let seenLoss = noLoss();

  const takeDelay = (valueUs: number, more: number): void => {
    values.set(valueUs, (values.get(valueUs) ?? 0) + more);
    total += more;
    maxUs = Math.max(maxUs, valueUs);
  };

  const takeError = (valueUs: number): void => {
    if (!(errorUs >= valueUs)) errorUs = valueUs;
  };

  const collect = (): void => {
    if (tally.count === seenCount) return;
    count += tally.count - seenCount;
    seenCount = tally.count;
    const earlierMaxUs = maxUs;
    maxUs = -Infinity;
    newDelays.each(takeDelay);
    // A new maximum is known exactly, any other by its bucket.
    const { max } = tally.delay;
    const newMaxUs = max > seenMaxUs
      ? max
      : Math.min(maxUs, tally.delay.count > 0 ? max : -Infinity);
    maxUs = Math.max(earlierMaxUs, newMaxUs);
    if (max > seenMaxUs) seenMaxUs = max;
    newErrors.each(takeError);
  };

  const delays = (): NonNullable<IntervalFigures["delays"]> => {
    const ordered = [...values].sort(([a], [b]) => a - b);
    const ranks = [0.5, 0.95, 0.99].map((quantile) => nearestRank(quantile, total));
    const found: number[] = [];
    const buckets: number[] = [];
    let seen = 0;
    for (const [valueUs, more] of ordered) {
      seen += more;
      while (found.length < ranks.length && ranks[found.length]! <= seen) {
        found.push(ranks[found.length] === total ? maxUs : Math.min(valueUs, maxUs));
      }
      const bucket = bucketOf(valueUs / 1000);
      if (buckets.at(-2) === bucket) buckets[buckets.length - 1]! += more;
      else buckets.push(bucket, more);
    }
    const [p50, p95, p99] = found.map(toMs) as [number, number, number];
    return { p50, p95, p99, max: toMs(maxUs), buckets };
  };

  if (before !== undefined) {
    count = before.count;
    before.delay.eachBucket(takeDelay);
    if (before.delay.count > 0) maxUs = before.delay.max;
    before.error.eachBucket(takeError);
  }

  return {
    take() {
      collect();
      const lossNow = loss();
      const lost = subtractLoss(lossNow, seenLoss);
      if (count === 0 && Object.values(lost).every((change) => change === 0)) return undefined;
      const figures: IntervalFigures = {
        count,
        loss: lost,
        ...(total > 0 && { delays: delays() }),
        ...(errorUs === errorUs && { errorMs: toMs(errorUs) }),
      };
      seenLoss = lossNow;
      values = new Map();
      count = total = 0;
      errorUs = NaN;
      maxUs = -Infinity;
      return figures;
    },
    beforeReset() {
      collect();
      newDelays.reset();
      newErrors.reset();
      seenCount = 0;
      seenMaxUs = -Infinity;
    },
  };
}

/** What came into the buckets of a histogram from call to call. */
function createBucketChanges(histogram: Histogram) {
  /** By place, modulo 2^32, which is enough for differences. */
  let seen = new Uint32Array(0);
  return {
    each(tell: (valueUs: number, count: number) => void): void {
      histogram.eachBucket((valueUs, count, place) => {
        if (place >= seen.length) seen = grown(seen, place);
        const more = (count - seen[place]!) >>> 0;
        if (more === 0) return;
        seen[place] = count;
        tell(valueUs, more);
      });
    },
    reset(): void {
      seen.fill(0);
    },
  };
}

function grown(counts: Uint32Array, place: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.ceil((place + 1) / 64) * 64);
  larger.set(counts);
  return larger;
}
