// What a report makes of records: figures, losses, copies, groups.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeySummary } from "../metrics/summary.ts";
import { summaryLine } from "../metrics/summary-records.ts";
import { Histogram } from "../metrics/histogram.ts";
import { delayFigures } from "../metrics/delays.ts";
import type { ReportDocument } from "./document.ts";
import { reportOn } from "./report-world.ts";
import { BACK, DOWN, hopLine, START_US, UP } from "./sample-records.ts";

const numbers = (last: number, ...without: readonly number[]) =>
  Array.from({ length: last }, (_, index) => index + 1).filter((one) => !without.includes(one));

function rowsOf({ keys }: ReportDocument) {
  return keys.map(({ key, route, hops, echo, count }) => [key, route, hops, echo, count]);
}

test("each record counts once, however often it is there", async (t) => {
  const lines = numbers(100).flatMap((n) => [hopLine(UP, n), hopLine(DOWN, n)]);
  const { records, keys } = await reportOn(t, [...lines, ...lines.toReversed(), ...lines]);
  assert.deepEqual([records.hops, records.duplicates, records.lines], [200, 400, 600]);
  assert.deepEqual(keys.map(({ count }) => count), [100, 100, 100]);
});

test("hops and paths have rows of their own; a path's route is that of both ends", async (t) => {
  const report = await reportOn(t, [
    ...numbers(10).map((n) => hopLine(DOWN, n)),
    ...numbers(10).map((n) => hopLine(UP, n)),
    hopLine(BACK, 3),
  ]);
  assert.deepEqual(rowsOf(report), [
    ["a::~::server", "direct", 1, false, 10],
    ["server::~::a", "direct", 1, true, 1],
    ["server::~::b", "other", 1, false, 10],
    ["a::~::server<~>server::~::a", "direct", 2, true, 1],
    ["a::~::server<~>server::~::b", "direct>other", 2, false, 10],
  ]);
  const path = report.keys.at(-1)!;
  assert.deepEqual(path.error_ms, { p50: 0.6, max: 0.6 });
  assert.equal(path.ms!.p50, 14);
});

test("lost up is what the relay has not recorded, lost down what it has", async (t) => {
  const { keys } = await reportOn(t, [
    ...numbers(12, 4, 5).map((n) => hopLine(UP, n)),
    ...[2, 3, 6, 8, 10, 11].map((n) => hopLine(DOWN, n)),
  ]);
  assert.deepEqual(keys.map(({ key, lost, up, down }) => [key, lost, up, down]), [
    ["a::~::server", 2, 2, 0],
    ["server::~::b", 2, 0, 2],
    ["a::~::server<~>server::~::b", 4, 2, 2],
  ]);
});

test("where the relay recorded nothing, it is not known where messages were lost", async (t) => {
  const { keys } = await reportOn(t, [1, 4].map((n) => hopLine(DOWN, n)));
  const { route, lost, up, down } = keys.at(-1)!;
  assert.deepEqual([route, lost, up, down], ["?>other", 2, 0, 0]);
});

test("of a hop that others recorded too, the end's own records count", async (t) => {
  const told = { ...UP, reporter: "b", region: "elsewhere" };
  const lines = [
    ...numbers(20).map((n) => hopLine(told, n)),
    ...numbers(20, 7).map((n) => hopLine(UP, n)),
  ];
  for (const order of [lines, lines.toReversed()]) {
    const { keys, records } = await reportOn(t, order);
    assert.deepEqual(keys.map(({ key, count, lost }) => [key, count, lost]), [
      ["a::~::server", 19, 1],
    ]);
    assert.equal(records.duplicates, 19);
  }
  const alone = await reportOn(t, numbers(20).map((n) => hopLine(told, n)));
  assert.equal(alone.keys[0]!.count, 20, "where the end said nothing, others count");
});

test("delays by clocks whose offset was unknown count, but not in ms", async (t) => {
  const { keys } = await reportOn(t, [
    hopLine(UP, 1, { delayUs: 5e6, errorUs: NaN }),
    hopLine(UP, 2, { delayUs: -20 }),
    hopLine(UP, 3, { delayUs: 30, errorUs: NaN, clock: "system" }),
    // By one clock, whatever the others are.
    hopLine(BACK, 4, { errorUs: NaN }),
  ]);
  const [up, , path] = keys;
  assert.deepEqual([up!.count, up!.uncorrected, up!.negative], [3, 1, 1]);
  assert.deepEqual([up!.ms!.min, up!.ms!.max], [-0.02, 0.03]);
  assert.deepEqual([path!.uncorrected, path!.ms!.p50], [0, 14]);
});

