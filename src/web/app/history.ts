/// <reference lib="dom" />
/** Fetches the past: points from before the page was opened, and distributions since the start. */

import type { PercentileCurve, PercentilesView, SeriesView } from "../../metrics/mesh-view.ts";
import type { KnownKey, Store } from "./store.ts";

/** Keys of one request. */
const MOST_SERIES = 100;
const MOST_CURVES = 20;
const CURVES_AGE_MS = 9_000;
/** While there is more to come, what has come is drawn so often. */
const SHOW_EVERY_MS = 2_000;

export interface History {
  /** Sees to it that these keys have their points, the first ones first. */
  wantPoints(keys: readonly KnownKey[]): void;
  /** Sees to it that these keys have their curves, not too old. */
  wantCurves(keys: readonly KnownKey[]): void;
  readonly curves: ReadonlyMap<number, PercentileCurve>;
  /** More points are on their way. */
  readonly isBusy: boolean;
  forget(): void;
}

/** @param changed something has come */
export function createHistory(base: string, store: Store, changed: () => void): History {
  const curves = new Map<number, PercentileCurve>();
  let wanted: readonly KnownKey[] = [];
  let isFetching = false;
  let showAtMs = 0;
  let curvesOf = "";
  let curvesAt = 0;

  async function get<T>(path: string): Promise<T | undefined> {
    try {
      const answer = await fetch(base + path);
      return answer.ok ? await answer.json() : undefined;
    } catch {
      // The server is not there: the feed says so, and a snapshot asks again.
      return undefined;
    }
  }

  async function fetchPoints(): Promise<void> {
    if (isFetching || wanted.every(({ hasHistory }) => hasHistory)) return;
    isFetching = true;
    try {
      for (;;) {
        const some = wanted.filter(({ hasHistory }) => !hasHistory).slice(0, MOST_SERIES);
        if (some.length === 0) return;
        const ids = some.map(({ view }) => view.id);
        const run = store.mesh?.run;
        const found = await get<SeriesView>(`api/v1/series?keys=${ids.join()}`);
        if (found === undefined || store.mesh?.run !== run) return;
        const points = new Map(found.series.map((each) => [each.id, each.points]));
        for (const id of ids) store.takePoints(id, points.get(id) ?? []);
        const isFirst = ids[0] === wanted[0]?.view.id;
        const isLast = wanted.every(({ hasHistory }) => hasHistory);
        if (isFirst || isLast || performance.now() > showAtMs) {
          showAtMs = performance.now() + SHOW_EVERY_MS;
          changed();
        }
      }
    } finally {
      isFetching = false;
      changed();
    }
  }

  return {
    curves,
    get isBusy() {
      return isFetching;
    },
    wantPoints(keys) {
      wanted = keys;
      fetchPoints();
    },
    async wantCurves(keys) {
      const ids = keys.slice(0, MOST_CURVES).map(({ view }) => view.id).join();
      const now = performance.now();
      if (ids === "" || (ids === curvesOf && now - curvesAt < CURVES_AGE_MS)) return;
      curvesOf = ids;
      curvesAt = now;
      const found = await get<PercentilesView>(`api/v1/percentiles?keys=${ids}`);
      if (found === undefined) return;
      for (const curve of found.curves) curves.set(curve.id, curve);
      changed();
    },
    forget() {
      curves.clear();
      curvesOf = "";
    },
  };
}

/** The past that a report's file brings with it. */
export function createFixedHistory(percentiles: PercentilesView): History {
  return {
    curves: new Map(percentiles.curves.map((curve) => [curve.id, curve])),
    isBusy: false,
    wantPoints() {},
    wantCurves() {},
    forget() {},
  };
}
