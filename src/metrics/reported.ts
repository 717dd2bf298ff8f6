/** Between figures as this program has them and as reports carry them. */

import type {
  ReportedDelays,
  ReportedDifference,
  ReportedKey,
  ReportedSpan,
} from "../relay/report-frame.ts";
import type { Totals } from "./contribution.ts";
import type { IntervalFigures } from "./figure-watch.ts";
import { keyNodes } from "./keys.ts";
import { bucketPercentiles, type Point } from "./mesh-view.ts";
import type { DelayFigures, DifferenceSummary, KeySummary } from "./summary.ts";

/** What a client tells of one of its keys; `told`: it did not end this hop. */
export function reportedKey(summary: KeySummary, span: ReportedSpan, told: boolean): ReportedKey {
  const { ms, error_ms, jitter_ms } = summary;
  return {
    nodes: keyNodes(summary.key),
    route: summary.route,
    echo: summary.echo,
    told,
    count: summary.count,
    up: summary.up,
    down: summary.down,
    // A loss that is taken back may leave these for a moment below what they were, never below 0.
    dropped: Math.max(0, summary.dropped),
    duplicates: Math.max(0, summary.duplicates),
    reordered: Math.max(0, summary.reordered),
    negative: summary.negative,
    uncorrected: summary.uncorrected,
    ...(ms && { delays: listOf(ms), jitterMs: jitter_ms ?? 0 }),
    ...(error_ms && { errorMs: error_ms }),
    span,
  };
}

export function spanOf(interval: IntervalFigures, spanMs: number): ReportedSpan {
  const { count, loss, delays, errorMs } = interval;
  return {
    ms: Math.round(spanMs),
    count,
    lost: loss.lost,
    ...(delays && { delays }),
    ...(errorMs !== undefined && { errorMs }),
  };
}

/** Two spans, one after the other, as one. */
export function joinSpans(a: ReportedSpan, b: ReportedSpan): ReportedSpan {
  const errors = [a.errorMs, b.errorMs].filter((errorMs) => errorMs !== undefined);
  const joined: ReportedSpan = {
    ms: a.ms + b.ms,
    count: a.count + b.count,
    lost: a.lost + b.lost,
    ...(errors.length > 0 && { errorMs: Math.max(...errors) }),
  };
  const delays = a.delays && b.delays ? joinDelays(a.delays, b.delays) : a.delays ?? b.delays;
  return delays ? { ...joined, delays } : joined;
}

type SpanDelays = NonNullable<ReportedSpan["delays"]>;

function joinDelays(a: SpanDelays, b: SpanDelays): SpanDelays {
  const counts = new Map<number, number>();
  for (const { buckets } of [a, b]) {
    for (let i = 0; i + 1 < buckets.length; i += 2) {
      counts.set(buckets[i]!, (counts.get(buckets[i]!) ?? 0) + buckets[i + 1]!);
    }
  }
  const buckets = [...counts].sort(([x], [y]) => x - y).flat();
  const max = Math.max(a.max, b.max);
  const [p50, p95, p99] = bucketPercentiles([buckets], [0.5, 0.95, 0.99])!
    .map((value) => Math.min(value, max)) as [number, number, number];
  return { p50, p95, p99, max, buckets };
}

/** A span as a row of a time series. */
export function pointOf(endAt: number, { count, lost, delays, errorMs }: ReportedSpan): Point {
  const shown = (ms: number | undefined) => ms === undefined ? null : rounded(ms);
  return [
    Math.round(endAt),
    count,
    lost,
    shown(delays?.p50),
    shown(delays?.p95),
    shown(delays?.p99),
    shown(delays?.max),
    shown(errorMs),
    [...delays?.buckets ?? []],
  ];
}

/** Of a key that is reported. */
export function totalsOf(key: ReportedKey): Totals {
  const { count, up, down, dropped, duplicates, reordered, negative, uncorrected, span } = key;
  return {
    count,
    lost: up + down,
    up,
    down,
    dropped,
    duplicates,
    reordered,
    negative,
    uncorrected,
    per_second: span.ms > 0 ? Math.round((span.count * 1e6) / span.ms) / 1000 : 0,
    ...(key.delays && { ms: figuresOf(key.delays) }),
    ...(key.errorMs && { error_ms: boundOf(key.errorMs) }),
    ...(key.jitterMs !== undefined && { jitter_ms: rounded(key.jitterMs) }),
  };
}

/** Of an own key. */
export function ownTotals(summary: KeySummary): Totals {
  const { count, lost, up, down, dropped, duplicates, reordered } = summary;
  const { negative, uncorrected, per_second, ms, confidence_ms, error_ms, jitter_ms } = summary;
  return {
    count,
    lost,
    up,
    down,
    dropped,
    duplicates,
    reordered,
    negative,
    uncorrected,
    per_second,
    ...(ms && { ms }),
    ...(confidence_ms && { confidence_ms }),
    ...(error_ms && { error_ms }),
    ...(jitter_ms !== undefined && { jitter_ms }),
  };
}

export function reportedDifference(difference: DifferenceSummary): ReportedDifference {
  const { a, b, from, to, pairs, owd_ms, error_ms, owd_median_ms } = difference;
  const { round_trip_ms, round_trip_median_ms } = difference;
  return {
    a,
    b,
    from,
    to,
    pairs,
    ...(owd_ms && { oneWay: listOf(owd_ms) }),
    ...(error_ms && { errorMs: error_ms }),
    ...(owd_median_ms && { oneWayMedian: owd_median_ms }),
    ...(round_trip_ms && { roundTrip: listOf(round_trip_ms) }),
    ...(round_trip_median_ms && { roundTripMedian: round_trip_median_ms }),
  };
}

export function differenceOf(difference: ReportedDifference): DifferenceSummary {
  const { a, b, from, to, pairs, oneWay, errorMs, oneWayMedian } = difference;
  const { roundTrip, roundTripMedian } = difference;
  return {
    a,
    b,
    from,
    to,
    pairs,
    ...(errorMs && { error_ms: boundOf(errorMs) }),
    ...(oneWay && { owd_ms: figuresOf(oneWay) }),
    ...(oneWayMedian && { owd_median_ms: intervalOf(oneWayMedian) }),
    ...(roundTrip && { round_trip_ms: figuresOf(roundTrip) }),
    ...(roundTripMedian && { round_trip_median_ms: intervalOf(roundTripMedian) }),
  };
}

function listOf({ min, mean, stddev, p50, p90, p95, p99, p999, max }: DelayFigures): number[] {
  return [min, mean, stddev, p50, p90, p95, p99, p999, max];
}

/** To 0.1 µs again, as an f32 is not. */
function rounded(ms: number): number {
  return Math.round(ms * 10_000) / 10_000;
}

const boundOf = ({ p50, max }: { p50: number; max: number }) => ({
  p50: rounded(p50),
  max: rounded(max),
});

const intervalOf = ({ low, high }: { low: number; high: number }) => ({
  low: rounded(low),
  high: rounded(high),
});

function figuresOf(list: ReportedDelays): DelayFigures {
  const [min, mean, stddev, p50, p90, p95, p99, p999, max] = list.map(rounded) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { min, mean, stddev, p50, p90, p95, p99, p999, max };
}
