import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "./figure-set.ts";
import { createTrends, MAX_TREND_KEYS, TREND_INTERVALS } from "./trends.ts";

function createWorld() {
  const figures = createFigureSet();
  const trends = createTrends(figures);
  const openKey = (from: string) => {
    const spec = { key: `${from}::~::b`, from, to: "b", route: "r", hops: 1, echo: false };
    const loss = { lost: 0, up: 0, down: 0, dropped: 0, duplicates: 0, reordered: 0 };
    const stream = figures.get(spec).open(() => ({ ...loss }));
    let sequence = 0;
    return {
      loss,
      record: (ms: number, errorMs = 0.5) =>
        stream.record(++sequence, 100, ms * 1000, ms * 1000, errorMs * 1000, NaN),
    };
  };
  return { trends, openKey };
}

const rounded = (values: (number | null)[]) =>
  values.map((value) => value === null ? null : Math.round(value));

test("an interval has the p95 of what came in it, and null where nothing came", () => {
  const { trends, openKey } = createWorld();
  const { record } = openKey("a");
  for (const values of [[10, 20], [], [30]]) {
    for (const ms of values) record(ms);
    trends.endInterval();
  }
  const [only] = trends.all();
  assert.deepEqual(rounded(only!.p95_ms), [20, null, 30]);
  assert.equal(only!.key, "a::~::b");
});

test("losses stand in the interval in which they became known, and taking back adds none", () => {
  const { trends, openKey } = createWorld();
  const { loss } = openKey("a");
  for (const lost of [0, 3, 5, 4]) {
    loss.lost = loss.up = lost;
    trends.endInterval();
  }
  assert.deepEqual(trends.all()[0]!.lost, [0, 3, 2, 0]);
});

test("a key that comes later has as many intervals as the others", () => {
  const { trends, openKey } = createWorld();
  openKey("a").record(10);
  trends.endInterval();
  openKey("c").record(20);
  trends.endInterval();
  assert.deepEqual(trends.all().map(({ p95_ms }) => rounded(p95_ms)), [[10, null], [null, 20]]);
});

test("the latest 30 intervals are kept, and a key with nothing in them is not told of", () => {
  const { trends, openKey } = createWorld();
  const a = openKey("a");
  openKey("c").record(5);
  for (let ms = 1; ms <= TREND_INTERVALS + 5; ms++) {
    a.record(ms);
    trends.endInterval();
  }
  const all = trends.all();
  assert.deepEqual(all.map(({ key }) => key), ["a::~::b"]);
  assert.equal(TREND_INTERVALS, 30);
  assert.deepEqual(rounded(all[0]!.p95_ms), Array.from({ length: 30 }, (_, index) => index + 6));
  assert.equal(all[0]!.lost.length, 30);
});

test("the change is that of medians of three intervals, with the bounds of both", () => {
  const { trends, openKey } = createWorld();
  const { record } = openKey("a");
  const interval = (ms: number, errorMs: number) => {
    record(ms, errorMs);
    trends.endInterval();
    return trends.all()[0]!.change;
  };
  for (const ms of [10, 90, 11]) assert.equal(interval(ms, 0.5), undefined);
  for (let turn = 0; turn < TREND_INTERVALS * 2; turn++) interval(50, 3);
  interval(21, 0.25);
  interval(99, 0.25);
  trends.endInterval();
  const change = interval(20, 0.25)!;
  assert.ok(Math.abs(change.ms - 10) < 0.1, `${change.ms}`);
  assert.ok(Math.abs(change.from_ms - 11) < 0.1, `${change.from_ms}`);
  assert.ok(Math.abs(change.error_ms! - 0.75) < 0.02, `${change.error_ms}`);
  assert.equal(interval(20, NaN)!.error_ms, undefined);
});

test("no more keys are followed than a screen has room for", () => {
  const { trends, openKey } = createWorld();
  for (let index = 0; index < MAX_TREND_KEYS + 5; index++) openKey(`a${index}`).record(1);
  trends.endInterval();
  assert.equal(trends.all().length, MAX_TREND_KEYS);
});
