/** From cells to the rows of a report: figures of each key, or of whatever else is asked for. */

import { boundFigures, delayFigures } from "../metrics/delays.ts";
import { Histogram } from "../metrics/histogram.ts";
import { pathRoute } from "../metrics/keys.ts";
import type { DelayFigures } from "../metrics/summary.ts";
import type { Cell, CellSpec } from "./cells.ts";
import type { HopFigures } from "./hop-figures.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { distributionOf, type Values } from "./moments.ts";
import { chooseBins } from "./summary-choice.ts";
import type { SummaryBin, SummaryFigures } from "./summary-figures.ts";

/** What rows can be grouped by instead of by key. */
export const DIMENSIONS = ["from", "to", "path", "route", "region", "transport"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Figures of one row; times in ms. */
export interface Row {
  key: string;
  from: string;
  to: string;
  route: string;
  hops: number;
  echo: boolean;
  count: number;
  per_second: number;
  bytes_per_second: number;
  lost: number;
  up: number;
  down: number;
  /** Known of summary records alone. */
  dropped?: number;
  duplicates?: number;
  reordered?: number;
  negative: number;
  uncorrected: number;
  ms?: DelayFigures;
  elapsed_ms?: DelayFigures;
  error_ms?: { p50: number; max: number };
  /** p95 of `ms` over time: bins of equal width, null where nothing was recorded. */
  p95_over_time_ms: (number | null)[];
}

/** What a row's figures are of, beyond what it says itself. */
export interface RowDetail {
  delays: Histogram;
  /** By the numbers of the timeline's bins. */
  bins: ReadonlyMap<number, Histogram>;
}

/** What a row is put together from. Times in µs. */
interface Part {
  spec: CellSpec;
  count: number;
  bytes: number;
  uncorrected: number;
  loss: Loss;
  /** Of summary records alone. */
  more?: { dropped: number; duplicates: number; reordered: number; negative: number };
  delays: Values;
  elapsed?: Histogram;
  errors: Histogram;
  errorMaxUs: number;
  bins: ReadonlyMap<number, Histogram>;
}

export interface RowOptions {
  by: Dimension | undefined;
  /** Whether a key is asked for. */
  wants: (key: string) => boolean;
  /** Of all records; rates are over this time. */
  seconds: number;
  /** Numbers of the timeline's first and last bin. */
  bins: readonly [first: number, last: number];
  /** Is told of each row. */
  witness?: (row: Row, detail: () => RowDetail) => void;
}

/** Rows in a stable order: hops before paths, then by name, numbers in names by their value. */
export function rowsOf(
  hops: HopFigures,
  summaries: SummaryFigures,
  options: RowOptions,
): Row[] {
  const parts = [...partsOfHops(hops), ...partsOfSummaries(hops, summaries)]
    .filter(({ spec }) => options.wants(spec.key));
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const id = groupOf(part.spec, options.by);
    if (id === undefined) continue;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [part]);
    else group.push(part);
  }
  const { compare } = new Intl.Collator("en", { numeric: true });
  const byName = (a: Row, b: Row) =>
    options.by === undefined ? compare(a.from, b.from) || compare(a.to, b.to) : 0;
  const rows = [...groups.values()].map((group) => {
    const row = rowOf(group, options);
    options.witness?.(row, () => detailOf(group));
    return row;
  });
  return rows.sort((a, b) =>
    a.hops - b.hops || byName(a, b) || compare(a.key, b.key) || Number(a.echo) - Number(b.echo) ||
    compare(a.route, b.route)
  );
}

