/** The report as the dashboard page, in one file with the figures inside. */

import { writeFile } from "node:fs/promises";
import { version } from "../cli/version.ts";
import { toMs } from "../metrics/delays.ts";
import { keyNodes } from "../metrics/keys.ts";
import {
  bucketOf,
  type DifferenceView,
  type KeyView,
  type NodeView,
  type PercentileCurve,
  type Point,
} from "../metrics/mesh-view.ts";
import type { DelayFigures } from "../metrics/summary.ts";
import { Failure } from "../platform/failure.ts";
import { toUnixMs } from "../relay/time.ts";
import type { ReportData } from "../web/page.ts";
import { renderReportPage } from "../web/page.ts";
import type { Collected } from "./collect.ts";
import type { Comparison } from "./comparison.ts";
import type { ReportDocument } from "./document.ts";
import type { Row, RowDetail } from "./rows.ts";

/** Without a record in so many of the last bins, a key had ended before the others. */
const STALE_BINS = 3;
/** Steps of a curve for each halving of what lies above. */
const STEPS_A_HALVING = 10;

export interface PageData {
  /** To be told of each row. */
  witness(row: Row, detail: () => RowDetail): void;
  /** Once all rows are known. */
  dataOf(document: ReportDocument): ReportData;
}

export function createPageData({ timeline, hops, summaries }: Collected): PageData {
  const rows: { row: Row; detail: RowDetail }[] = [];
  return {
    witness: (row, detail) => void rows.push({ row, detail: detail() }),
    dataOf(document) {
      const firstAt = toUnixMs(Math.min(hops.firstUs, summaries.firstUs));
      const lastAt = toUnixMs(Math.max(hops.lastUs, summaries.lastUs));
      const at = Number.isFinite(lastAt) ? lastAt : 0;
      const { widthUs } = timeline;
      const endOf = (bin: number) => Math.min(at, toUnixMs((bin + 1) * widthUs));
      const keys = rows.map(({ row, detail }, index) => {
        const points = pointsOf(row, detail, endOf);
        return { view: viewOf(row, index + 1, points, at, widthUs / 1000), points, detail };
      });
      return {
        mesh: {
          version: 1,
          name: "records",
          tool: "performance-client",
          tool_version: version,
          run: "report",
          started_at: Number.isFinite(firstAt) ? firstAt : 0,
          at,
          interval_s: widthUs / 1e6,
          nodes: nodesOf(keys.map(({ view }) => view)),
          sessions: [],
          keys: keys.map(({ view }) => view),
          differences: differencesOf(document.comparisons ?? []),
          omitted_keys: 0,
        },
        series: { at, series: keys.map(({ view, points }) => ({ id: view.id, points })) },
        percentiles: { at, curves: keys.map(({ view, detail }) => curveOf(view.id, detail)) },
      };
    },
  };
}

/** @throws Failure where the file cannot be written */
export async function writePage(file: string, data: ReportData): Promise<void> {
  const page = await renderReportPage(data);
  await writeFile(file, page).catch((error: Error) => {
    throw new Failure(`--html: ${error.message}`);
  });
}

function viewOf(row: Row, id: number, points: readonly Point[], at: number, widthMs: number) {
  const { p95_over_time_ms: _, bytes_per_second: __, elapsed_ms: ___, ...rest } = row;
  const last = points.at(-1);
  const isStale = last === undefined || last[0] < at - STALE_BINS * widthMs;
  const view: KeyView = {
    ...rest,
    id,
    state: isStale ? "stale" : "live",
    changed_at: last?.[0] ?? 0,
    reporters: [],
    source: "reported",
    dropped: row.dropped ?? 0,
    duplicates: row.duplicates ?? 0,
    reordered: row.reordered ?? 0,
    ...(last && { last }),
  };
  return view;
}

/** Records do not tell when what is missing was lost: it stands in the whole alone. */
function pointsOf({ error_ms }: Row, { bins }: RowDetail, endOf: (bin: number) => number): Point[] {
  return [...bins].filter(([, { count }]) => count > 0).map(([bin, delays]): Point => {
    const [p50, p95, p99] = delays.percentiles([0.5, 0.95, 0.99]).map(toMs);
    const counts = new Map<number, number>();
    delays.eachBucket((us, count) => {
      const bucket = bucketOf(us / 1000);
      counts.set(bucket, (counts.get(bucket) ?? 0) + count);
    });
    const [max, error] = [toMs(delays.max), error_ms?.max ?? null];
    return [endOf(bin), delays.count, 0, p50!, p95!, p99!, max, error, [...counts].flat()];
  });
}

function curveOf(id: number, { delays }: RowDetail): PercentileCurve {
  const { count } = delays;
  const quantiles: number[] = [];
  for (let half = 1; half * count >= 1; half /= 2) {
    for (let step = 0; step < STEPS_A_HALVING; step++) {
      quantiles.push(1 - half + (half / 2) * (step / STEPS_A_HALVING));
    }
  }
  if (count > 0) quantiles.push(1);
  const values = delays.percentiles(quantiles);
  return {
    id,
    count,
    curve: quantiles.map((quantile, index) => [quantile, toMs(values[index]!)]),
  };
}

/** Within a path all are servers; without one, those that only receive. */
function nodesOf(keys: readonly KeyView[]): NodeView[] {
  const between = new Set(keys.flatMap(({ key }) => keyNodes(key).slice(1, -1)));
  const senders = new Set(keys.map(({ from }) => from));
  const names = new Set(keys.flatMap(({ from, to }) => [from, to]));
  return [...names].map((name) => ({
    name,
    kind: between.has(name) || !senders.has(name) ? "server" : "client",
    state: "live",
    sessions: 0,
  }));
}

/** Both measures of one pair of places together; what clocks do not let be shown is left out. */
function differencesOf(comparisons: readonly Comparison[]): DifferenceView[] {
  const shown = comparisons.filter(({ verdict }) => verdict !== "not shown: clocks");
  const places = Map.groupBy(shown, ({ from, to, route }) => JSON.stringify([from, to, route]));
  return [...places.values()].map((group): DifferenceView => {
    const { a, b, from, to } = group[0]!;
    const oneWay = group.find(({ measure }) => measure === "one way");
    const both = group.find(({ measure }) => measure !== "one way");
    const median = oneWay && intervalOf(oneWay);
    const bothMedian = both && intervalOf(both);
    const errorMs = oneWay?.error_ms;
    return {
      ...{ a, b, from, to, reporter: "records", state: "live" },
      pairs: Math.max(...group.map(({ pairs }) => pairs)),
      ...(errorMs !== undefined && { error_ms: { p50: errorMs, max: errorMs } }),
      ...(oneWay && { owd_ms: figuresOf(oneWay) }),
      ...(median && { owd_median_ms: median }),
      ...(both && { round_trip_ms: figuresOf(both) }),
      ...(bothMedian && { round_trip_median_ms: bothMedian }),
    };
  });
}

function intervalOf({ differences: [first] }: Comparison) {
  const { low, high } = first!;
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** What a comparison tells of the distribution of differences: its middle. */
function figuresOf({ differences }: Comparison): DelayFigures {
  const { ms: p50, low = p50, high = p50 } = differences[0]!;
  const p95 = differences.find(({ figure }) => figure === "p95")?.ms ?? p50;
  return {
    ...{ min: low, mean: p50, stddev: 0, p50, p90: p95, p95, p99: p95, p999: p95, max: high },
  };
}
