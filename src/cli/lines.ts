import { cut, textWidth, wrap } from "./text-width.ts";

/** How a piece of text looks on a terminal that shows colours; plain elsewhere. */
export type Tone = "bold" | "dim" | "red" | "green";

/** A piece of a line, in one tone. */
export interface Span {
  text: string;
  tone?: Tone;
}

/** One line of output: printable text, not yet coloured. */
export type Line = readonly Span[];

/** What the output is made for. */
export interface Format {
  /** Columns that no line exceeds. */
  width: number;
  /** Whether tones become ANSI colours. */
  colour: boolean;
}

const SGR: Record<Tone, string> = { bold: "1", dim: "2", red: "31", green: "32" };

/** A line of one piece. */
export function line(text: string, tone?: Tone): Line {
  return [tone === undefined ? { text } : { text, tone }];
}

/** A sentence as lines of at most `width` columns, all indented, those after the first by two more. */
export function sentence(text: string, width: number, indent = 0, tone?: Tone): Line[] {
  const margin = " ".repeat(indent);
  return wrap(text, width - indent, 2).map((part) => line(margin + part, tone));
}

/** A line as text: at most `width` columns, no spaces at its end, coloured if wanted. */
export function renderLine(spans: Line, format: Format): string {
  let room = format.width;
  let rendered = "";
  for (const [index, span] of spans.entries()) {
    const last = index === spans.length - 1;
    const fitted = cut(last ? span.text.trimEnd() : span.text, room);
    room -= textWidth(fitted);
    rendered += paint(fitted, format.colour ? span.tone : undefined);
  }
  return rendered;
}

function paint(text: string, tone: Tone | undefined): string {
  return tone === undefined || text === "" ? text : `\x1b[${SGR[tone]}m${text}\x1b[0m`;
}

/** Lines as text, each with its newline. */
export function renderLines(lines: readonly Line[], format: Format): string {
  return lines.map((spans) => `${renderLine(spans, format)}\n`).join("");
}
