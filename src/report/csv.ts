/** Figures as CSV (RFC 4180): a line of headings, a line for each row. */

import type { Comparison } from "./comparison.ts";
import type { Row } from "./rows.ts";

/** Of a text, what makes a spreadsheet take it for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** Figures of `keys`: nested ones as summary records name them (`p95_ms`, `elapsed_p95_ms`). */
export function rowsAsCsv(rows: readonly Row[]): string {
  return csv(rows.map(({ p95_over_time_ms: _, ms, elapsed_ms, error_ms, ...row }) => ({
    ...row,
    ...flat("", ms),
    ...flat("elapsed_", elapsed_ms),
    ...flat("error_", error_ms),
  })));
}

/** A line for each percentile of each comparison; `verdict` is that of the line's own figure. */
export function comparisonsAsCsv(comparisons: readonly Comparison[]): string {
  return csv(
    comparisons.flatMap(({ differences, ...comparison }) =>
      differences.map(({ a, b, ...difference }) => ({
        ...comparison,
        ...difference,
        // `a` and `b` are the names of the sides.
        a_ms: a,
        b_ms: b,
      }))
    ),
  );
}

function csv(rows: readonly Record<string, unknown>[]): string {
  const headings = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [headings, ...rows.map((row) => headings.map((heading) => row[heading]))];
  return lines.map((values) => `${values.map(field).join(",")}\r\n`).join("");
}

function field(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") return String(value);
  // A name of another's making must not be run by whoever opens the file.
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function flat(prefix: string, figures: object | undefined): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures ?? {}).map(([name, value]) => [`${prefix}${name}_ms`, value]),
  );
}
