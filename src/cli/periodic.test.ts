import assert from "node:assert/strict";
import { test } from "node:test";
import { showPeriodically } from "./periodic.ts";

/** Counts intervals that are set and cleared instead of letting them run. */
function withIntervals(body: (intervals: Map<number, { call: () => void; ms: number }>) => void) {
  const { setInterval, clearInterval } = globalThis;
  const intervals = new Map<number, { call: () => void; ms: number }>();
  let last = 0;
  Object.assign(globalThis, {
    setInterval: (call: () => void, ms: number) => {
      intervals.set(++last, { call, ms });
      return last;
    },
    clearInterval: (id: number) => intervals.delete(id),
  });
  try {
    body(intervals);
  } finally {
    Object.assign(globalThis, { setInterval, clearInterval });
  }
}

const shown = { report: () => {}, redraw: () => {} };

test("a live view is redrawn twice a second beside its reports", () =>
  withIntervals((intervals) => {
    showPeriodically({ statsMs: 10_000, isLive: true }, shown);
    assert.deepEqual([...intervals.values()], [
      { call: shown.report, ms: 10_000 },
      { call: shown.redraw, ms: 500 },
    ]);
  }));

test("without a live view there are reports only, and none where they are switched off", () =>
  withIntervals((intervals) => {
    showPeriodically({ statsMs: 0, isLive: false }, shown);
    assert.equal(intervals.size, 0);
    showPeriodically({ statsMs: 2000, isLive: false }, shown);
    assert.deepEqual([...intervals.values()], [{ call: shown.report, ms: 2000 }]);
  }));

test("both end together", () =>
  withIntervals((intervals) => {
    const stop = showPeriodically({ statsMs: 1000, isLive: true }, shown);
    stop();
    assert.equal(intervals.size, 0);
  }));
