/** The results as a Markdown table, aligned so that it reads well on a terminal too. */
import type { Budget } from "./experiment.ts";
import type { Line, RowResult, Spread } from "./ratios.ts";

const HEAD = ["what", "of", "figure (min–max)", "ratio (min–max)", "budget", "met"];

/** What is left of figures that are equal: a difference of times in the millions of µs. */
const ROUNDING = 1e-6;

/** Three significant digits, without an exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  if (Math.abs(value) < ROUNDING) return "0";
  return Number(value.toPrecision(3)).toString();
}

function range({ median, min, max }: Spread): string {
  const [middle, low, high] = [median, min, max].map(digits);
  return low === high ? middle! : `${middle} (${low}–${high})`;
}

export function budgetText({ of, atLeast, atMost }: Budget, unit: string, to?: string): string {
  const limits = [
    ...(atLeast !== undefined ? [`≥ ${digits(atLeast)}`] : []),
    ...(atMost !== undefined ? [`≤ ${digits(atMost)}`] : []),
  ];
  const limit = limits.join(" and ");
  return of === "ratio" ? `${limit} × ${to}` : `${limit} ${unit}`.trimEnd();
}

function verdict({ met, missedBy, budget, missing }: Line): string {
  if (budget === undefined) return "";
  if (missing !== undefined) return "not measured";
  if (met === undefined) return "no peer";
  if (met) return "yes";
  return Number.isFinite(missedBy) ? `**no**, by ${digits(missedBy! * 100)} %` : "**no**";
}

function cells({ what, unit, reference }: RowResult, line: Line, isFirst: boolean): string[] {
  return [
    isFirst ? `${what}${unit === "" ? "" : `, ${unit}`}` : "",
    line.contestant,
    line.figure === undefined ? line.missing ?? "" : range(line.figure),
    line.ratio === undefined ? "" : range(line.ratio),
    line.budget === undefined ? "" : budgetText(line.budget, unit, reference),
    verdict(line),
  ];
}

export function renderTable(results: readonly RowResult[]): string {
  const body = results.flatMap((result) =>
    result.lines.map((line, index) => cells(result, line, index === 0))
  );
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...body.map((row) => row[column]!.length))
  );
  const draw = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [draw(HEAD), draw(widths.map((width) => "-".repeat(width))), ...body.map(draw)]
    .join("\n");
}
