/** Bars on a terminal: which keys are the slowest. */

import { type Line, line } from "../cli/lines.ts";
import { formatCount, formatMs } from "../cli/numbers.ts";
import { shorten, textWidth } from "../cli/text-width.ts";
import { haveRoutes, rowName } from "./row-names.ts";
import type { Row } from "./rows.ts";

const MOST_BARS = 20;
const SHORTEST_BAR = 10;
const GAP = 2;
/** Eighths of a block, for the end of a bar. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** One bar for each row that has the figure, the longest first. */
export function bars(
  rows: readonly Row[],
  title: string,
  figure: "p95" | "max",
  width: number,
): Line[] {
  const measured = rows.flatMap((row) => row.ms === undefined ? [] : [{ row, ms: row.ms[figure] }])
    .sort((a, b) => b.ms - a.ms);
  if (measured.length === 0) return [];
  const shown = measured.slice(0, MOST_BARS);
  const largest = Math.max(0, ...shown.map(({ ms }) => ms));
  const hasRoutes = haveRoutes(rows);
  const names = shown.map(({ row }) => rowName(row, hasRoutes));
  const figures = shown.map(({ ms }) => formatMs(ms));
  const figureWidth = Math.max(...figures.map(textWidth));
  const nameWidth = Math.min(
    Math.max(...names.map(textWidth)),
    width - figureWidth - SHORTEST_BAR - 2 * GAP,
  );
  const barWidth = width - nameWidth - figureWidth - 2 * GAP;
  const left = measured.length - shown.length;
  const space = " ".repeat(GAP);
  return [
    line(title, "bold"),
    ...shown.map(({ ms }, index): Line => {
      const name = shorten(names[index]!, nameWidth);
      const pad = " ".repeat(nameWidth - textWidth(name));
      return [
        { text: name + pad + space + figures[index]!.padStart(figureWidth) + space },
        { text: bar(largest > 0 ? Math.max(0, ms) / largest : 0, barWidth) },
      ];
    }),
    ...(left > 0 ? [line(`… ${formatCount(left)} more`)] : []),
  ];
}

function bar(share: number, width: number): string {
  const eighths = Math.round(share * width * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}
