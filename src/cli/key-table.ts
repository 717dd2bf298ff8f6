import type { Interval, KeySummary, RunSummary } from "../metrics/summary.ts";
import type { Cell, Column, Row, Table } from "./columns.ts";
import { type Line, sentence } from "./lines.ts";
import { formatCount, formatCountOf, formatMs, formatPercent, formatRate } from "./numbers.ts";

/**
 * The figures of hops and paths: which columns there are, in which order, and which of them matter
 * most. The users' dashboard is about p95 and max; a figure without its bound is worth little.
 */
const COLUMNS: readonly (Column & { cell(key: KeySummary): Cell })[] = [
  { heading: "count", rank: 2, cell: (key) => ({ text: formatCount(key.count) }) },
  { heading: "/s", rank: 13, cell: (key) => ({ text: formatRate(key.per_second) }) },
  { heading: "kB/s", rank: 22, cell: throughputCell },
  { heading: "lost", rank: 5, cell: lostCell },
  { heading: "lost %", rank: 12, cell: lostPercentCell },
  { heading: "±", rank: 1, cell: boundCell },
  { heading: "± max", rank: 15, cell: (key) => ms(key.error_ms?.max) },
  { heading: "min", rank: 16, cell: (key) => ms(key.ms?.min) },
  { heading: "mean", rank: 18, cell: (key) => ms(key.ms?.mean) },
  { heading: "stddev", rank: 14, cell: (key) => ms(key.ms?.stddev) },
  { heading: "p50", rank: 0, cell: (key) => ms(key.ms?.p50) },
  { heading: "p90", rank: 10, cell: (key) => ms(key.ms?.p90) },
  { heading: "p95", rank: 3, cell: (key) => ms(key.ms?.p95) },
  { heading: "p99", rank: 6, cell: (key) => ms(key.ms?.p99) },
  { heading: "p99.9", rank: 11, cell: (key) => ms(key.ms?.p999) },
  { heading: "max", rank: 4, cell: (key) => ms(key.ms?.max) },
  { heading: "jitter", rank: 17, cell: (key) => ms(key.jitter_ms) },
  { heading: "ipdv p50", rank: 19, cell: (key) => ms(key.ipdv_ms?.p50) },
  { heading: "ipdv p99", rank: 21, cell: (key) => ms(key.ipdv_ms?.p99) },
  { heading: "elapsed p50", rank: 20, cell: (key) => ms(key.elapsed_ms?.p50) },
];

/** Says what the figures are, for above the table. */
export function legend(summary: RunSummary): string {
  const paths = summary.keys.some((key) => key.hops > 1) ? " (path: sum of hops)" : "";
  const unknown = summary.keys.some(hasNoBound) ? ", ? where none is known" : "";
  return `ms: corrected one-way delay${paths}; ± is the bound on its error${unknown}`;
}

/** Table of hops, then of paths by their number of hops, routes of one path below one another. */
export function keyTable(summary: RunSummary, width: number): Table {
  const lone = hasLoneRoute(summary);
  const ordered = inTableOrder(summary);
  const lengths = [...new Set(ordered.map((key) => key.hops))];
  const sections = lengths.map((hops) => ({
    title: hops === 1 ? "Hops, ms" : `Paths of ${hops} hops, ms`,
    rows: ordered.filter((key) => key.hops === hops).map((key) => keyRow(key, lone, width)),
  }));
  return { columns: COLUMNS, sections, grouped: true };
}

/** The keys as the table has them. */
export function inTableOrder(summary: RunSummary): KeySummary[] {
  const order = routeOrder(summary);
  return [...summary.keys].sort((a, b) => a.hops - b.hops || compareKeys(a, b, order));
}

/** Whether all keys are of one route, which then needs no naming. */
export function hasLoneRoute(summary: RunSummary): boolean {
  return new Set(summary.keys.map((key) => key.route)).size < 2;
}

/** Names along a key, in order: `A::~::B<~>B::~::C` is A, B, C. */
export function namesOf(key: string): string[] {
  const hops = key.split("<~>").map((hop) => hop.split("::~::"));
  const [first = []] = hops;
  return [first[0] ?? key, ...hops.flatMap((names) => names.slice(1))];
}

