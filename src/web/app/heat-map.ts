/// <reference lib="dom" />
/** Draws the mesh on a canvas: fluid for a hundred names on each side. */

import { formatCount, formatMs } from "../../cli/numbers.ts";
import { type Condition, CONDITIONS, WORDS } from "./condition.ts";
import { type Layout, MARGIN_TITLES, NARROW_BELOW } from "./heat-layout.ts";
import type { Cell, Margin, Matrix, ShownKey } from "./matrix.ts";
import type { Palette } from "./palette.ts";
import { describeBound } from "./words.ts";

const FONT = '13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
const SMALL = FONT.replace("13px", "11px");

/** Place of a value between the least and the most, by its logarithm. */
export function shareOf(value: number, range: Matrix["range"]): number {
  if (range === undefined || range.max <= range.min) return 0.35;
  const log = (ms: number) => Math.log(Math.max(ms, 0.0001));
  return (log(value) - log(range.min)) / (log(range.max) - log(range.min));
}

export function drawHeatMap(
  context: CanvasRenderingContext2D,
  matrix: Matrix,
  layout: Layout,
  palette: Palette,
  routes: readonly string[],
): void {
  const { left, top, cellWidth, cellHeight } = layout;
  context.clearRect(0, 0, layout.width, layout.height);
  context.textBaseline = "middle";
  drawNames(context, matrix, layout, palette);
  for (const row of matrix.cells) {
    for (const cell of row) {
      if (cell === undefined) continue;
      const x = left + cell.column * cellWidth;
      const y = top + cell.row * cellHeight;
      drawCell(context, cell, x, y, layout, matrix, palette, routes);
    }
  }
  drawMargins(context, matrix, layout, palette);
}

