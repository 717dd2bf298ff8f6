/** How a key is doing, in one word, for the reader who looks for what is wrong. */

import type { KeyView, Point } from "../../metrics/mesh-view.ts";
import { lossOf } from "./figures.ts";
import type { KnownKey } from "./store.ts";

/** From good to bad. What is stale or dead has no say on being slow or lossy. */
export const CONDITIONS = ["ok", "slow", "lossy", "stale", "dead"] as const;
export type Condition = typeof CONDITIONS[number];

export interface Word {
  word: string;
  /** Shown beside or instead of the colour. */
  mark: string;
  means: string;
}

export const WORDS: Readonly<Record<Condition, Word>> = {
  ok: { word: "ok", mark: "", means: "Messages arrive as they did before." },
  slow: {
    word: "slow",
    mark: "▲",
    means: "Typical delays of the last 30 s are above the P95 of nine in ten earlier intervals.",
  },
  lossy: {
    word: "lossy",
    mark: "◆",
    means: "Messages were lost in the last minute, or more than 1 in 1,000 since the start.",
  },
  stale: { word: "stale", mark: "◌", means: "Nothing new for longer than its pace explains." },
  dead: { word: "dead", mark: "✕", means: "Who sent or measured it has left or died." },
};

const RECENT_MS = 30_000;
/** Fewer recent messages than this say nothing about being slow. */
const LEAST_MESSAGES = 3;
/** Earlier intervals: so few say nothing, so many are looked at. */
const LEAST_EARLIER = 3;
const MOST_EARLIER = 100;
const USUAL_SHARE = 0.9;
const LOSS_RECENT_MS = 60_000;
const LOSS_SHARE = 0.001;

/**
 * @param at now, by the clock of the server
 * @param isCut the page has heard nothing from the server for too long: it cannot know
 */
export function conditionOf({ view, points }: KnownKey, at: number, isCut: boolean): Condition {
  if (view.state === "gone") return "dead";
  if (view.state === "stale" || isCut) return "stale";
  if (lossOf(view) >= LOSS_SHARE || lostSince(points, at - LOSS_RECENT_MS) > 0) return "lossy";
  return isSlow(view, points, at - RECENT_MS) ? "slow" : "ok";
}

function lostSince(points: readonly Point[], sinceAt: number): number {
  let lost = 0;
  for (let i = points.length - 1; i >= 0 && points[i]![0] > sinceAt; i--) lost += points[i]![2];
  return lost;
}

/** Whether the recent intervals' medians, averaged by their messages, are unusual for this key. */
function isSlow({ ms }: KeyView, points: readonly Point[], sinceAt: number): boolean {
  let messages = 0;
  let sumMs = 0;
  let index = points.length - 1;
  for (; index >= 0 && points[index]![0] > sinceAt; index--) {
    const [, count, , p50] = points[index]!;
    if (p50 === null) continue;
    messages += count;
    sumMs += count * p50;
  }
  if (messages < LEAST_MESSAGES) return false;
  const recentMs = sumMs / messages;
  let earlier = 0;
  let below = 0;
  for (let steps = 0; index >= 0 && steps < MOST_EARLIER; index--, steps++) {
    const p95 = points[index]![4];
    if (p95 === null) continue;
    earlier++;
    if (p95 < recentMs) below++;
  }
  // Without a past of intervals there is only the one that the figures tell of.
  return earlier < LEAST_EARLIER
    ? ms !== undefined && recentMs > ms.p95
    : below >= USUAL_SHARE * earlier;
}
