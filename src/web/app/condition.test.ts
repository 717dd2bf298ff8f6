import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyView, Point } from "../../metrics/mesh-view.ts";
import { conditionOf } from "./condition.ts";

const AT = 1_000_000;

/** Intervals of 10 s up to now, the last one last, with these medians. */
function pointsOf(medians: readonly number[], lost: readonly number[] = []): Point[] {
  return medians.map((p50, index) => {
    const endAt = AT - (medians.length - 1 - index) * 10_000;
    return [endAt, 5, lost[index] ?? 0, p50, p50 + 2, p50 + 3, p50 + 4, 0.1, []];
  });
}

function condition(view: Partial<KeyView>, points: Point[], isCut = false) {
  const known = { state: "live", count: 1000, lost: 0, ...view } as KeyView;
  return conditionOf({ view: known, points, hasHistory: true, sum: undefined }, AT, isCut);
}

const USUAL = [10, 11, 10, 9, 10, 11, 10];

test("a key is slow when it is slower than it usually was", () => {
  assert.equal(condition({}, pointsOf([...USUAL, 10, 11, 10])), "ok");
  assert.equal(condition({}, pointsOf([...USUAL, 20, 21, 20])), "slow");
  assert.equal(condition({}, pointsOf([...USUAL, 10, 11, 14])), "ok", "one interval of three");
});

test("a key is lossy for a minute after a loss, and as long as it loses 1 in 1,000", () => {
  assert.equal(condition({}, pointsOf(USUAL, [0, 0, 0, 0, 0, 1])), "lossy");
  assert.equal(condition({}, pointsOf(USUAL, [1])), "ok", "a minute ago");
  assert.equal(condition({ lost: 2 }, pointsOf(USUAL)), "lossy");
});

test("nothing is well where nobody measures, or the page hears nothing", () => {
  assert.equal(condition({ state: "gone", lost: 9 }, pointsOf(USUAL)), "dead");
  assert.equal(condition({ state: "stale" }, pointsOf(USUAL)), "stale");
  assert.equal(condition({}, pointsOf(USUAL), true), "stale");
});
