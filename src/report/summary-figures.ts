/** Figures of summary records, by key, reporter and time. */

import { Histogram } from "../metrics/histogram.ts";
import type { CellSpec } from "./cells.ts";
import { decodeHistogram } from "./hdr.ts";
import { combineMoments, type Moments, NO_MOMENTS } from "./moments.ts";
import type { SummaryRecord } from "./record-json.ts";
import type { Series, Timeline } from "./timeline.ts";

const US_PER_MS = 1000;
const US_PER_SECOND = 1e6;

/** Figures that add up. */
export const SUMMED = [
  ...["count", "lost", "up", "down", "dropped", "duplicates", "reordered"],
  ...["negative", "uncorrected"],
] as const;

/** What summary records of one key and reporter say of one time. Delays in µs. */
export interface SummaryBin {
  sums: Record<string, number>;
  bytes: number;
  delays: Histogram;
  moments: Moments;
  /** Medians of the bounds, as often as they had messages. */
  errors: Histogram;
  errorMaxUs: number;
  startUs: number;
  endUs: number;
}

export interface SummaryCell {
  readonly spec: CellSpec;
  readonly series: Series<SummaryBin>;
}

export interface SummaryFigures {
  /**
   * Whether the record is new; it is counted then.
   *
   * @throws RangeError where its histogram cannot be read
   */
  record(summary: SummaryRecord): boolean;
  readonly count: number;
  readonly duplicates: number;
  readonly firstUs: number;
  readonly lastUs: number;
  cells(): SummaryCell[];
}

export function createSummaryFigures(timeline: Timeline): SummaryFigures {
  const cells = new Map<string, SummaryCell & { ends: Map<string, Set<number>> }>();
  let count = 0;
  let duplicates = 0;
  let firstUs = Infinity;
  let lastUs = -Infinity;

  return {
    record(summary) {
      const spec = specOf(summary);
      const id = JSON.stringify(Object.values(spec));
      let cell = cells.get(id);
      if (cell === undefined) {
        const series = timeline.createSeries(createBin, mergeBin);
        cells.set(id, cell = { spec, series, ends: new Map() });
      }
      const bin = createBin();
      fill(bin, summary);
      let ends = cell.ends.get(summary.run);
      if (ends === undefined) cell.ends.set(summary.run, ends = new Set());
      if (ends.has(summary.endUs)) {
        duplicates++;
        return false;
      }
      ends.add(summary.endUs);
      timeline.widen(Math.min(summary.endUs - summary.startUs, 3600e6));
      mergeBin(cell.series.at((summary.startUs + summary.endUs) / 2), bin);
      count++;
      firstUs = Math.min(firstUs, summary.startUs);
      lastUs = Math.max(lastUs, summary.endUs);
      return true;
    },
    get duplicates() {
      return duplicates;
    },
    get count() {
      return count;
    },
    get firstUs() {
      return firstUs;
    },
    get lastUs() {
      return lastUs;
    },
    cells: () => [...cells.values()],
  };
}

function specOf({ key, from, to, route, hops, echo, reporter, region }: SummaryRecord): CellSpec {
  // The way up is the same for messages that come back and for those that do not.
  const isWayUp = hops === 1 && reporter !== to;
  return {
    ...{ key, from, to, route, hops, echo: echo && !isWayUp },
    ...{ reporter, region, transport: null },
  };
}

function createBin(): SummaryBin {
  return {
    sums: {},
    bytes: 0,
    delays: new Histogram(3),
    moments: NO_MOMENTS,
    errors: new Histogram(2),
    errorMaxUs: 0,
    startUs: Infinity,
    endUs: -Infinity,
  };
}

function fill(bin: SummaryBin, { figures, hdr, startUs, endUs }: SummaryRecord): void {
  for (const name of SUMMED) bin.sums[name] = figures[name] ?? 0;
  bin.bytes = (figures["bytes_per_second"] ?? 0) * (endUs - startUs) / US_PER_SECOND;
  bin.startUs = startUs;
  bin.endUs = endUs;
  for (const { valueUs, count } of hdr === undefined ? [] : decodeHistogram(hdr)) {
    bin.delays.record(valueUs, count);
  }
  const { count } = bin.delays;
  if (count === 0) return;
  const us = (name: string, otherwise: number) =>
    figures[name] === undefined ? otherwise : figures[name] * US_PER_MS;
  bin.moments = {
    count,
    min: us("min_ms", bin.delays.min),
    max: us("max_ms", bin.delays.max),
    mean: us("mean_ms", bin.delays.mean),
    stddev: us("stddev_ms", bin.delays.stddev),
  };
  const errorUs = us("error_p50_ms", NaN);
  if (Number.isNaN(errorUs)) return;
  bin.errors.record(errorUs, count);
  bin.errorMaxUs = us("error_max_ms", errorUs);
}

function mergeBin(into: SummaryBin, from: SummaryBin): void {
  for (const name of SUMMED) into.sums[name] = (into.sums[name] ?? 0) + (from.sums[name] ?? 0);
  into.bytes += from.bytes;
  into.moments = combineMoments(into.moments, from.moments);
  into.delays.add(from.delays);
  into.errors.add(from.errors);
  into.errorMaxUs = Math.max(into.errorMaxUs, from.errorMaxUs);
  into.startUs = Math.min(into.startUs, from.startUs);
  into.endUs = Math.max(into.endUs, from.endUs);
}
