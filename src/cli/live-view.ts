import type { RunSummary } from "../metrics/summary.ts";
import { type Line, line, renderLine } from "./lines.ts";
import { liveLines } from "./tables.ts";
import type { Terminal } from "./terminal.ts";
import { textWidth } from "./text-width.ts";
import type { ShownTrends } from "./trend-lines.ts";

/** A block of figures at the end of a terminal's output, refreshed in place. */
export interface LiveView {
  /** Replaces the block by these figures. Does nothing where there is no terminal. */
  draw(summary: RunSummary, trends?: ShownTrends): void;
  /** Takes the block away, until the next `draw`. */
  clear(): void;
  /** Runs `write`, which may write whole lines to the same terminal: they stand above the block. */
  interrupt<Result>(write: () => Result): Result;
  /** Takes the block away for good, so that the final tables can follow. */
  finish(): void;
}

interface Frame {
  lines: string[];
  /** Columns that each line takes, to know how often a narrower terminal has wrapped it. */
  widths: number[];
  columns: number;
  rows: number;
}

const ERASE_LINE = "\x1b[2K";
const ERASE_BELOW = "\x1b[J";

/** Whether figures are drawn in place: on a terminal that nothing else is to be written to. */
export function isShownLive(
  { isTerminal }: Pick<Terminal, "isTerminal">,
  { live, json, ndjson }: { live: boolean; json: boolean; ndjson: string | undefined },
): boolean {
  return isTerminal && live && !json && ndjson !== "-";
}

/** Creates a live view. `nowMs` is Unix time, for the time since `summary.started`. */
export function createLiveView(terminal: Terminal, nowMs: () => number): LiveView {
  let latest: { summary: RunSummary; trends: ShownTrends | undefined } | undefined;
  let shown: Frame | undefined;
  let finished = false;

  function compose({ summary, trends }: NonNullable<typeof latest>): Frame {
    const [columns, rows] = [terminal.columns(), terminal.rows()];
    const elapsedSeconds = (nowMs() - Date.parse(summary.started)) / 1000;
    const blocks = fitHeight(liveLines(summary, elapsedSeconds, columns, trends), rows - 1);
    const plain = blocks.map((spans) => renderLine(spans, { width: columns, colour: false }));
    const lines = blocks.map((spans) =>
      renderLine(spans, { width: columns, colour: terminal.colour })
    );
    return { lines, widths: plain.map(textWidth), columns, rows };
  }

  /** Back to the block's first line: the cursor waits on the line below the last. */
  function toStart(): string {
    if (shown === undefined) return "\r";
    const columns = terminal.columns();
    const height = shown.widths.reduce(
      (sum, width) => sum + Math.max(1, Math.ceil(width / columns)),
      0,
    );
    return height > 0 ? `\r\x1b[${height}A` : "\r";
  }

  function put(frame: Frame): void {
    // Erased line by line, just before each is written, so that nothing flickers; and before, not
    // after, since a terminal whose line is full would erase its last character.
    const lines = frame.lines.map((text) => `${ERASE_LINE}${text}\n`).join("");
    terminal.write(toStart() + lines + ERASE_BELOW);
    shown = frame;
  }

  function draw(summary: RunSummary, trends?: ShownTrends): void {
    if (finished || !terminal.isTerminal) return;
    latest = { summary, trends };
    put(compose(latest));
  }

  function clear(): void {
    if (shown === undefined) return;
    terminal.write(toStart() + ERASE_BELOW);
    shown = undefined;
  }

  function interrupt<Result>(write: () => Result): Result {
    const frame = shown;
    clear();
    try {
      return write();
    } finally {
      if (frame !== undefined && latest !== undefined && !finished) {
        const resized = frame.columns !== terminal.columns() || frame.rows !== terminal.rows();
        put(resized ? compose(latest) : frame);
      }
    }
  }

  function finish(): void {
    clear();
    finished = true;
  }

  return { draw, clear, interrupt, finish };
}

/**
 * At most `room` lines: first without the empty ones, then without asides, then cut, saying by how
 * many.
 */
function fitHeight(lines: Line[], room: number): Line[] {
  if (lines.length <= room) return lines;
  const filled = lines.filter((spans) => spans.some(({ text }) => text !== ""));
  if (filled.length <= room) return filled;
  const main = filled.filter((spans) => spans.some(({ tone }) => tone !== "dim"));
  if (main.length <= room) return main;
  const kept = Math.max(0, room - 1);
  return [...main.slice(0, kept), line(`… ${main.length - kept} more lines`, "dim")];
}
