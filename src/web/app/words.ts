/** What is said of a key, wherever it is pointed at. */

import { formatCount, formatCountOf, formatMs, formatPercent } from "../../cli/numbers.ts";
import { type Condition, WORDS } from "./condition.ts";
import { type Figures, lossOf } from "./figures.ts";
import type { ShownKey } from "./matrix.ts";
import { wayOf } from "./selection.ts";
import type { Metric, WindowS } from "./view.ts";

export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
  p50: "P50",
  p95: "P95",
  p99: "P99",
  max: "Max",
};

export function describeWindow(windowS: WindowS): string {
  if (windowS === 0) return "since the start";
  if (windowS < 120) return "in the last minute";
  return windowS < 3600 ? `in the last ${windowS / 60} minutes` : "in the last hour";
}

/** `±0.08`; `±?` where the bound is unknown, nothing where there is no delay either. */
export function describeBound(figures: Figures | undefined): string {
  return figures?.delays === undefined ? "" : `±${formatBound(figures.errorMs)}`;
}

/** A bound in ms by two digits, rounded up: it must hold. `?` where it is unknown. */
export function formatBound(errorMs: number | undefined): string {
  if (errorMs === undefined) return "?";
  if (errorMs <= 0.0001) return "<0.0001";
  const unit = 10 ** (Math.floor(Math.log10(errorMs)) - 1);
  const rounded = Math.ceil(errorMs / unit - 1e-9) * unit;
  return rounded.toFixed(Math.min(4, Math.max(0, -Math.floor(Math.log10(rounded)) + 1)));
}

export function describeLoss(figures: Pick<Figures, "count" | "lost">): string {
  if (figures.lost <= 0) return "none lost";
  return `${formatCount(figures.lost)} lost (${
    formatPercent(figures.lost, figures.count + figures.lost)
  } %)`;
}

export function describeCondition(condition: Condition): string {
  const { mark, word } = WORDS[condition];
  return mark === "" ? word : `${mark} ${word}`;
}

/** All of a key in a few lines. */
export function describeKey({ key, figures, condition }: ShownKey): string {
  const { view } = key;
  const delays = figures?.delays;
  const lines = [
    `${wayOf(view)} · ${view.route}`,
    delays === undefined
      ? view.uncorrected > 0 ? "no delay known: the clocks' offset is not" : "nothing measured"
      : `P50 ${formatMs(delays.p50)}  P95 ${formatMs(delays.p95)}  P99 ${
        formatMs(delays.p99)
      }  Max ${formatMs(delays.max)} ms  ${describeBound(figures)}`,
    figures === undefined
      ? ""
      : `${formatCountOf(figures.count, "message")}, ${describeLoss(figures)}`,
    `${describeCondition(condition)}${condition === "ok" ? "" : `: ${WORDS[condition].means}`}`,
  ];
  return lines.filter((line) => line !== "").join("\n");
}

export function lossShare(figures: Figures | undefined): number {
  return figures === undefined ? 0 : lossOf(figures);
}
