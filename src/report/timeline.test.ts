import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTimeline } from "./timeline.ts";

function sums(timeline: ReturnType<typeof createTimeline>) {
  return timeline.createSeries(() => ({ sum: 0 }), (into, from) => into.sum += from.sum);
}

test("whatever the times, a series has few bins, and nothing is lost", () => {
  const times = fc.array(fc.integer({ min: 0, max: 4e15 }), { minLength: 1, maxLength: 300 });
  fc.assert(fc.property(times, times, (some, others) => {
    const timeline = createTimeline(1e6, 64);
    const [one, other] = [sums(timeline), sums(timeline)];
    for (const time of some) one.at(time).sum++;
    for (const time of others) other.at(time).sum++;
    for (const [series, all] of [[one, some], [other, others]] as const) {
      assert.ok(series.bins.size <= 64);
      const counted = new Map<number, number>();
      for (const time of all) {
        const number = Math.floor(time / timeline.widthUs);
        counted.set(number, (counted.get(number) ?? 0) + 1);
      }
      const found = [...series.bins].map(([number, { sum }]) => [number, sum]);
      assert.deepEqual(found.sort(), [...counted].sort());
    }
  }));
});

test("a short time has bins of a second, and wider ones where it is asked for", () => {
  const timeline = createTimeline(1e6, 64);
  const series = sums(timeline);
  for (let second = 0; second < 60; second++) series.at(second * 1e6).sum++;
  assert.deepEqual([timeline.widthUs, series.bins.size], [1e6, 60]);
  timeline.widen(10e6);
  assert.deepEqual([timeline.widthUs, series.bins.size], [16e6, 4]);
});

test("very many series share a bounded number of bins", () => {
  const timeline = createTimeline(1e6, 64);
  const all = Array.from({ length: 40_000 }, () => sums(timeline));
  for (let minute = 0; minute < 4; minute++) {
    for (const series of all) series.at(minute * 15e6).sum++;
  }
  const bins = all.reduce((sum, series) => sum + series.bins.size, 0);
  assert.ok(bins <= 80_000, `${bins} bins`);
  assert.ok(
    all.every((series) => [...series.bins.values()].reduce((a, { sum }) => a + sum, 0) === 4),
  );
});