test("a path from one route of a client to another is by one clock", async (t) => {
  const across = { ...DOWN, reporter: "a", to: "a", clockId: UP.clockId };
  const { keys } = await reportOn(t, [
    hopLine(UP, 1),
    hopLine(across, 1, { errorUs: NaN, elapsedUs: 20_000 }),
  ]);
  const path = keys.at(-1)!;
  assert.deepEqual([path.uncorrected, path.error_ms?.max], [0, 0.01]);
});

test("the time asked for is from --since on, and before --until", async (t) => {
  const lines = numbers(100).map((n) => hopLine(UP, n, { receivedUs: START_US + n * 1e6 }));
  const args = ["--since", "2026-03-01T09:30:10", "--until", "2026-03-01T09:30:20Z"];
  const { records, keys, first } = await reportOn(t, lines, args);
  assert.deepEqual([records.hops, records.outside, keys[0]!.count], [10, 90, 10]);
  assert.equal(first, "2026-03-01T09:30:10.000000Z");
});

test("keys are chosen by pattern, or by a part of them", async (t) => {
  const lines = [UP, DOWN, BACK].map((spec) => hopLine(spec, 1));
  const keysOf = async (pattern: string) =>
    (await reportOn(t, lines, ["--key", pattern])).keys.map(({ key }) => key);
  assert.deepEqual(await keysOf("server*"), ["server::~::a", "server::~::b"]);
  assert.equal((await keysOf("~>")).length, 2);
  assert.deepEqual(await keysOf("nobody"), []);
});

test("rows can be grouped, hops and paths apart", async (t) => {
  const lines = numbers(10).flatMap((n) => [UP, DOWN, BACK].map((spec) => hopLine(spec, n)));
  const by = async (dimension: string) =>
    (await reportOn(t, lines, ["--by", dimension])).keys
      .map(({ key, hops, echo, count }) => [key, hops, echo, count]);
  assert.deepEqual(
    await by("from"),
    [
      ["a", 1, false, 10],
      ["server", 1, false, 10],
      ["server", 1, true, 10],
      ["a", 2, false, 10],
      ["a", 2, true, 10],
    ],
  );
});

/** Summary of messages of 5 ms in seconds `at` to `at + 10`. */
function summary(at: number, reporter: string, changes: Partial<KeySummary> = {}): string {
  const histogram = new Histogram(3);
  for (let i = 0; i < 100; i++) histogram.record(5000 + i);
  const counts = { lost: 1, up: 1, down: 0, dropped: 0, duplicates: 2, reordered: 0 };
  return summaryLine(
    {
      ...{ key: UP.key, from: "a", to: "server", route: "direct", hops: 1, echo: false },
      ...{ count: 100, per_second: 10, negative: 0, uncorrected: 0, ...counts },
      ms: delayFigures(histogram)!,
      error_ms: { p50: 0.25, max: 0.5 },
      hdr: histogram.encode(),
      ...changes,
    },
    { startUs: START_US + at * 1e6, endUs: START_US + (at + 10) * 1e6 },
    {
      ...{ reporter, region: null, zone: null, run: `run of ${reporter}` },
    },
  );
}

test("summaries of many intervals make one row, each interval once", async (t) => {
  const lines = [0, 10, 20, 30, 10].map((at) => summary(at, "server"));
  const { keys, records } = await reportOn(t, lines);
  assert.deepEqual([records.summaries, records.duplicates], [4, 1]);
  const [row] = keys;
  assert.deepEqual([row!.count, row!.lost, row!.duplicates], [400, 4, 8]);
  assert.deepEqual([row!.ms!.min, row!.ms!.max, row!.ms!.mean], [5, 5.099, 5.0495]);
  assert.ok(Math.abs(row!.ms!.p50 - 5.05) < 0.005);
  assert.deepEqual(row!.error_ms, { p50: 0.25, max: 0.5 });
});

test("messages that hop records and summaries both tell of count once", async (t) => {
  const hops = numbers(50).map((n) => hopLine(UP, n, { receivedUs: START_US + n * 1e5 }));
  const summaries = [0, 60, 120, 180, 240].map((at) => summary(at, "server"));
  const others = [0, 60, 120].map((at) => summary(at, "a", { echo: true }));
  for (const lines of [[...hops, ...summaries, ...others], [...others, ...summaries, ...hops]]) {
    const { keys } = await reportOn(t, lines);
    assert.equal(keys.length, 1);
    assert.equal(keys[0]!.count, 50 + 4 * 100);
  }
});

test("a summary whose histogram is broken is a malformed line", async (t) => {
  const { records } = await reportOn(t, [summary(0, "server", { hdr: "AAAA" }), hopLine(UP, 1)]);
  assert.deepEqual([records.malformed, records.summaries, records.hops], [1, 0, 1]);
  assert.match(records.first_malformed!, /not a compressed V2 histogram/);
});
