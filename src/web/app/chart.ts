/// <reference lib="dom" />
/** What both line charts share: size, axes, colours, and bands of error. */

import uPlot from "uplot";
import { formatMs } from "../../cli/numbers.ts";
import { byId, el } from "./dom.ts";
import type { Palette } from "./palette.ts";
import { hideTip, showTip } from "./tip.ts";
import { formatBound } from "./words.ts";

export interface Line {
  label: string;
  /** Index of its route, for colour and dashes. */
  route: number;
  x: readonly number[];
  y: readonly (number | null)[];
  /** Bound on the error of each `y`. */
  error: readonly (number | null)[];
}

export interface Chart {
  show(lines: readonly Line[], palette: Palette): void;
  readonly canvas: HTMLCanvasElement | undefined;
}

export interface ChartOptions {
  id: string;
  scaleX: uPlot.Scale;
  axisX: Partial<uPlot.Axis>;
  /** Lines go on over places that only others have. */
  spanGaps: boolean;
  describeX: (x: number) => string;
  /** Draws over the lines. */
  overlay?: (chart: uPlot, palette: Palette) => void;
}

const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

/** A sample of the line itself, so that dashes tell lines apart as in the chart. */
export function lineSwatch(route: number, palette: Palette): HTMLCanvasElement {
  const canvas = el("canvas", { "aria-hidden": "true" });
  canvas.width = 56;
  canvas.height = 12;
  canvas.style.width = "28px";
  canvas.style.height = "6px";
  const context = canvas.getContext("2d")!;
  context.scale(2, 2);
  context.strokeStyle = palette.route(route);
  context.lineWidth = 2;
  context.setLineDash([...dashOf(route)]);
  context.moveTo(0, 3);
  context.lineTo(28, 3);
  context.stroke();
  return canvas;
}

function dashOf(route: number): readonly number[] {
  return DASHES[route % DASHES.length]!;
}

export function createChart(options: ChartOptions): Chart {
  const parent = byId(options.id);
  let chart: uPlot | undefined;
  let signature = "";
  let palette: Palette;

  const size = () => ({
    width: Math.max(200, parent.clientWidth),
    height: innerWidth >= 2200 ? 380 : innerWidth < 600 ? 240 : 290,
  });

  function create(lines: readonly Line[], data: uPlot.AlignedData): uPlot {
    const axis: uPlot.Axis = {
      stroke: () => palette.quiet,
      grid: { stroke: () => palette.line, width: 1 },
      ticks: { stroke: () => palette.line, width: 1, size: 4 },
      font: FONT,
    };
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const { label, route } of lines) {
      const first = series.length;
      series.push(
        {
          label,
          stroke: () => palette.route(route),
          width: 2,
          dash: [...dashOf(route)],
          spanGaps: options.spanGaps,
          points: { show: (_, __, from, to) => to - from < 40, size: 5 },
        },
        { stroke: "transparent", width: 0, spanGaps: options.spanGaps, points: { show: false } },
        { stroke: "transparent", width: 0, spanGaps: options.spanGaps, points: { show: false } },
      );
      bands.push({
        // The upper edge first.
        series: [first + 2, first + 1],
        fill: () => palette.band(route),
      });
    }
    const created = new uPlot(
      {
        ...size(),
        series,
        bands,
        scales: {
          x: options.scaleX,
          y: { range: (_, min, max) => rangeOf(min, max) },
        },
        axes: [
          { ...axis, size: 34, ...options.axisX },
          {
            ...axis,
            size: 64,
            values: (_, splits, __, ___, step) => splits.map((ms) => ms.toFixed(digitsOf(step))),
            label: "ms",
            labelSize: 18,
            labelFont: FONT,
          },
        ],
        cursor: { y: false, drag: { setScale: false, x: false, y: false } },
        legend: { show: false },
        hooks: {
          draw: [(self) => options.overlay?.(self, palette)],
          setCursor: [(self) => describeAt(self, lines)],
        },
      },
      data,
      parent,
    );
    created.over.addEventListener("pointerleave", hideTip);
    return created;
  }

  function describeAt(self: uPlot, lines: readonly Line[]): void {
    const { idx, left = -1, top = -1 } = self.cursor;
    if (idx === null || idx === undefined || left < 0) return hideTip();
    const texts = lines.flatMap(({ label }, index) => {
      const [y, low] = [self.data[3 * index + 1]![idx], self.data[3 * index + 2]![idx]];
      if (y === null || y === undefined) return [];
      const error = `±${formatBound(low === null || low === undefined ? undefined : y - low)}`;
      return [`${label}: ${formatMs(y)} ms ${error}`];
    });
    if (texts.length === 0) return hideTip();
    const box = self.over.getBoundingClientRect();
    const text = [options.describeX(self.data[0][idx]!), ...texts].join("\n");
    showTip(text, box.left + left, box.top + top);
  }

  new ResizeObserver(() => chart?.setSize(size())).observe(parent);

  return {
    get canvas() {
      return chart?.ctx.canvas;
    },
    show(lines, colours) {
      palette = colours;
      const data = align(lines);
      const fresh = JSON.stringify(lines.map(({ label, route }) => [label, route]));
      if (chart === undefined || fresh !== signature) {
        chart?.destroy();
        signature = fresh;
        chart = create(lines, data);
      } else {
        chart.setData(data);
      }
      parent.hidden = lines.length === 0;
    },
  };
}

/** For each line, itself and the two edges of its band, over the places of all. */
function align(lines: readonly Line[]): uPlot.AlignedData {
  if (lines.length === 0) return [[]];
  return uPlot.join(lines.map(({ x, y, error }) => {
    const edge = (sign: number) =>
      y.map((value, index) => {
        const bound = error[index];
        return value === null || bound === null || bound === undefined
          ? null
          : value + sign * bound;
      });
    return [[...x], [...y], edge(-1), edge(1)] as uPlot.AlignedData;
  }));
}

/** Decimals that tell one tick from the next. */
function digitsOf(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

/** A little room on both sides; from zero where that is near. */
function rangeOf(min: number, max: number): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  const room = (max - min || max || 1) * 0.08;
  const low = min - room;
  return [min >= 0 && (low < 0 || min < 0.35 * max) ? 0 : low, max + room];
}
