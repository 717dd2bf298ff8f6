/** The latest intervals of a process's own keys, and how far each key is from where it began. */

import type { FigureSet } from "./figure-set.ts";
import type { FigureWatch } from "./figure-watch.ts";
import type { Figures } from "./figures.ts";

/** Intervals that are kept of a key. */
export const TREND_INTERVALS = 30;
/** Keys that are followed, the first ones: a screen has no room for more. */
export const MAX_TREND_KEYS = 100;
/** Intervals that a level is the median of, so that one odd interval is no change. */
const LEVEL_INTERVALS = 3;

/** One key, over time. */
export interface KeyTrend {
  key: string;
  route: string;
  echo: boolean;
  /** Interval by interval, the latest last, as many for all keys; null where no delay was measured. */
  p95_ms: (number | null)[];
  /** Messages whose loss became known in each of these intervals. */
  lost: number[];
  change?: TrendChange;
}

/** The latest three intervals with delays against the first three. */
export interface TrendChange {
  /** Median of the latest p50s − that of the first. */
  ms: number;
  /** What that was at first. */
  from_ms: number;
  /** The bounds of both levels together; absent where one is unknown. */
  error_ms?: number;
}

export interface Trends {
  /** Ends an interval: call it regularly. */
  endInterval(): void;
  /** Of the keys that had a delay or a loss in the intervals kept. */
  all(): KeyTrend[];
}

interface Level {
  p50Ms: number;
  errorMs: number;
}

interface Follower {
  figures: Figures;
  watch: FigureWatch;
  p95Ms: (number | null)[];
  lost: number[];
  first: Level[];
  latest: Level[];
  /** Intervals with delays. */
  measured: number;
}

/** Follows the keys of `figures`, those included that come later. */
export function createTrends(figures: FigureSet): Trends {
  const followers = new Map<Figures, Follower>();
  let intervals = 0;

  const followNew = (): void => {
    for (const one of figures.all()) {
      if (followers.size >= MAX_TREND_KEYS) return;
      if (followers.has(one)) continue;
      followers.set(one, {
        figures: one,
        watch: one.watch(),
        p95Ms: new Array(intervals).fill(null),
        lost: new Array(intervals).fill(0),
        first: [],
        latest: [],
        measured: 0,
      });
    }
  };

  return {
    endInterval() {
      followNew();
      for (const follower of followers.values()) takeInterval(follower);
      intervals = Math.min(intervals + 1, TREND_INTERVALS);
    },
    all: () =>
      [...followers.values()].map(trendOf).filter(({ p95_ms, lost }) =>
        p95_ms.some((value) => value !== null) || lost.some((count) => count > 0)
      ),
  };
}

function takeInterval(follower: Follower): void {
  const { p95Ms, lost, first, latest } = follower;
  const news = follower.watch.take();
  push(p95Ms, news?.delays?.p95 ?? null, TREND_INTERVALS);
  // Below zero where a message came after all.
  push(lost, Math.max(0, news?.loss.lost ?? 0), TREND_INTERVALS);
  if (news?.delays === undefined) return;
  const level = { p50Ms: news.delays.p50, errorMs: news.errorMs ?? NaN };
  if (first.length < LEVEL_INTERVALS) first.push(level);
  push(latest, level, LEVEL_INTERVALS);
  follower.measured++;
}

function push<T>(list: T[], value: T, most: number): void {
  list.push(value);
  if (list.length > most) list.shift();
}

function trendOf({ figures, p95Ms, lost, first, latest, measured }: Follower): KeyTrend {
  const { key, route, echo } = figures.spec;
  return {
    key,
    route,
    echo,
    p95_ms: [...p95Ms],
    lost: [...lost],
    ...(measured > LEVEL_INTERVALS && { change: changeOf(first, latest) }),
  };
}

function changeOf(first: readonly Level[], latest: readonly Level[]): TrendChange {
  const fromMs = medianP50(first);
  const errorMs = largestError(first) + largestError(latest);
  return {
    ms: medianP50(latest) - fromMs,
    from_ms: fromMs,
    ...(errorMs === errorMs && { error_ms: errorMs }),
  };
}

/** Of an odd number of levels. */
function medianP50(levels: readonly Level[]): number {
  const ordered = levels.map(({ p50Ms }) => p50Ms).sort((a, b) => a - b);
  return ordered[ordered.length >> 1]!;
}

/** NaN where one is unknown. */
function largestError(levels: readonly Level[]): number {
  return Math.max(...levels.map(({ errorMs }) => errorMs));
}
