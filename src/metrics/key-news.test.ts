import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "./figure-set.ts";
import { createKeyNews, type KeyNews } from "./key-news.ts";
import { bucketMs, bucketOf, bucketPercentiles, MOST_BUCKET } from "./mesh-view.ts";

const SPEC = { key: "a::~::b", from: "a", to: "b", route: "r", hops: 1, echo: false };

function createWorld() {
  const figures = createFigureSet();
  const loss = { lost: 0, up: 0, down: 0, dropped: 0, duplicates: 0, reordered: 0 };
  const stream = figures.get(SPEC).open(() => ({ ...loss }));
  let sequence = 0;
  const news = createKeyNews(figures);
  return {
    figures,
    loss,
    record: (ms: number, errorMs = 0.5) =>
      stream.record(++sequence, 100, ms * 1000, ms * 1000, errorMs * 1000, NaN),
    recordUncorrected: () => stream.recordUncorrected(++sequence, 100, 0),
    take: (): KeyNews[] => [...news(2000)],
  };
}

test("an interval has what came in it, and nothing else", () => {
  const world = createWorld();
  for (let ms = 1; ms <= 100; ms++) world.record(ms);
  world.take();
  for (let ms = 101; ms <= 200; ms++) world.record(ms, 2);
  const [second] = world.take();
  const { count, delays, errorMs } = second!.interval;
  assert.equal(count, 100);
  assert.equal(delays!.max, 200);
  assert.ok(Math.abs(delays!.p50 - 150) < 0.2, `${delays!.p50}`);
  assert.ok(Math.abs(delays!.p99 - 199) < 0.2, `${delays!.p99}`);
  assert.ok(Math.abs(errorMs! - 2) < 0.02, `${errorMs}`);
  assert.equal(second!.summary.count, 200);
  assert.equal(second!.summary.per_second, 50);
});

test("a maximum below an earlier one is told by its bucket", () => {
  const world = createWorld();
  world.record(500);
  world.take();
  world.record(100);
  const { max } = world.take()[0]!.interval.delays!;
  assert.ok(Math.abs(max - 100) < 0.1, `${max}`);
});

test("where nothing came and nothing was lost there is no news", () => {
  const world = createWorld();
  world.record(1);
  assert.equal(world.take().length, 1);
  assert.deepEqual(world.take(), []);
  world.loss.lost = world.loss.down = 3;
  assert.equal(world.take()[0]!.interval.loss.lost, 3);
  world.loss.lost = world.loss.down = 2;
  const { interval } = world.take()[0]!;
  assert.equal(interval.loss.lost, -1, "one came after all");
  assert.equal(interval.count, 0);
  assert.equal(interval.delays, undefined);
});

test("messages without a delay are counted", () => {
  const world = createWorld();
  world.recordUncorrected();
  const { interval } = world.take()[0]!;
  assert.equal(interval.count, 1);
  assert.equal(interval.delays, undefined);
});

test("rotations for summary records take nothing from the news, nor twice into it", () => {
  const world = createWorld();
  world.record(1);
  world.record(2);
  world.figures.rotate(1);
  world.record(3);
  const { interval } = world.take()[0]!;
  assert.equal(interval.count, 3);
  const { delays } = interval;
  assert.equal(delays!.max, 3);
  assert.equal(delays!.buckets.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b), 3);
  world.figures.rotate(1);
  assert.deepEqual(world.take(), []);
  world.record(4);
  assert.equal(world.take()[0]!.interval.count, 1);
});

test("two that ask have each their own intervals", () => {
  const world = createWorld();
  const other = createKeyNews(world.figures);
  world.record(1);
  world.take();
  world.record(2);
  assert.equal([...other(1000)][0]!.interval.count, 2);
  assert.equal(world.take()[0]!.interval.count, 1);
});

test("a bucket's middle is within 1.6 % of each of its delays", () => {
  for (let ms = 0.0001; ms < 1e8; ms *= 1.003) {
    const middle = bucketMs(bucketOf(ms));
    assert.ok(Math.abs(middle - ms) <= Math.max(0.016 * ms, 0.00005), `${ms}: ${middle}`);
  }
  assert.equal(bucketOf(-3), 0);
  assert.equal(MOST_BUCKET, 1151);
});

test("percentiles of a window come from the buckets of its points", () => {
  const points = [[bucketOf(1), 98], [bucketOf(1), 1, bucketOf(9), 1]];
  const [p50, p99, max] = bucketPercentiles(points, [0.5, 0.99, 1])!;
  assert.ok(Math.abs(p50! - 1) < 0.016);
  assert.ok(Math.abs(p99! - 1) < 0.016);
  assert.ok(Math.abs(max! - 9) < 0.15);
  assert.equal(bucketPercentiles([[]], [0.5]), undefined);
});

test("a smaller maximum behind a rotation does not hide the larger one before it", () => {
  const world = createWorld();
  world.take();
  world.record(50, 3);
  world.figures.rotate(1);
  world.record(5, 1);
  const { interval } = world.take()[0]!;
  assert.equal(interval.delays!.max, 50);
  assert.ok(Math.abs(interval.errorMs! - 3) < 0.03, `${interval.errorMs}`);
});
