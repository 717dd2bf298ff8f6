/** The mesh as a table: who sends in rows, who receives in columns. */

import { type Condition, CONDITIONS } from "./condition.ts";
import type { Figures } from "./figures.ts";
import { byName } from "./names.ts";
import type { KnownKey } from "./store.ts";
import type { Metric } from "./view.ts";

/** A key with what is shown of it. */
export interface ShownKey {
  key: KnownKey;
  figures: Figures | undefined;
  condition: Condition;
  /** The chosen figure, ms; undefined where there is none. */
  value: number | undefined;
}

export interface Cell {
  row: number;
  column: number;
  /** One for each route, by its label. */
  keys: ShownKey[];
}

/** Of a row or a column: of all its keys. */
export interface Margin {
  median: number | undefined;
  max: number | undefined;
  lost: number;
  /** The worst of its keys' conditions. */
  condition: Condition;
}

export interface Matrix {
  rows: string[];
  columns: string[];
  /** By row and column. */
  cells: (Cell | undefined)[][];
  rowMargins: Margin[];
  columnMargins: Margin[];
  /** Range of the chosen figure, for colours; undefined where there is none. */
  range: { min: number; max: number } | undefined;
}

export function valueOf(figures: Figures | undefined, metric: Metric): number | undefined {
  return figures?.delays?.[metric];
}

export function worstOf(conditions: Iterable<Condition>): Condition {
  let worst = 0;
  for (const condition of conditions) worst = Math.max(worst, CONDITIONS.indexOf(condition));
  return CONDITIONS[worst]!;
}

/** @param routes all labels, in the order in which they share a cell */
export function createMatrix(shown: readonly ShownKey[], routes: readonly string[]): Matrix {
  const rows = [...new Set(shown.map(({ key }) => key.view.from))].sort(byName);
  const columns = [...new Set(shown.map(({ key }) => key.view.to))].sort(byName);
  const rowOf = new Map(rows.map((name, index) => [name, index]));
  const columnOf = new Map(columns.map((name, index) => [name, index]));
  const cells: (Cell | undefined)[][] = rows.map(() => columns.map(() => undefined));
  let min = Infinity;
  let max = -Infinity;
  for (const each of shown) {
    const { from, to } = each.key.view;
    const row = rowOf.get(from)!;
    const column = columnOf.get(to)!;
    const cell = cells[row]![column] ??= { row, column, keys: [] };
    cell.keys.push(each);
    if (each.value !== undefined && each.condition !== "dead") {
      min = Math.min(min, each.value);
      max = Math.max(max, each.value);
    }
  }
  for (const cell of cells.flat()) {
    cell?.keys.sort((a, b) => routes.indexOf(a.key.view.route) - routes.indexOf(b.key.view.route));
  }
  return {
    rows,
    columns,
    cells,
    rowMargins: cells.map((row) => marginOf(row)),
    columnMargins: columns.map((_, column) => marginOf(cells.map((row) => row[column]))),
    range: min <= max ? { min, max } : undefined,
  };
}

function marginOf(cells: readonly (Cell | undefined)[]): Margin {
  const keys = cells.flatMap((cell) => cell?.keys ?? []);
  const values = keys.flatMap(({ value }) => value === undefined ? [] : [value])
    .sort((a, b) => a - b);
  return {
    median: values[Math.ceil(values.length / 2) - 1],
    max: values.at(-1),
    lost: keys.reduce((sum, { figures }) => sum + (figures?.lost ?? 0), 0),
    condition: worstOf(keys.map(({ condition }) => condition)),
  };
}