function partsOfHops(hops: HopFigures): Part[] {
  const losses = lossesOf(hops.arrivals());
  const lossOf = (cell: Cell) => losses.get(cell) ?? { lost: 0, up: 0, down: 0 };
  /** Of the way up, by the origin's session. */
  const origins = new Map(
    [...hops.arrivals()].filter(({ spec }) => spec.hop === 1)
      .map(({ spec, hop, othersCells }) =>
        [spec.session, { spec, cell: hop ?? [...othersCells.values()][0] }] as const
      ),
  );
  const plain = hops.hopCells().map((cell): Part => partOf(cell, cell.spec, lossOf(cell)));
  const paths = hops.pathCells().map(({ cell, session, clockIds }): Part => {
    if (cell.spec.echo) return partOf(cell, cell.spec, lossOf(cell));
    const origin = origins.get(session);
    const route = pathRoute(origin?.spec.route ?? "?", cell.spec.route);
    const part = partOf(cell, { ...cell.spec, route }, lossOf(cell));
    // Equal pairs of clocks up and down: it came back to the process that it left.
    const { clockId } = origin?.spec ?? { clockId: null };
    if (clockId !== null && clockIds.has(clockId)) return asOneClock(cell, part);
    return { ...part, ...sumOfBounds(cell, origin?.cell) };
  });
  return [...plain, ...paths];
}

function partOf(cell: Cell, spec: CellSpec, loss: Loss): Part {
  return {
    spec,
    count: cell.count,
    bytes: cell.bytes,
    uncorrected: cell.count - cell.delays.count,
    loss,
    delays: { histogram: cell.delays },
    ...(cell.elapsed.count > 0 && { elapsed: cell.elapsed }),
    errors: cell.errors,
    errorMaxUs: cell.errors.count > 0 ? cell.errors.max : 0,
    bins: cell.series.bins,
  };
}

/** The offset between clocks did not matter: only the clock's rate can be wrong. */
function asOneClock(cell: Cell, part: Part): Part {
  const histogram = new Histogram(3);
  histogram.add(cell.delays);
  if (cell.uncorrected !== undefined) histogram.add(cell.uncorrected);
  const errors = cell.rateErrors;
  return {
    ...part,
    uncorrected: 0,
    delays: { histogram },
    errors,
    errorMaxUs: errors.count > 0 ? errors.max : 0,
  };
}

/**
 * A path's bound is the sum of its hops'. They are recorded by different nodes: the sum of the
 * medians stands for the median of the sums.
 */
function sumOfBounds(cell: Cell, up: Cell | undefined): Pick<Part, "errors" | "errorMaxUs"> {
  const errors = new Histogram(2);
  if (up === undefined || cell.spec.hops !== 2) return { errors, errorMaxUs: 0 };
  if (up.errors.count === 0 || cell.errors.count === 0) return { errors, errorMaxUs: 0 };
  errors.record(up.errors.percentile(0.5) + cell.errors.percentile(0.5), cell.errors.count);
  return { errors, errorMaxUs: up.errors.max + cell.errors.max };
}

function partsOfSummaries(hops: HopFigures, summaries: SummaryFigures): Part[] {
  const cells = [...hops.hopCells(), ...hops.pathCells().map(({ cell }) => cell)];
  return chooseBins(cells, summaries.cells()).map(({ spec, bins }) => partOfBins(spec, bins));
}

function partOfBins(spec: CellSpec, bins: ReadonlyMap<number, SummaryBin>): Part {
  const all = [...bins.values()];
  const sum = (name: string) => all.reduce((total, bin) => total + (bin.sums[name] ?? 0), 0);
  const errors = new Histogram(2);
  for (const bin of all) errors.add(bin.errors);
  const { moments, histogram } = momentsOf(all);
  return {
    spec,
    count: sum("count"),
    bytes: all.reduce((total, { bytes }) => total + bytes, 0),
    uncorrected: sum("uncorrected"),
    loss: { lost: sum("lost"), up: sum("up"), down: sum("down") },
    more: {
      dropped: sum("dropped"),
      duplicates: sum("duplicates"),
      reordered: sum("reordered"),
      negative: sum("negative"),
    },
    delays: { histogram, moments },
    errors,
    errorMaxUs: Math.max(0, ...all.map(({ errorMaxUs }) => errorMaxUs)),
    bins: new Map([...bins].map(([number, { delays }]) => [number, delays])),
  };
}

function momentsOf(bins: readonly SummaryBin[]) {
  const histogram = new Histogram(3);
  for (const { delays } of bins) histogram.add(delays);
  const parts = bins.map(({ delays, moments }) => ({ histogram: delays, moments }));
  return { histogram, moments: distributionOf(parts) };
}

