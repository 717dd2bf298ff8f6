import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bucketOf, bucketPercentiles, type Point } from "../../metrics/mesh-view.ts";
import { createWindowSum } from "./figures.ts";

const WINDOW_S = 60;
const SECOND_MS = 1000;

/** A point of one second, of these delays. */
function pointOf(index: number, delays: readonly number[], lost: number, errorMs: number): Point {
  const counts = new Map<number, number>();
  for (const ms of delays) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
  const buckets = [...counts].sort(([a], [b]) => a - b).flat();
  const max = delays.length > 0 ? Math.max(...delays) : null;
  const p = bucketPercentiles([buckets], [0.5, 0.95, 0.99]) ?? [null, null, null];
  const bound = max === null ? null : errorMs;
  const endAt = (index + 1) * SECOND_MS;
  return [endAt, delays.length, lost, p[0]!, p[1]!, p[2]!, max, bound, buckets];
}

const seconds = fc.array(
  fc.record({
    delays: fc.array(fc.double({ min: 0.01, max: 500, noNaN: true }), { maxLength: 5 }),
    lost: fc.integer({ min: 0, max: 3 }),
    errorMs: fc.double({ min: 0, max: 9, noNaN: true }),
  }),
  { minLength: 1, maxLength: 200 },
);

test("a window that moves on holds what a fresh sum over its points does", () => {
  fc.assert(fc.property(seconds, (all) => {
    const points: Point[] = [];
    const sum = createWindowSum(WINDOW_S);
    for (const [index, { delays, lost, errorMs }] of all.entries()) {
      points.push(pointOf(index, delays, lost, errorMs));
      const at = (index + 1) * SECOND_MS;
      const figures = sum.figures(points, at);
      const inside = points.filter(([endAt]) => endAt > at - WINDOW_S * SECOND_MS);
      const measured = inside.filter(([, , , p50]) => p50 !== null);
      assert.equal(figures.count, inside.reduce((total, point) => total + point[1], 0));
      assert.equal(figures.lost, inside.reduce((total, point) => total + point[2], 0));
      const expected = bucketPercentiles(inside.map((point) => point[8]), [0.5, 0.95, 0.99]);
      if (expected === undefined) {
        assert.equal(figures.delays, undefined);
        continue;
      }
      const max = Math.max(...measured.map((point) => point[6]!));
      const [p50, p95, p99] = expected.map((ms) => Math.min(ms, max));
      assert.deepEqual(figures.delays, { p50, p95, p99, max });
      assert.equal(figures.errorMs, Math.max(...measured.map((point) => point[7]!)));
    }
  }));
});

test("a bound that one interval does not know is unknown", () => {
  const points = [pointOf(0, [1], 0, 0.1), pointOf(1, [2], 0, 0.2)];
  points[0]![7] = null;
  assert.equal(createWindowSum(WINDOW_S).figures(points, 2000).errorMs, undefined);
});
