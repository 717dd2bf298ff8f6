import type {
  DelayFigures,
  DifferenceSummary,
  KeySummary,
  RunSummary,
} from "../metrics/summary.ts";
import type { Cell, Column, Row, Table } from "./columns.ts";
import type { Tone } from "./lines.ts";
import { formatBound, formatCount, formatCountOf, formatMs, formatSignedMs } from "./numbers.ts";

const COLUMNS: readonly (Column & { of?: keyof DelayFigures })[] = [
  { heading: "count", rank: 11 },
  { heading: "±", rank: 1 },
  { heading: "min", rank: 4, of: "min" },
  { heading: "mean", rank: 13, of: "mean" },
  { heading: "stddev", rank: 14, of: "stddev" },
  { heading: "p50", rank: 0, of: "p50" },
  { heading: "p90", rank: 10, of: "p90" },
  { heading: "p95", rank: 2, of: "p95" },
  { heading: "p99", rank: 5, of: "p99" },
  { heading: "p99.9", rank: 12, of: "p999" },
  { heading: "max", rank: 3, of: "max" },
];

/** How a difference is to be read, for below the table. */
export const DIFFERENCE_LEGEND =
  "difference: second route minus first, pair by pair (messages of one slot); negative: the second " +
  "is faster. Its percentiles are those of the pairs. Both routes share one clock offset, which " +
  "cancels: ± is what remains.";

/** What a pair of routes says, in words; green where the second is faster. */
export interface Verdict {
  text: string;
  tone: Tone;
}

/** Routes between the same two places below one another, each pair with its difference. */
export function differencesTable(summary: RunSummary): Table {
  const rows = (summary.differences ?? []).flatMap((difference) => [
    ...oneWayRows(summary, difference),
    ...roundTripRows(summary, difference),
  ]);
  return {
    columns: COLUMNS,
    sections: [{ title: "Routes side by side, ms", rows }],
    grouped: true,
  };
}

/** What each measured pair of routes says, in the order given. */
export function verdicts(summary: RunSummary): Verdict[] {
  return (summary.differences ?? []).flatMap((difference) => {
    const { a, b, from, to, pairs } = difference;
    const oneWay = medianOf(difference.owd_ms, difference.owd_median_ms);
    const roundTrip = medianOf(difference.round_trip_ms, difference.round_trip_median_ms);
    const first = oneWay ?? roundTrip;
    if (first === undefined) return [];
    const told = [`${comparison(first, difference, a)} ${oneWay ? "one way" : "there and back"}`];
    if (oneWay && roundTrip) told.push(`${comparison(roundTrip, difference)} there and back`);
    const medians = told.length > 1 ? "medians" : "median";
    const text = `${from} → ${to}: ${b} is ${told.join(", ")} ` +
      `(${medians} of ${formatCountOf(pairs, "pair")})`;
    return [{ text, tone: toneOf(first, difference) }];
  });
}

/** A median, and the interval that it lies in with 95 % confidence. */
interface Median {
  ms: number;
  low: number;
  high: number;
}

function medianOf(
  figures: DelayFigures | undefined,
  interval: { low: number; high: number } | undefined,
): Median | undefined {
  return figures && interval && { ms: figures.p50, ...interval };
}

/** Whether zero is neither within the clocks' bound of the median nor in its confidence interval. */
function isShown({ low, high }: Median, { error_ms }: DifferenceSummary): boolean {
  const boundMs = error_ms?.p50 ?? Infinity;
  return low - boundMs > 0 || high + boundMs < 0;
}

/** How the second route compares to the first, which is named where `other` is given. */
function comparison(median: Median, difference: DifferenceSummary, other?: string): string {
  const { error_ms } = difference;
  const bound = formatBound(error_ms);
  if (!isShown(median, difference)) {
    const range = `${formatSignedMs(median.low)} to ${formatSignedMs(median.high)}`;
    const from = other === undefined ? "" : ` from ${other}`;
    return `not shown to differ${from} (${range}, ±${bound} ms)`;
  }
  const word = median.ms < 0 ? "faster" : "slower";
  const than = other === undefined ? "" : ` than ${other}`;
  return `${formatMs(Math.abs(median.ms))} ±${bound} ms ${word}${than}`;
}

function toneOf(median: Median, difference: DifferenceSummary): Tone {
  return median.ms < 0 && isShown(median, difference) ? "green" : "bold";
}

function oneWayRows(summary: RunSummary, difference: DifferenceSummary): Row[] {
  const { a, b, from, to, owd_ms } = difference;
  if (owd_ms === undefined) return [];
  const key = (route: string) =>
    mostCounted(
      summary.keys.filter((one) =>
        one.hops === 1 && one.from === from && one.to === to && one.route === route
      ),
    );
  const names = [from, to];
  return [
    ...routeRow(names, a, key(a)),
    ...routeRow(names, b, key(b)),
    differenceRow(names, difference, owd_ms, difference.owd_median_ms),
  ];
}

function roundTripRows(summary: RunSummary, difference: DifferenceSummary): Row[] {
  const { a, b, from, to, round_trip_ms } = difference;
  if (round_trip_ms === undefined) return [];
  const there = `${from}::~::${to}<~>`;
  const key = (route: string) =>
    mostCounted(
      summary.keys.filter((one) =>
        one.echo && one.hops === 2 && one.route === route && one.key.startsWith(there)
      ),
    );
  const names = [from, to, from];
  return [
    ...routeRow(names, a, key(a)),
    ...routeRow(names, b, key(b)),
    differenceRow(names, difference, round_trip_ms, difference.round_trip_median_ms),
  ];
}

/** Own messages and those of others may both have crossed a hop: the fuller figures say more. */
function mostCounted(keys: readonly KeySummary[]): KeySummary | undefined {
  return keys.reduce<KeySummary | undefined>(
    (most, key) => most === undefined || key.count > most.count ? key : most,
    undefined,
  );
}

function routeRow(names: readonly string[], route: string, key: KeySummary | undefined): Row[] {
  if (key?.ms === undefined) return [];
  const bound = formatBound(key.error_ms);
  return [{ texts: [names, [route]], cells: cells(key.count, bound, key.ms, formatMs) }];
}

function differenceRow(
  names: readonly string[],
  difference: DifferenceSummary,
  figures: DelayFigures,
  interval: { low: number; high: number } | undefined,
): Row {
  const { pairs, error_ms } = difference;
  const bound = formatBound(error_ms);
  const row = cells(pairs, bound, figures, formatSignedMs);
  const median = medianOf(figures, interval);
  const tone = median === undefined ? "bold" : toneOf(median, difference);
  return {
    texts: [names, ["difference"]],
    cells: row.map((cell) => cell && { ...cell, tone }),
  };
}

function cells(
  count: number,
  bound: string,
  figures: DelayFigures,
  format: (ms: number) => string,
): Cell[] {
  return COLUMNS.map(({ heading, of }) => {
    if (of === "stddev") return { text: formatMs(figures[of]) };
    if (of !== undefined) return { text: format(figures[of]) };
    return { text: heading === "±" ? bound : formatCount(count) };
  });
}
