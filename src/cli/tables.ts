import type { DelayFigures, RunSummary } from "../metrics/summary.ts";
import { type Cell, type Column, layout, type Row, type Table } from "./columns.ts";
import { DIFFERENCE_LEGEND, differencesTable, verdicts } from "./differences-table.ts";
import { keyTable, legend, troubles } from "./key-table.ts";
import { type Format, type Line, line, renderLines, sentence } from "./lines.ts";
import { formatBound, formatCount, formatCountOf, formatElapsed, formatMs } from "./numbers.ts";
import { printableStrings } from "./printable.ts";
import {
  flowSpreads,
  flowsTable,
  routesTable,
  sessionsTable,
  sinkLine,
  sinksTable,
} from "./state-tables.ts";
import { type ShownTrends, trendLines } from "./trend-lines.ts";

/**
 * The tables that end a run, of a client or a server, as text of whole lines: figures per hop and
 * path, routes or sessions, the comparison of routes, and what must be known to read them right.
 */
export function finalTables(raw: RunSummary, format: Format): string {
  const summary = printableStrings(raw);
  const { width } = format;
  const left = summary.warmup > 0 ? [`${formatCount(summary.warmup)} for warm-up`] : [];
  const title = [`${summary.seconds.toFixed(1)} s`, ...traffic(summary), ...left].join(", ");
  return renderLines(
    paragraphs([
      sentence(`${nameOf(summary)}: ${title}`, width, 0, "bold"),
      keys(summary, width),
      layout(routesTable(summary), width),
      flows(summary, width),
      layout(sessionsTable(summary), width),
      layout(ownTimesTable(summary), width),
      layout(sinksTable(summary), width),
      differences(summary, width),
      notes(summary, width),
    ]),
    format,
  );
}

/**
 * The lines of the live view: what matters most first, since a low terminal cuts its end.
 * `elapsedSeconds` is the time since the start.
 */
export function liveLines(
  raw: RunSummary,
  elapsedSeconds: number,
  width: number,
  rawTrends?: ShownTrends,
): Line[] {
  const summary = printableStrings(raw);
  const trends = printableStrings(rawTrends);
  const title = [nameOf(summary), formatElapsed(elapsedSeconds), ...traffic(summary)].join("  ");
  return paragraphs([
    sentence(title, width, 0, "bold"),
    notes(summary, width),
    verdicts(summary).flatMap(({ text, tone }) => sentence(text, width, 0, tone)),
    layout(routesTable(summary), width),
    keys(summary, width),
    trends === undefined ? [] : trendLines(summary, trends, width),
    flows(summary, width),
    layout(ownTimesTable(summary), width),
    layout(sinksTable(summary), width),
    layout(sessionsTable(summary), width),
  ]);
}

/** The figures for a log: a line a key, then what each pair of routes says, then a line a sink. */
export function logLines(raw: RunSummary): string[] {
  const summary = printableStrings(raw);
  const keyLines = summary.keys.map((key) => {
    const figures = key.ms === undefined ? [] : [
      `p50 ${formatMs(key.ms.p50)} ±${formatBound(key.error_ms)}`,
      `p95 ${formatMs(key.ms.p95)}`,
      `p99 ${formatMs(key.ms.p99)}`,
      `max ${formatMs(key.ms.max)} ms`,
    ];
    const told = key.lost > 0 ? troubles(key) : ["0 lost", ...troubles(key)];
    const name = `${key.key} ${key.route}${key.echo ? " echo" : ""}`;
    return `${name}: ${[formatCountOf(key.count, "message"), ...figures, ...told].join(", ")}`;
  });
  return [
    ...keyLines,
    ...verdicts(summary).map(({ text }) => text),
    ...flowSpreads(summary),
    ...summary.sinks.map(sinkLine),
  ];
}

function nameOf({ tool, config }: RunSummary): string {
  return typeof config["name"] === "string" ? `${tool} ${config["name"]}` : tool;
}

function traffic({ tool, sent, received, sessions }: RunSummary): string[] {
  const counts = [`${formatCount(sent)} sent`, `${formatCount(received)} received`];
  if (tool === "performance-client") return counts;
  return [formatCountOf(sessions?.length ?? 0, "open session"), ...counts.reverse()];
}

function keys(summary: RunSummary, width: number): Line[] {
  if (summary.keys.length === 0) return [];
  return [...sentence(legend(summary), width), ...layout(keyTable(summary, width), width)];
}

function differences(summary: RunSummary, width: number): Line[] {
  const table = layout(differencesTable(summary), width);
  if (table.length === 0) return [];
  return [
    ...table,
    ...sentence(DIFFERENCE_LEGEND, width),
    [],
    ...verdicts(summary).flatMap(({ text, tone }) => sentence(text, width, 0, tone)),
  ];
}

function flows(summary: RunSummary, width: number): Line[] {
  return [
    ...layout(flowsTable(summary), width),
    ...flowSpreads(summary).flatMap((text) => sentence(text, width)),
  ];
}

function notes(summary: RunSummary, width: number): Line[] {
  return summary.notes.flatMap((note) => sentence(`Note: ${note}`, width));
}

const OWN_TIMES: readonly (Column & { of: keyof DelayFigures })[] = [
  { heading: "min", rank: 11, of: "min" },
  { heading: "mean", rank: 4, of: "mean" },
  { heading: "stddev", rank: 13, of: "stddev" },
  { heading: "p50", rank: 0, of: "p50" },
  { heading: "p90", rank: 10, of: "p90" },
  { heading: "p95", rank: 2, of: "p95" },
  { heading: "p99", rank: 3, of: "p99" },
  { heading: "p99.9", rank: 12, of: "p999" },
  { heading: "max", rank: 1, of: "max" },
];

/** Times that the tool itself adds: they tell how far its figures can be trusted. */
function ownTimesTable({ residence_ms, fanout_ms, lag_ms }: RunSummary): Table {
  const row = (name: string, figures: DelayFigures | undefined): Row[] =>
    figures === undefined ? [] : [{
      texts: [[name]],
      cells: OWN_TIMES.map(({ of }): Cell => ({ text: formatMs(figures[of]) })),
    }];
  const rows = [
    ...row("residence in relay", residence_ms),
    ...row("fan-out wait", fanout_ms),
    ...row("schedule lag", lag_ms),
  ];
  return { columns: OWN_TIMES, sections: [{ title: "Own times, ms", rows }] };
}

/** Those of the blocks that have lines, an empty line between them. */
function paragraphs(blocks: readonly (readonly Line[])[]): Line[] {
  return blocks.filter((block) => block.length > 0)
    .flatMap((block, index) => index === 0 ? block : [line(""), ...block]);
}