/** Rows share what they are grouped by; hops, paths and echoes are never mixed. */
function groupOf(spec: CellSpec, by: Dimension | undefined): string | undefined {
  const { hops, echo, key, route } = spec;
  if (by === undefined) return JSON.stringify([key, route, hops, echo]);
  if (by === "path") return hops > 1 ? JSON.stringify([key, echo]) : undefined;
  return JSON.stringify([spec[by], hops, echo]);
}

function rowOf(parts: readonly Part[], { by, seconds, bins }: RowOptions): Row {
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
  const errors = new Histogram(2);
  const elapsed = new Histogram(3);
  for (const part of parts) {
    errors.add(part.errors);
    if (part.elapsed !== undefined) elapsed.add(part.elapsed);
  }
  const delays = distributionOf(parts.map((part) => part.delays));
  const bound = boundFigures(errors);
  const errorMaxUs = Math.max(...parts.map((part) => part.errorMaxUs));
  const count = sum((part) => part.count);
  const isSummaries = parts.every(({ more }) => more !== undefined);
  const ms = delayFigures(delays);
  const elapsedMs = delayFigures(elapsed);
  return {
    ...namesOf(parts, by),
    count,
    per_second: perSecond(count, seconds),
    bytes_per_second: perSecond(sum((part) => part.bytes), seconds),
    lost: sum(({ loss }) => loss.lost),
    up: sum(({ loss }) => loss.up),
    down: sum(({ loss }) => loss.down),
    ...(isSummaries && {
      dropped: sum(({ more }) => more!.dropped),
      duplicates: sum(({ more }) => more!.duplicates),
      reordered: sum(({ more }) => more!.reordered),
    }),
    negative: sum(({ more, delays }) => more?.negative ?? delays.histogram.negative),
    uncorrected: sum((part) => part.uncorrected),
    ...(ms && { ms }),
    ...(elapsedMs && { elapsed_ms: elapsedMs }),
    ...(bound && { error_ms: { p50: bound.p50, max: Math.round(errorMaxUs * 10) / 10_000 } }),
    p95_over_time_ms: overTime(parts, bins),
  };
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? Math.round(count / seconds * 1e4) / 1e4 : 0;
}

/** What all parts have in common; `*` where they differ. */
function namesOf(parts: readonly Part[], by: Dimension | undefined) {
  const common = (of: (spec: CellSpec) => string | null): string => {
    const first = of(parts[0]!.spec);
    return parts.every(({ spec }) => of(spec) === first) ? first ?? "?" : "*";
  };
  const { hops, echo } = parts[0]!.spec;
  const value = by === undefined || by === "path" ? undefined : common((spec) => spec[by]);
  return {
    key: value ?? common(({ key }) => key),
    from: common(({ from }) => from),
    to: common(({ to }) => to),
    route: common(({ route }) => route),
    hops,
    echo,
  };
}

function overTime(
  parts: readonly Part[],
  [first, last]: readonly [number, number],
): (number | null)[] {
  const values: (number | null)[] = [];
  for (let number = first; number <= last; number++) {
    const inBin = parts.flatMap(({ bins }) => bins.get(number) ?? []);
    const one = inBin.length === 1 ? inBin[0]! : mergedOf(inBin);
    values.push(one.count === 0 ? null : Math.round(one.percentile(0.95) * 10) / 10_000);
  }
  return values;
}

function detailOf(parts: readonly Part[]): RowDetail {
  const numbers = new Set(parts.flatMap(({ bins }) => [...bins.keys()]));
  return {
    delays: mergedOf(parts.map(({ delays }) => delays.histogram)),
    bins: new Map(
      [...numbers].sort((a, b) => a - b).map((number) => [
        number,
        mergedOf(parts.flatMap(({ bins }) => bins.get(number) ?? [])),
      ]),
    ),
  };
}

function mergedOf(histograms: readonly Histogram[]): Histogram {
  const merged = new Histogram(histograms[0]?.digits ?? 2);
  for (const histogram of histograms) {
    if (histogram.digits === merged.digits) merged.add(histogram);
  }
  return merged;
}
