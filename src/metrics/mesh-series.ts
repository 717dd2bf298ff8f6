/** The points of all keys, as JSON ready to be sent, within a bound on all of them together. */

import type { Point } from "./mesh-view.ts";

/** Of one key, and of all together: the more keys, the fewer points each. About 100 bytes each. */
const MOST_POINTS_OF_KEY = 720;
const LEAST_POINTS_OF_KEY = 12;
const MOST_POINTS = 250_000;

export interface Series {
  add(point: Point): void;
  /** JSON of the points that end after `sinceAt` (ms since 1970), oldest first. */
  json(sinceAt: number): string;
}

export interface SeriesStore {
  create(): Series;
  /** One key less. */
  release(): void;
}

export function createSeriesStore(): SeriesStore {
  let keys = 0;
  const limit = (): number =>
    Math.min(MOST_POINTS_OF_KEY, Math.max(LEAST_POINTS_OF_KEY, Math.floor(MOST_POINTS / keys)));
  return {
    create() {
      keys++;
      const ends: number[] = [];
      const points: string[] = [];
      return {
        add(point) {
          ends.push(point[0]);
          points.push(JSON.stringify(point));
          // Cut in larger pieces: moving an array is not free.
          if (points.length <= limit() * 1.25) return;
          const surplus = points.length - limit();
          ends.splice(0, surplus);
          points.splice(0, surplus);
        },
        json(sinceAt) {
          const first = ends.findIndex((endAt) => endAt > sinceAt);
          return first < 0 ? "[]" : `[${points.slice(first).join()}]`;
        },
      };
    },
    release() {
      keys--;
    },
  };
}