/** Shortens a text to a width. */
export function fit(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low)}…`;
}

function drawNames(
  context: CanvasRenderingContext2D,
  { rows, columns }: Matrix,
  { left, top, cellWidth, cellHeight, tilt }: Layout,
  palette: Palette,
): void {
  context.font = cellHeight < 15 ? SMALL.replace("11px", "10px") : FONT;
  context.fillStyle = palette.text;
  context.textAlign = "right";
  rows.forEach((name, row) => {
    context.fillText(fit(context, name, left - 12), left - 8, top + (row + 0.5) * cellHeight);
  });
  context.font = cellWidth < 15 ? SMALL.replace("11px", "10px") : FONT;
  columns.forEach((name, column) => {
    const x = left + (column + 0.5) * cellWidth;
    if (tilt === 0) {
      context.textAlign = "center";
      context.fillText(name, x, top - 13);
      return;
    }
    context.save();
    context.textAlign = "left";
    context.translate(x, top - 8);
    context.rotate(-tilt);
    context.fillText(fit(context, name, 190), 0, 0);
    context.restore();
  });
}

/** Each route has its part of a cell, as long as the parts are wide enough to be told apart. */
function drawCell(
  context: CanvasRenderingContext2D,
  cell: Cell,
  x: number,
  y: number,
  layout: Layout,
  matrix: Matrix,
  palette: Palette,
  routes: readonly string[],
): void {
  const width = layout.cellWidth - 2;
  const height = layout.cellHeight - 2;
  const parts = width / cell.keys.length >= 12 ? cell.keys : [worstKey(cell.keys)];
  parts.forEach((part, index) => {
    const partX = x + (index * width) / parts.length;
    const partWidth = width / parts.length - (index < parts.length - 1 ? 1 : 0);
    drawPart(context, part, partX, y, partWidth, height, matrix, palette);
    // A strip in the route's colour, as in the charts.
    if (parts.length > 1 && height >= 20) {
      context.fillStyle = palette.route(routes.indexOf(part.key.view.route));
      context.fillRect(partX, y + height - 3, partWidth, 3);
    }
  });
}

function worstKey(keys: readonly ShownKey[]): ShownKey {
  const rank = (condition: Condition) => CONDITIONS.indexOf(condition);
  return keys.reduce((worst, key) => {
    const by = rank(key.condition) - rank(worst.condition);
    return by > 0 || (by === 0 && (key.value ?? 0) > (worst.value ?? 0)) ? key : worst;
  });
}

function drawPart(
  context: CanvasRenderingContext2D,
  { value, condition, figures }: ShownKey,
  x: number,
  y: number,
  width: number,
  height: number,
  { range }: Matrix,
  palette: Palette,
): void {
  const isIdle = condition === "stale" || condition === "dead" || value === undefined;
  const colour = isIdle
    ? { fill: palette.idle, text: palette.quiet }
    : palette.ramp(shareOf(value, range));
  context.fillStyle = colour.fill;
  context.fillRect(x, y, width, height);
  if (condition === "stale" || condition === "dead") {
    drawIdle(context, condition, x, y, width, height, palette);
  }
  if (width >= 38 && height >= 16) {
    context.fillStyle = colour.text;
    context.textAlign = "center";
    context.font = isIdle ? `italic ${FONT}` : FONT;
    const twoLines = height >= 34;
    const mark = condition === "stale" || condition === "dead" ? `${WORDS[condition].mark} ` : "";
    const long = value === undefined ? "?" : formatMs(value);
    // Its lines tell a stale or dead one, too, where the mark has no room.
    const text = [mark + long, long].find((each) => context.measureText(each).width < width - 4) ??
      shortMs(value!);
    const dx = condition === "slow" || condition === "lossy" ? -5 : 0;
    context.fillText(text, x + width / 2 + dx, y + height / 2 - (twoLines ? 8 : 0));
    if (twoLines) {
      context.font = SMALL;
      context.fillText(
        fit(context, describeBound(figures), width - 4),
        x + width / 2,
        y + height / 2 + 8,
      );
    }
  }
  if (condition === "slow" || condition === "lossy") {
    drawMark(context, condition, x + width, y, Math.min(14, width, height), palette);
  }
}

/** Three digits. */
function shortMs(ms: number): string {
  return ms.toFixed(ms >= 100 ? 0 : ms >= 10 ? 1 : 2);
}

function drawIdle(
  context: CanvasRenderingContext2D,
  condition: "stale" | "dead",
  x: number,
  y: number,
  width: number,
  height: number,
  palette: Palette,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = palette.idleMark;
  context.globalAlpha = condition === "dead" ? 0.9 : 0.45;
  context.lineWidth = 1;
  context.beginPath();
  if (condition === "dead") {
    context.moveTo(x, y);
    context.lineTo(x + width, y + height);
    context.moveTo(x + width, y);
    context.lineTo(x, y + height);
  } else {
    for (let offset = -height; offset < width; offset += 7) {
      context.moveTo(x + offset, y + height);
      context.lineTo(x + offset + height, y);
    }
  }
  context.stroke();
  if (condition === "dead") context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  context.restore();
  if (width >= 38 && height >= 16) {
    // The figure stays readable on the lines.
    context.fillStyle = palette.idle;
    context.fillRect(x + width / 2 - 25, y + 4, 50, height - 10);
  }
}

/** A triangle or a diamond in the corner, on a ground that sets it off from any colour. */
export function drawMark(
  context: CanvasRenderingContext2D,
  condition: "slow" | "lossy",
  right: number,
  top: number,
  size: number,
  palette: Palette,
): void {
  const half = size / 2;
  const [x, y] = [right - half - 1, top + half + 1];
  context.fillStyle = palette.surface;
  context.beginPath();
  context.arc(x, y, half, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = palette.marks[condition];
  const r = half * 0.75;
  context.beginPath();
  context.moveTo(x, y - r);
  context.lineTo(x + r, condition === "slow" ? y + r * 0.8 : y);
  if (condition === "lossy") context.lineTo(x, y + r);
  context.lineTo(x - r, condition === "slow" ? y + r * 0.8 : y);
  context.fill();
}

function drawMargins(
  context: CanvasRenderingContext2D,
  { rows, columns, rowMargins, columnMargins }: Matrix,
  { left, top, cellWidth, cellHeight, marginWidth, marginHeight }: Layout,
  palette: Palette,
): void {
  const right = left + columns.length * cellWidth + 8;
  const bottom = top + rows.length * cellHeight + 8;
  const texts = ({ median, max, lost }: Margin) => [
    median === undefined ? "–" : formatMs(median),
    max === undefined ? "–" : formatMs(max),
    formatCount(lost),
  ];
  context.font = cellHeight < 15 ? SMALL.replace("11px", "10px") : SMALL;
  context.textAlign = "right";
  MARGIN_TITLES.forEach((title, index) => {
    const x = right + (index + 1) * marginWidth - 8;
    context.fillStyle = palette.quiet;
    context.fillText(title, x, top - 13);
    context.fillText(title, left - 8, bottom + (index + 0.5) * marginHeight);
    rowMargins.forEach((margin, row) => {
      context.fillStyle = index === 2 && margin.lost > 0 ? palette.marks.lossy : palette.text;
      context.fillText(texts(margin)[index]!, x, top + (row + 0.5) * cellHeight);
    });
  });
  const isNarrow = cellWidth < NARROW_BELOW;
  context.textAlign = isNarrow ? "right" : "center";
  if (isNarrow) context.font = SMALL.replace("11px", "10px");
  MARGIN_TITLES.forEach((_, index) => {
    columnMargins.forEach((margin, column) => {
      context.fillStyle = index === 2 && margin.lost > 0 ? palette.marks.lossy : palette.text;
      context.save();
      context.translate(
        left + (column + 0.5) * cellWidth,
        bottom + (isNarrow ? index * marginHeight + 2 : (index + 0.5) * marginHeight),
      );
      if (isNarrow) context.rotate(-Math.PI / 2);
      context.fillText(texts(margin)[index]!, 0, 0);
      context.restore();
    });
  });
}
