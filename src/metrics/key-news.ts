/** What is new of a process's own keys, interval by interval. */

import type { FigureSet } from "./figure-set.ts";
import type { FigureWatch, IntervalFigures } from "./figure-watch.ts";
import type { Figures } from "./figures.ts";
import type { KeySummary } from "./summary.ts";

export interface KeyNews {
  figures: Figures;
  /** Since the start, without `hdr`; rates are those of the interval. */
  summary: KeySummary;
  interval: IntervalFigures;
  /** Length of the interval. */
  spanMs: number;
}

/**
 * Tells, each time that it is asked, of the keys that had a message or a loss since it was asked
 * before. One by one, so that who asks may let messages pass in between.
 */
export function createKeyNews(figures: FigureSet): (spanMs: number) => Iterable<KeyNews> {
  const watches = new Map<Figures, FigureWatch>();
  return function* (spanMs) {
    // What comes while this waits is news of the next interval.
    for (const figure of [...figures.all()]) {
      let watch = watches.get(figure);
      if (watch === undefined) watches.set(figure, watch = figure.watch());
      const interval = watch.take();
      if (interval === undefined) continue;
      const summary = figure.summarise(0, false);
      summary.per_second = Math.round((interval.count * 1e6) / spanMs) / 1000;
      yield { figures: figure, summary, interval, spanMs };
    }
  };
}

/** Longest time that is worked at a stretch, ms: messages wait for no more than this. */
const STRETCH_MS = 0.3;

/** Takes each item, letting messages pass after every few. */
export async function inStretches<T>(
  items: Iterable<T>,
  take: (item: T) => void,
): Promise<void> {
  let untilMs = performance.now() + STRETCH_MS;
  for (const item of items) {
    take(item);
    if (performance.now() < untilMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    untilMs = performance.now() + STRETCH_MS;
  }
}
