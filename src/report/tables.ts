/** A report as text for a terminal. */

import { layout } from "../cli/columns.ts";
import { keyTable, legend } from "../cli/key-table.ts";
import { type Format, type Line, line, renderLines, sentence } from "../cli/lines.ts";
import { formatCount, formatCountOf, formatElapsed } from "../cli/numbers.ts";
import { printableStrings } from "../cli/printable.ts";
import type { KeySummary, RunSummary } from "../metrics/summary.ts";
import { bars } from "./bars.ts";
import { comparisonLines } from "./comparison-tables.ts";
import type { ReportDocument } from "./document.ts";
import type { Row } from "./rows.ts";
import { sparklines } from "./sparklines.ts";

/** Whole lines: what was read, a table, bars, what was over time, comparisons, conditions met. */
export function reportTables(raw: ReportDocument, format: Format): string {
  const document = printableStrings(raw);
  const { width } = format;
  const { keys } = document;
  const blocks = [
    sentence(title(document), width, 0, "bold"),
    troubles(document, width),
    ...(document.comparisons ? [] : [
      keyLines(keys, width, nothing(document)),
      bars(keys, "P95, ms", "p95", width),
      bars(keys, "Max, ms", "max", width),
      sparklines(document, width),
    ]),
    comparisonLines(document.comparisons ?? [], width),
    document.notes.flatMap((note) => sentence(`Note: ${note}`, width)),
    (document.failed ?? []).flatMap((text) => sentence(`--fail-if: ${text}`, width, 0, "red")),
  ];
  return renderLines(paragraphs(blocks), format);
}

function title({ records, first, last, seconds }: ReportDocument): string {
  const { hops, summaries, duplicates, outside } = records;
  const parts = [
    ...(hops > 0 || summaries === 0 ? [formatCountOf(hops, "hop")] : []),
    ...(summaries > 0 ? [formatCountOf(summaries, "summary", "summaries")] : []),
    ...(duplicates > 0 ? [`${formatCountOf(duplicates, "duplicate")} left out`] : []),
    ...(outside > 0 ? [`${formatCount(outside)} outside of the time asked for`] : []),
  ];
  const period = first === undefined || last === undefined
    ? []
    : [`${first.slice(0, 19)}Z to ${last.slice(0, 19)}Z (${formatElapsed(seconds)})`];
  return [`performance-client report: ${parts.join(", ")}`, ...period].join("; ");
}

/** What could not be read. */
function troubles({ records }: ReportDocument, width: number): Line[] {
  const { malformed, first_malformed: first, torn } = records;
  const told = malformed > 0
    ? [`${formatCountOf(malformed, "line")} left out as no record; the first: ${first}`]
    : [];
  return [...told, ...torn].flatMap((text) => sentence(text, width, 0, "red"));
}

/** Said where there is no row. */
function nothing({ records: { hops, summaries } }: ReportDocument): string {
  return hops + summaries > 0 ? "None of these records is of what was asked for." : "No records.";
}

function keyLines(rows: readonly Row[], width: number, none: string): Line[] {
  if (rows.length === 0) return [line(none)];
  const summary = { keys: rows.map(asKeySummary) } as unknown as RunSummary;
  return [...sentence(legend(summary), width), ...layout(keyTable(summary, width), width)];
}

/** What records do not tell counts as none. */
function asKeySummary({ p95_over_time_ms: _, ...row }: Row): KeySummary {
  // Rows of routes are called by them already.
  const route = row.route === row.key ? "" : row.route;
  return { dropped: 0, duplicates: 0, reordered: 0, ...row, route };
}

/** Those of the blocks that have lines, an empty line between them. */
function paragraphs(blocks: readonly (readonly Line[])[]): Line[] {
  return blocks.filter((block) => block.length > 0)
    .flatMap((block, index) => index === 0 ? block : [line(""), ...block]);
}
