import type { Line, Span, Tone } from "./lines.ts";
import { shorten, shortenEach, textWidth } from "./text-width.ts";

/**
 * Tables whose rows have long names: figures stand in columns with their decimal points below one
 * another; the names stand beside them where there is room, else on lines of their own above.
 */

/** One figure; `undefined` where there is none. */
export type Cell = { text: string; tone?: Tone } | undefined;

/** A column of figures. */
export interface Column {
  heading: string;
  /**
   * Which columns stay when room is short: the lowest first. Names move to lines of their own to
   * make room for ranks below 10; asides have room before ranks from 14 on.
   */
  rank: number;
}

export interface Row {
  /** What the row is: texts (`client-a → server`, `direct`), each of parts joined by arrows. */
  texts: readonly (readonly string[])[];
  /** As many as the table has columns. */
  cells: readonly Cell[];
  /** Shown beside the texts from 120 columns on, if there is room for all of it. */
  aside?: string;
  /** Shown below the row. */
  details?: readonly Line[];
}

export interface Section {
  title: string;
  rows: readonly Row[];
}

export interface Table {
  columns: readonly Column[];
  /** Sections share their columns and widths, so that figures compare across them. */
  sections: readonly Section[];
  /**
   * Rows of equal first text that follow one another may share one heading: they do if most have
   * a neighbour to share it with, or if there is no room for the names beside the figures.
   */
  grouped?: boolean;
}

const ARROW = " → ";
const DOT = " · ";
const GAP = 2;
const INDENT = 2;
const ASIDE_GAP = 3;
const ASIDE_FROM_WIDTH = 120;
const ESSENTIAL_BELOW = 10;
const BEFORE_ASIDE_BELOW = 14;

interface Measured {
  index: number;
  column: Column;
  /** Most characters from the decimal point on. */
  fraction: number;
  width: number;
}

/** Lays a table out on lines of at most `width` columns. No rows: no lines. */
export function layout(table: Table, width: number): Line[] {
  const rows = table.sections.flatMap((section) => section.rows);
  if (rows.length === 0) return [];
  const measured = measure(table.columns, rows);
  const essentialWidth = figuresWidth(
    measured.filter(({ column }) => column.rank < ESSENTIAL_BELOW),
  );
  const titleWidth = Math.max(...table.sections.map((section) => textWidth(section.title)));
  const room = width - essentialWidth;
  const grouped = table.grouped === true ? groupedByFirst(rows, room, width) : undefined;
  const draw = (sharing(rows) >= 2 ? grouped : undefined) ??
    flat(rows, titleWidth, room) ?? grouped ?? stacked(width);
  const left = draw.left ?? Math.max(INDENT, Math.min(titleWidth, room));
  const asideWidth = draw.flat && width >= ASIDE_FROM_WIDTH ? widestAside(rows) : 0;
  const beforeAside = measured.filter(({ column }) => column.rank < BEFORE_ASIDE_BELOW);
  const asides = asideWidth > 0 && left + figuresWidth(beforeAside) + asideWidth <= width;
  const shown = choose(measured, width - left - (asides ? asideWidth : 0));

  const lines: Line[] = [];
  for (const section of table.sections) {
    if (section.rows.length === 0) continue;
    if (lines.length > 0) lines.push([]);
    lines.push(...heading(section.title, shown, left, width));
    let previous: Row | undefined;
    for (const row of section.rows) {
      const { above, label } = draw.name(row, previous);
      for (const [index, text] of above.entries()) {
        lines.push(withAside(text, index === 0 ? row.aside : undefined, width));
      }
      const spans: Span[] = [{ text: pad(label, left) }, ...figures(row, shown)];
      if (asides && row.aside !== undefined) {
        spans.push({ text: " ".repeat(ASIDE_GAP) + row.aside, tone: "dim" });
      }
      lines.push(spans, ...(row.details ?? []));
      previous = row;
    }
  }
  return lines;
}

/** How rows are named: on lines above their figures, beside them, or both. */
interface Naming {
  flat: boolean;
  /** Columns left of the figures, where the names decide it. */
  left?: number;
  name(row: Row, previous: Row | undefined): { above: string[]; label: string };
}

/** All names beside the figures, each text a column. */
function flat(rows: readonly Row[], titleWidth: number, room: number): Naming | undefined {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, text] of row.texts.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, textWidth(text.join(ARROW)));
    }
  }
  const used = widths.filter((own) => own > 0);
  const left = used.reduce((sum, own) => sum + own, GAP * (used.length - 1));
  if (Math.max(left, titleWidth) > room) return undefined;
  const name = (row: Row) => ({
    above: [],
    label: row.texts.map((text, index) => pad(text.join(ARROW), widths[index] ?? 0))
      .filter((text) => text !== "").join(" ".repeat(GAP)),
  });
  return { flat: true, left: Math.max(left, titleWidth), name };
}

/**
 * The first text once above the rows that share it, the others beside the figures: routes of one
 * path below one another. A label too long for its place stands on a line of its own.
 */
