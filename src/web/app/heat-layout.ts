/** Where the parts of the heat map are, for a width and the names that there are. */

import type { Matrix } from "./matrix.ts";

const LEAST_CELL = 11;
/** Wide enough for figures: so wide each route's part is, while columns are few. */
const LEAST_PART = 44;
const FEW_COLUMNS = 12;
/** Names of columns this narrow stand upright, as do figures below them. */
const STEEP_BELOW = 20;
export const NARROW_BELOW = 40;
export const MARGIN_TITLES = ["median", "max", "lost"] as const;

/** Where things are, in CSS pixels. */
export interface Layout {
  left: number;
  top: number;
  cellWidth: number;
  cellHeight: number;
  marginWidth: number;
  marginHeight: number;
  width: number;
  height: number;
  /** Of the names of columns: 0 where they have room as they are. */
  tilt: number;
}

export function layOut(
  matrix: Matrix,
  available: number,
  measure: (text: string) => number,
): Layout {
  const widest = (names: readonly string[]) => Math.max(0, ...names.map(measure));
  const columns = Math.max(1, matrix.columns.length);
  const rows = Math.max(1, matrix.rows.length);
  const left = Math.min(widest(matrix.rows) + 12, available < 600 ? 104 : 220);
  const marginWidth = available < 600 ? 48 : 60;
  const room = available - left - MARGIN_TITLES.length * marginWidth - 12;
  const parts = Math.max(1, ...matrix.cells.flat().map((cell) => cell?.keys.length ?? 0));
  const least = columns <= FEW_COLUMNS ? LEAST_PART * Math.min(parts, 3) + 2 : LEAST_CELL;
  const cellWidth = Math.max(least, Math.min(190, Math.floor(room / columns)));
  const cellHeight = Math.max(LEAST_CELL, Math.min(columns > 16 ? 26 : 52, Math.floor(620 / rows)));
  const label = Math.min(190, widest(matrix.columns));
  const tilt = label + 8 <= cellWidth ? 0 : cellWidth < STEEP_BELOW ? Math.PI / 2 : Math.PI / 4;
  const reach = label * Math.cos(tilt);
  const top = tilt === 0 ? 26 : label * Math.sin(tilt) + 22;
  const marginHeight = cellWidth < NARROW_BELOW ? 44 : Math.max(18, Math.min(24, cellHeight));
  return {
    left,
    top,
    cellWidth,
    cellHeight,
    marginWidth,
    marginHeight,
    tilt,
    width: left + columns * cellWidth + 8 +
      Math.max(MARGIN_TITLES.length * marginWidth, tilt === 0 ? 0 : reach),
    height: top + rows * cellHeight + 8 + MARGIN_TITLES.length * marginHeight,
  };
}

/** The cell under a point of the canvas. */
export function cellAt(matrix: Matrix, layout: Layout, x: number, y: number) {
  const column = Math.floor((x - layout.left) / layout.cellWidth);
  const row = Math.floor((y - layout.top) / layout.cellHeight);
  return row >= 0 && column >= 0 && row < matrix.rows.length && column < matrix.columns.length
    ? { row, column }
    : undefined;
}
