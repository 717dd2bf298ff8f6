/** Comparisons on a terminal: a table, and what it says in words. */

import { type Cell, type Column, layout, type Row as TableRow } from "../cli/columns.ts";
import { type Line, line, sentence, type Tone } from "../cli/lines.ts";
import {
  formatBound,
  formatCount,
  formatCountOf,
  formatMs,
  formatSignedMs,
} from "../cli/numbers.ts";
import type { Comparison, Difference } from "./comparison.ts";

const COLUMNS: readonly Column[] = [
  { heading: "A", rank: 2 },
  { heading: "B", rank: 3 },
  { heading: "B − A", rank: 0 },
  { heading: "from", rank: 4 },
  { heading: "to", rank: 5 },
  { heading: "%", rank: 6 },
  { heading: "verdict", rank: 1 },
];

const LEGEND =
  "B − A, ms: below zero, B is faster. from, to: 95 % confidence, by blocks of time. " +
  "pairs: median of the differences of messages that left in the same slot; p50, p95, p99: " +
  "difference of the two figures.";

/** Nothing where nothing was compared. */
export function comparisonLines(comparisons: readonly Comparison[], width: number): Line[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  const rows = comparisons.flatMap((comparison) =>
    comparison.differences.map((difference) => rowOf(comparison, difference))
  );
  return [
    ...sentence(`A: ${first.a}   B: ${first.b}`, width, 0, "bold"),
    line(""),
    ...layout(
      { columns: COLUMNS, sections: [{ title: "Differences, ms", rows }], grouped: true },
      width,
    ),
    ...sentence(LEGEND, width),
    line(""),
    ...comparisons.flatMap((comparison) =>
      sentence(inWords(comparison), width, 0, toneOf(comparison.verdict))
    ),
  ];
}

function rowOf(comparison: Comparison, difference: Difference): TableRow {
  const { a, b, ms, low, high, verdict, figure } = difference;
  const tone = toneOf(verdict);
  const signed = (value: number | undefined): Cell =>
    value === undefined ? undefined : { text: formatSignedMs(value) };
  const plain = (value: number | undefined): Cell =>
    value === undefined ? undefined : { text: formatMs(value) };
  return {
    texts: [[placesOf(comparison)], [figure]],
    cells: [
      plain(a),
      plain(b),
      { text: formatSignedMs(ms), tone },
      signed(low),
      signed(high),
      a === undefined || a <= 0 ? undefined : { text: formatSignedMs(ms / a * 100) },
      { text: SHORT[verdict] ?? verdict, tone },
    ],
  };
}

/** As the table has room for. */
const SHORT: Partial<Record<Comparison["verdict"], string>> = {
  "no difference shown": "not shown",
  "not shown: clocks": "clocks",
  "not shown: too few messages": "too few",
};

function placesOf({ from, to, route, measure }: Comparison): string {
  const places = measure === "round trip" ? `${from} → ${to} → ${from}` : `${from} → ${to}`;
  return route === undefined ? places : `${places} · ${route}`;
}

/** What a comparison says, for people; how many messages it is from. */
export function inWords(comparison: Comparison): string {
  const { a, b, pairs, count_a, count_b, blocks, verdict, error_ms, measure } = comparison;
  const { ms, low, high } = comparison.differences[0]!;
  const bound = formatBound(error_ms === undefined ? undefined : { p50: error_ms });
  const range = low === undefined || high === undefined
    ? ""
    : ` (95 %: ${formatSignedMs(low)} to ${formatSignedMs(high)}, clocks ±${bound} ms)`;
  const sample = pairs > 0
    ? formatCountOf(pairs, "pair")
    : `${formatCount(count_a)} and ${formatCountOf(count_b, "message")}, not paired`;
  const says = verdict === "faster" || verdict === "slower"
    ? `${b} is ${formatMs(Math.abs(ms))} ms ${verdict} than ${a}`
    : `${b} against ${a}: ${verdict}`;
  const way = measure === "one way" ? "one way" : "there and back";
  return `${placesOf(comparison)}: ${says} ${way}${range}; ${sample} in ` +
    `${formatCountOf(blocks, "block")} of time`;
}

function toneOf(verdict: Comparison["verdict"]): Tone {
  if (verdict === "faster") return "green";
  return verdict === "slower" ? "red" : "bold";
}
