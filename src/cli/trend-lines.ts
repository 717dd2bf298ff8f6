/** How the keys of a run went lately, as lines of the live view. */

import type { RunSummary } from "../metrics/summary.ts";
import { type KeyTrend, TREND_INTERVALS, type TrendChange } from "../metrics/trends.ts";
import { hasLoneRoute, inTableOrder, namesOf } from "./key-table.ts";
import { type Line, line, type Span, type Tone } from "./lines.ts";
import { formatMs, formatSignedMs, formatSpan } from "./numbers.ts";
import { LEAST_RANGE, sparkline } from "./sparkline.ts";
import { shorten, textWidth } from "./text-width.ts";

/** What the live view is told of the intervals. */
export interface ShownTrends {
  /** Length of an interval. */
  intervalMs: number;
  keys: readonly KeyTrend[];
}

const GAP = "  ";
const LOST = "×";
const LOST_TITLE = "messages lost";
const CHANGE_TITLE = "p50 since start";

interface Part {
  name: string;
  trend: KeyTrend;
  range: string;
  change: Span;
}

/**
 * A sparkline for each key, below it a mark for each interval with losses, and beside it how far
 * the median is from where it began. Nothing until there are two intervals.
 */
export function trendLines(
  summary: RunSummary,
  { intervalMs, keys }: ShownTrends,
  width: number,
): Line[] {
  const trends = new Map(keys.map((trend) => [idOf(trend), trend]));
  const lone = hasLoneRoute(summary);
  const parts = inTableOrder(summary).flatMap((key): Part[] => {
    const trend = trends.get(idOf(key));
    return trend === undefined ? [] : [partOf(trend, lone)];
  });
  const intervals = Math.max(0, ...parts.map(({ trend }) => trend.p95_ms.length));
  if (intervals < 2) return [];

  const rangeWidth = widest(parts.map(({ range }) => range));
  const hasChange = parts.some(({ trend }) => trend.change !== undefined);
  const changeWidth = hasChange
    ? widest([CHANGE_TITLE, ...parts.map((part) => part.change.text)])
    : 0;
  const gaps = GAP.length * (hasChange ? 3 : 2);
  const room = width - rangeWidth - changeWidth - gaps;
  // Names have what the blocks leave, but a third of the line at least: old intervals give way.
  const leastNames = Math.max(room - TREND_INTERVALS, Math.floor(width / 3));
  const nameWidth = Math.min(
    widest([LOST_TITLE, ...parts.map(({ name }) => name)]),
    Math.max(leastNames, 0),
  );
  const columns = Math.min(intervals, Math.max(1, room - nameWidth));
  const title = `p95, ${formatSpan(intervalMs / 1000)} a column, ms`;
  const left = nameWidth + columns + rangeWidth + 2 * GAP.length;
  const heading = hasChange
    ? pad(shorten(title, left), left) + GAP + CHANGE_TITLE.padStart(changeWidth)
    : shorten(title, width);
  return [
    line(heading, "bold"),
    ...parts.flatMap(({ name, trend, range, change }): Line[] => {
      const blocks = pad(shorten(name, nameWidth), nameWidth) + GAP +
        sparkline(trend.p95_ms).slice(-columns) + GAP + range.padStart(rangeWidth);
      const changeText = hasChange ? GAP + change.text.padStart(changeWidth) : "";
      const row: Line = [{ text: blocks }, { ...change, text: changeText }];
      const lost = trend.lost.slice(-columns);
      if (lost.every((count) => count === 0)) return [row];
      const marks = lost.map((count) => count > 0 ? LOST : " ").join("");
      const label = shorten(LOST_TITLE, nameWidth).padStart(nameWidth);
      return [row, line(label + GAP + marks, "red")];
    }),
  ];
}

function partOf(trend: KeyTrend, lone: boolean): Part {
  const { key, route, echo, change } = trend;
  const known = trend.p95_ms.filter((value) => value !== null);
  return {
    name: `${namesOf(key).join(" → ")}${echo ? " (echo)" : ""}${lone ? "" : ` · ${route}`}`,
    trend,
    range: known.length === 0
      ? ""
      : `${formatMs(Math.min(...known))}–${formatMs(Math.max(...known))}`,
    change: change === undefined ? { text: "" } : changeSpan(change),
  };
}

function changeSpan({ ms, from_ms: fromMs, error_ms: errorMs }: TrendChange): Span {
  const text = `${formatSignedMs(ms)} ±${errorMs === undefined ? "?" : formatMs(errorMs)}`;
  const tone = toneOf(ms, fromMs, errorMs ?? Infinity);
  return tone === undefined ? { text } : { text, tone };
}

/** Only what is beyond the clocks' bound, and more than a little, is worth a colour. */
function toneOf(ms: number, fromMs: number, errorMs: number): Tone | undefined {
  if (Math.abs(ms) <= errorMs || Math.abs(ms) < LEAST_RANGE * Math.abs(fromMs)) return undefined;
  return ms > 0 ? "red" : "green";
}

function idOf({ key, route, echo }: Pick<KeyTrend, "key" | "route" | "echo">): string {
  return JSON.stringify([key, route, echo]);
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(textWidth));
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}
