/** How a key is doing, in one word, for the reader who looks for what is wrong. */

import type { Point } from "../../metrics/mesh-view.ts";
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
    means: "In the last 30 s, typical delays were above the P95 since the start.",
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
  return isSlow(view.ms?.p95, points, at - RECENT_MS) ? "slow" : "ok";
}

function lostSince(points: readonly Point[], sinceAt: number): number {
  let lost = 0;
  for (let i = points.length - 1; i >= 0 && points[i]![0] > sinceAt; i--) lost += points[i]![2];
  return lost;
}

/** Whether the intervals' medians, averaged by their messages, are unusual for this key. */
function isSlow(usual: number | undefined, points: readonly Point[], sinceAt: number): boolean {
  if (usual === undefined) return false;
  let messages = 0;
  let sumMs = 0;
  for (let i = points.length - 1; i >= 0 && points[i]![0] > sinceAt; i--) {
    const [, count, , p50] = points[i]!;
    if (p50 === null) continue;
    messages += count;
    sumMs += count * p50;
  }
  return messages >= LEAST_MESSAGES && sumMs / messages > usual;
}