function groupedByFirst(rows: readonly Row[], room: number, width: number): Naming | undefined {
  const label = (row: Row) => " ".repeat(INDENT) + joined(row.texts.slice(1));
  const fitting = rows.map((row) => textWidth(label(row))).filter((own) => own <= room);
  if (sharing(rows) === 1 || fitting.length === 0) return undefined;
  const left = Math.max(...fitting);
  const name = (row: Row, previous: Row | undefined) => {
    const above = firstText(row) === firstText(previous) ? [] : [fit(row.texts.slice(0, 1), width)];
    if (textWidth(label(row)) <= left) return { above, label: label(row) };
    return { above: [...above, shorten(label(row), width)], label: "" };
  };
  return { flat: false, left, name };
}

function firstText(row: Row | undefined): string | undefined {
  return row?.texts[0]?.join(ARROW);
}

/** How many neighbouring rows share their first text, on average. */
function sharing(rows: readonly Row[]): number {
  const starts = rows.filter((row, index) => firstText(row) !== firstText(rows[index - 1]));
  return rows.length / starts.length;
}

/** All names above the figures. */
function stacked(width: number): Naming {
  return { flat: false, name: (row) => ({ above: [fit(row.texts, width)], label: "" }) };
}

function joined(texts: readonly (readonly string[])[]): string {
  return texts.map((text) => text.join(ARROW)).filter((text) => text !== "").join(DOT);
}

/** Texts joined on one line: all their parts whole if there is room, else the longest shortened. */
function fit(texts: readonly (readonly string[])[], width: number): string {
  const whole = joined(texts);
  const parts = texts.flat().filter((part) => part !== "");
  const between = textWidth(whole) - parts.reduce((sum, part) => sum + textWidth(part), 0);
  const short = shortenEach(parts, width - between);
  let next = 0;
  const fitted = joined(texts.map((text) => text.map((part) => part && (short[next++] ?? ""))));
  return shorten(fitted, width);
}

function withAside(text: string, aside: string | undefined, width: number): Line {
  const gap = " ".repeat(ASIDE_GAP);
  if (aside === undefined || width < ASIDE_FROM_WIDTH) return [{ text }];
  if (textWidth(text) + ASIDE_GAP + textWidth(aside) > width) return [{ text }];
  return [{ text }, { text: gap + aside, tone: "dim" }];
}

function measure(columns: readonly Column[], rows: readonly Row[]): Measured[] {
  const measured: Measured[] = [];
  for (const [index, column] of columns.entries()) {
    let [whole, fraction, words] = [0, 0, 0];
    for (const row of rows) {
      const text = row.cells[index]?.text;
      if (text === undefined) continue;
      if (isNumber(text)) {
        const point = pointOf(text);
        whole = Math.max(whole, point);
        fraction = Math.max(fraction, text.length - point);
      } else {
        words = Math.max(words, textWidth(text));
      }
    }
    if (whole + fraction + words === 0) continue;
    const width = Math.max(whole + fraction, words, textWidth(column.heading));
    measured.push({ index, column, fraction, width });
  }
  return measured;
}

function isNumber(text: string): boolean {
  return /^[−+<]?\d/.test(text);
}

function pointOf(text: string): number {
  const point = text.indexOf(".");
  return point < 0 ? text.length : point;
}

function figuresWidth(columns: readonly Measured[]): number {
  return columns.reduce((sum, column) => sum + GAP + column.width, 0);
}

function widestAside(rows: readonly Row[]): number {
  const widest = Math.max(...rows.map((row) => textWidth(row.aside ?? "")));
  return widest === 0 ? 0 : ASIDE_GAP + widest;
}

/** Columns by rank as long as there is room, at least one, in the table's order. */
function choose(measured: readonly Measured[], room: number): Measured[] {
  const byRank = [...measured].sort((a, b) => a.column.rank - b.column.rank);
  let count = byRank.length;
  while (count > 1 && figuresWidth(byRank.slice(0, count)) > room) count--;
  return byRank.slice(0, count).sort((a, b) => a.index - b.index);
}

/** Column headings, with the title beside them or on a line of its own. */
function heading(title: string, shown: readonly Measured[], left: number, width: number): Line[] {
  const headings = shown.map(({ column, width: own }) =>
    " ".repeat(GAP + own - textWidth(column.heading)) + column.heading
  ).join("");
  if (textWidth(title) <= left) return [[{ text: pad(title, left) + headings, tone: "bold" }]];
  return [
    [{ text: shorten(title, width), tone: "bold" }],
    [{ text: " ".repeat(left) + headings, tone: "bold" }],
  ];
}

function figures(row: Row, shown: readonly Measured[]): Span[] {
  return shown.map((column) => {
    const cell = row.cells[column.index];
    const text = align(cell?.text ?? "", column);
    return cell?.tone === undefined ? { text } : { text, tone: cell.tone };
  });
}

/** Numbers with their decimal points below one another, words to the right. */
function align(text: string, { fraction, width }: Measured): string {
  const after = isNumber(text) ? fraction - (text.length - pointOf(text)) : 0;
  const before = GAP + width - textWidth(text) - after;
  return " ".repeat(before) + text + " ".repeat(after);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}
