/** Figures of a key: of its whole time, or of a window of it, from the buckets of its points. */

import { bucketMs, type KeyView, type Point } from "../../metrics/mesh-view.ts";

export interface Figures {
  count: number;
  lost: number;
  /** Undefined where no delay was measured. */
  delays: { p50: number; p95: number; p99: number; max: number } | undefined;
  /** Largest bound on the error; undefined where it is unknown. */
  errorMs: number | undefined;
}

/** Share of what was sent that was lost. */
export function lossOf({ count, lost }: Pick<Figures, "count" | "lost">): number {
  return lost > 0 ? lost / (count + lost) : 0;
}

export function figuresSinceStart({ count, lost, ms, error_ms }: KeyView): Figures {
  return { count, lost, delays: ms, errorMs: error_ms?.max };
}

/** The buckets of a window that moves on: what comes is added, what is too old is taken off. */
export interface WindowSum {
  readonly windowS: number;
  /** @param points of one key, oldest first, always the same list, which only grows */
  figures(points: readonly Point[], at: number): Figures;
}

const QUANTILES = [0.5, 0.95, 0.99] as const;

export function createWindowSum(windowS: number): WindowSum {
  const buckets = new Map<number, number>();
  /** Points from `first` up to `next` are in the sums. */
  let first = 0;
  let next = 0;
  let count = 0;
  let lost = 0;
  let measured = 0;
  let figures: Figures | undefined;

  function add(point: Point, sign: 1 | -1): void {
    count += sign * point[1];
    lost += sign * point[2];
    const list = point[8];
    for (let i = 0; i + 1 < list.length; i += 2) {
      const bucket = list[i]!;
      const left = (buckets.get(bucket) ?? 0) + sign * list[i + 1]!;
      if (left === 0) buckets.delete(bucket);
      else buckets.set(bucket, left);
      measured += sign * list[i + 1]!;
    }
    figures = undefined;
  }

  function compute(points: readonly Point[]): Figures {
    let max = 0;
    let errorMs: number | undefined = 0;
    for (let i = first; i < next; i++) {
      const point = points[i]!;
      max = Math.max(max, point[6] ?? 0);
      if (point[6] !== null) errorMs = point[7] === null ? undefined : larger(errorMs, point[7]);
    }
    const found = percentiles(buckets, measured, max);
    return { count, lost, delays: found, errorMs: found && errorMs };
  }

  return {
    windowS,
    figures(points, at) {
      const sinceAt = at - windowS * 1000;
      for (; next < points.length; next++) add(points[next]!, 1);
      for (; first < next && points[first]![0] <= sinceAt; first++) add(points[first]!, -1);
      return figures ??= compute(points);
    },
  };
}

/** An unknown bound stays unknown. */
function larger(a: number | undefined, b: number): number | undefined {
  return a === undefined ? undefined : Math.max(a, b);
}

function percentiles(
  buckets: ReadonlyMap<number, number>,
  total: number,
  max: number,
): Figures["delays"] {
  if (total <= 0) return undefined;
  const ordered = [...buckets.keys()].sort((a, b) => a - b);
  const values: number[] = [];
  let seen = 0;
  for (const bucket of ordered) {
    seen += buckets.get(bucket)!;
    while (
      values.length < QUANTILES.length && Math.ceil(QUANTILES[values.length]! * total) <= seen
    ) values.push(Math.min(bucketMs(bucket), max));
  }
  const [p50 = max, p95 = max, p99 = max] = values;
  return { p50, p95, p99, max };
}
