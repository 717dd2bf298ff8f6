/// <reference lib="dom" />
/** The course of one pair of places: over time, and by percentile. */

import type uPlot from "uplot";
import { formatCount, formatMs } from "../../cli/numbers.ts";
import type { PercentileCurve, Point } from "../../metrics/mesh-view.ts";
import { createChart, type Line, lineSwatch } from "./chart.ts";
import { WORDS } from "./condition.ts";
import { byId, el, setText } from "./dom.ts";
import type { ShownKey } from "./matrix.ts";
import type { Palette } from "./palette.ts";
import { wayOf } from "./selection.ts";
import type { Metric, WindowS } from "./view.ts";
import { describeBound, describeWindow, formatBound, METRIC_NAMES } from "./words.ts";

/** More lines than this are a tangle. */
export const MOST_LINES = 8;
/** Column of each figure in a point. */
const COLUMNS: Readonly<Record<Metric, 3 | 4 | 5 | 6>> = { p50: 3, p95: 4, p99: 5, max: 6 };
/** Shown in tables. */
const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999, 1];
const ROWS = 30;

export interface CourseInput {
  keys: readonly ShownKey[];
  routes: readonly string[];
  metric: Metric;
  windowS: WindowS;
  at: number;
  palette: Palette;
}

export interface Course {
  showTime(input: CourseInput): void;
  showPercentiles(input: CourseInput, curves: ReadonlyMap<number, PercentileCurve>): void;
  readonly canvases: (HTMLCanvasElement | undefined)[];
}

export function createCourse(): Course {
  let losses: { x: number; lost: number; route: number }[] = [];
  let time: [number, number] = [0, 1];

  const timeChart = createChart({
    id: "course-chart",
    scaleX: { time: true, range: () => time },
    axisX: {
      space: 80,
      values: (_, splits, __, ___, stepS) => splits.map((x) => timeOf(x, stepS)),
    },
    spanGaps: true,
    describeX: (x) => timeOf(x, 1),
    overlay: (chart, palette) => {
      for (const { x, route } of losses) {
        drawLoss(chart, x, palette.marks.lossy, palette.route(route));
      }
    },
  });
  const percentileChart = createChart({
    id: "percentiles-chart",
    scaleX: { time: false, range: (_, __, max) => [0, Math.max(1, Math.ceil((max ?? 1) * 2) / 2)] },
    axisX: {
      splits: (self) => {
        const most = Math.floor(self.scales["x"]!.max ?? 1);
        return [Math.log10(2), ...Array.from({ length: most }, (_, i) => i + 1)];
      },
      values: (_, splits) => splits.map(percentAt),
      space: 40,
    },
    spanGaps: true,
    describeX: (x) => `${percentAt(x)} of messages are at most`,
  });

  return {
    get canvases() {
      return [timeChart.canvas, percentileChart.canvas];
    },
    showTime({ keys, routes, metric, windowS, at, palette }) {
      const shown = keys.slice(0, MOST_LINES);
      const sinceAt = windowS === 0 ? 0 : at - windowS * 1000;
      const points = shown.map(({ key }) => key.points.filter(([endAt]) => endAt > sinceAt));
      const ends = points.flatMap((list) => list.map(([endAt]) => endAt / 1000));
      const first = windowS === 0
        ? ends.reduce((least, end) => Math.min(least, end), at / 1000 - 10)
        : sinceAt / 1000;
      time = [first, at / 1000 + (at / 1000 - first) * 0.01];
      losses = points.flatMap((list, index) =>
        list.filter(([, , lost]) => lost > 0)
          .map(([endAt, , lost]) => ({
            x: endAt / 1000,
            lost,
            route: routeOf(shown[index]!, routes),
          }))
      );
      const lines = shown.map((each, index): Line => ({
        label: nameOf(each, shown),
        route: routeOf(each, routes),
        x: points[index]!.map(([endAt]) => endAt / 1000),
        y: points[index]!.map((point) => point[COLUMNS[metric]]),
        error: points[index]!.map((point) => point[7]),
      }));
      timeChart.show(lines, palette);
      const title = shown[0] ? ` · ${shown[0].key.view.from} → ${shown[0].key.view.to}` : "";
      setText(byId("course-title"), `${METRIC_NAMES[metric]} over time${title}`);
      const lost = losses.reduce((sum, each) => sum + each.lost, 0);
      setText(
        byId("course-about"),
        shown.length === 0
          ? "Choose a cell or a bar."
          : `${describeWindow(windowS)}; band: bound of the error; ${
            lost > 0 ? `◆ ${formatCount(lost)} lost` : "none lost"
          }${keys.length > MOST_LINES ? `; ${MOST_LINES} of ${keys.length} keys` : ""}`,
      );
      showLines("course-legend", shown, routes, palette);
      fillTable(
        "course-table",
        ["end", "key", "messages", "lost", "P50", "P95", "P99", "Max", "±"],
        () => timeRows(shown, points),
      );
    },
    showPercentiles({ keys, routes, palette }, curves) {
      const shown = keys.slice(0, MOST_LINES).filter(({ key }) => curves.has(key.view.id));
      const lines = shown.map((each): Line => {
        const { curve, count } = curves.get(each.key.view.id)!;
        // The last stands for one message of all: half a message further it would be infinite.
        const most = Math.log10(2 * Math.max(1, count));
        const errorMs = each.key.view.error_ms?.max ?? null;
        return {
          label: nameOf(each, shown),
          route: routeOf(each, routes),
          x: curve.map(([quantile]) => quantile < 1 ? -Math.log10(1 - quantile) : most),
          y: curve.map(([, ms]) => ms),
          error: curve.map(() => errorMs),
        };
      });
      percentileChart.show(lines, palette);
      setText(
        byId("percentiles-about"),
        shown.length === 0 ? "" : "since the start; band: bound of the error",
      );
      showLines("percentiles-legend", shown, routes, palette);
      fillTable(
        "percentiles-table",
        ["key", "messages", ...QUANTILES.map(percentOf), "±"],
        () =>
          shown.map((each) => {
            const { curve, count } = curves.get(each.key.view.id)!;
            const at = (wanted: number) => curve.find(([quantile]) => quantile >= wanted)?.[1];
            return [
              nameOf(each, shown),
              formatCount(count),
              ...QUANTILES.map((quantile) => formatMs(at(quantile) ?? NaN)),
              describeBound(each.figures),
            ];
          }),
      );
    },
  };
}