/** What went wrong with a key's messages, in words; empty if nothing did. */
export function troubles(key: KeySummary): string[] {
  const told: string[] = [];
  const tell = (count: number, text: string) => {
    if (count > 0) told.push(`${formatCount(count)} ${text}`);
  };
  if (key.lost > 0) {
    const split = [`${formatCount(key.up)} up`, `${formatCount(key.down)} down`];
    if (key.dropped > 0) split.push(`${formatCount(key.dropped)} of these dropped by the relay`);
    const share = `${formatPercent(key.lost, key.count + key.lost)} %`;
    told.push(`${formatCount(key.lost)} lost (${share}): ${split.join(", ")}`);
  } else {
    tell(key.dropped, "dropped by the relay");
  }
  if (key.duplicates > 0) told.push(formatCountOf(key.duplicates, "duplicate"));
  tell(key.reordered, "reordered");
  tell(key.negative, "below zero");
  tell(key.uncorrected, "uncorrected, not in ms");
  return told;
}

/** Place of each route as it was given, for sorting. */
function routeOrder(summary: RunSummary): ReadonlyMap<string, number> {
  return new Map(summary.routes?.map(({ route }, index) => [route, index]));
}

function compareKeys(a: KeySummary, b: KeySummary, order: ReadonlyMap<string, number>): number {
  return compare(a.key, b.key) || Number(a.echo) - Number(b.echo) ||
    (order.get(a.route) ?? order.size) - (order.get(b.route) ?? order.size) ||
    compare(a.route, b.route);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyRow(key: KeySummary, lone: boolean, width: number): Row {
  const names = namesOf(key.key);
  if (key.echo) names[names.length - 1] += " (echo)";
  return {
    texts: [names, lone ? [""] : [key.route]],
    cells: COLUMNS.map((column) => column.cell(key)),
    aside: key.key,
    details: details(key, width),
  };
}

function details(key: KeySummary, width: number): Line[] {
  const told = troubles(key);
  const certain = certainty(key);
  return [
    ...(certain === undefined ? [] : sentence(certain, width, 4, "dim")),
    ...(told.length === 0
      ? []
      : sentence(told.join("; "), width, 4, key.lost > 0 ? "red" : undefined)),
  ];
}

/** Where the true percentiles lie, where the messages are too few to bound p99 from above. */
function certainty({ confidence_ms: confidence }: KeySummary): string | undefined {
  if (confidence === undefined || confidence.p99.high !== undefined) return undefined;
  const { p50, p95, p99 } = confidence;
  const each = [`p50 ${formatInterval(p50)}`, `p95 ${formatInterval(p95)}`];
  return `few messages; 95 % sure: ${each.join(", ")}, p99 ${formatInterval(p99)}`;
}

function formatInterval({ low, high }: Interval): string {
  if (low === undefined) return high === undefined ? "unknown" : `at most ${formatMs(high)}`;
  return high === undefined ? `at least ${formatMs(low)}` : `${formatMs(low)} to ${formatMs(high)}`;
}

function ms(value: number | undefined): Cell {
  return value === undefined ? undefined : { text: formatMs(value) };
}

function throughputCell({ bytes_per_second }: KeySummary): Cell {
  return bytes_per_second === undefined ? undefined : { text: formatRate(bytes_per_second / 1000) };
}

function hasNoBound(key: KeySummary): boolean {
  return key.ms !== undefined && key.error_ms === undefined;
}

function boundCell(key: KeySummary): Cell {
  return hasNoBound(key) ? { text: "?" } : ms(key.error_ms?.p50);
}

function lostCell(key: KeySummary): Cell {
  return key.lost > 0 ? { text: formatCount(key.lost), tone: "red" } : { text: "0" };
}

function lostPercentCell(key: KeySummary): Cell {
  if (key.lost === 0) return undefined;
  return { text: formatPercent(key.lost, key.count + key.lost), tone: "red" };
}