/** Of the reader's own clock; seconds where the axis needs them. */
function timeOf(x: number, stepS: number): string {
  const time = new Date(x * 1000).toLocaleTimeString("en-GB");
  return stepS < 60 ? time : time.slice(0, 5);
}

function routeOf({ key }: ShownKey, routes: readonly string[]): number {
  return Math.max(0, routes.indexOf(key.view.route));
}

/** The route is enough where all go the same way. */
function nameOf({ key }: ShownKey, all: readonly ShownKey[]): string {
  const isOneWay = all.every((other) => other.key.view.key === key.view.key);
  return isOneWay ? key.view.route : `${wayOf(key.view)} · ${key.view.route}`;
}

function showLines(
  id: string,
  keys: readonly ShownKey[],
  routes: readonly string[],
  palette: Palette,
): void {
  byId(id).replaceChildren(
    ...keys.map((each) =>
      el(
        "li",
        {},
        lineSwatch(routeOf(each, routes), palette),
        nameOf(each, keys),
        ...(each.condition === "ok" ? [] : [
          el(
            "span",
            { class: "mark", "data-condition": each.condition },
            WORDS[each.condition].mark,
          ),
          WORDS[each.condition].word,
        ]),
      )
    ),
  );
}

function timeRows(shown: readonly ShownKey[], points: readonly Point[][]): string[][] {
  return shown.flatMap((each, index) => points[index]!.map((point) => ({ each, point })))
    .sort((a, b) => b.point[0] - a.point[0]).slice(0, ROWS)
    .map(({ each, point: [endAt, count, lost, p50, p95, p99, max, errorMs] }) => [
      new Date(endAt).toLocaleTimeString("en-GB"),
      nameOf(each, shown),
      formatCount(count),
      formatCount(lost),
      ...[p50, p95, p99, max].map((ms) => formatMs(ms ?? NaN)),
      p50 === null ? "" : formatBound(errorMs ?? undefined),
    ]);
}

/** Tables are for those who open them. */
function fillTable(id: string, titles: readonly string[], rows: () => string[][]): void {
  const details = byId<HTMLDetailsElement>(id);
  const fill = (): void => {
    if (!details.open) return;
    details.querySelector(".scroll")!.replaceChildren(
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title)))),
        el(
          "tbody",
          {},
          ...rows().map((row) => el("tr", {}, ...row.map((text) => el("td", {}, text)))),
        ),
      ),
    );
  };
  details.ontoggle = fill;
  fill();
}

function drawLoss(chart: uPlot, x: number, colour: string, edge: string): void {
  const { ctx, bbox } = chart;
  const left = chart.valToPos(x, "x", true);
  if (left < bbox.left || left > bbox.left + bbox.width) return;
  const size = 5 * devicePixelRatio;
  const top = bbox.top + bbox.height - size - 2;
  ctx.save();
  ctx.beginPath();
  ctx.moveTo(left, top - size);
  ctx.lineTo(left + size, top);
  ctx.lineTo(left, top + size);
  ctx.lineTo(left - size, top);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = edge;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.stroke();
  ctx.restore();
}

/** Where on the axis of percentiles: 0 %, 50 %, 90 %, 99 %, 99.9 %, … */
function percentAt(x: number): string {
  return percentOf(1 - 10 ** -x);
}

function percentOf(quantile: number): string {
  if (quantile >= 1) return "100 %";
  const nines = Math.max(0, Math.floor(-Math.log10(1 - quantile) + 1e-9) - 2);
  return `${(quantile * 100).toFixed(nines)} %`;
}
