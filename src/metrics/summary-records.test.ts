import assert from "node:assert/strict";
import { test } from "node:test";
import { fromUnixMs } from "../relay/time.ts";
import { createFigures } from "./figures.ts";
import { noLoss } from "./loss.ts";
import { summaryLine } from "./summary-records.ts";

const PATH = {
  key: "a::~::s<~>s::~::b",
  from: "a",
  to: "b",
  route: "direct",
  hops: 2,
  echo: false,
};
const INTERVAL = {
  startUs: fromUnixMs(Date.UTC(2026, 2, 1)),
  endUs: fromUnixMs(Date.UTC(2026, 2, 1, 0, 0, 10)),
};
const SOURCE = { reporter: "b", region: "eu-west-1", zone: null, run: "2f00c5a1" };

test("a summary record has flat figures of its interval, and no ms", () => {
  const figures = createFigures(PATH);
  const stream = figures.open(() => ({ ...noLoss(), lost: 2, down: 2 }));
  stream.record(0, 128, 1000, 1000, 20, 1250);
  stream.record(1, 128, 3000, 3000, 20, 3250);
  const line = summaryLine(figures.rotate(10), INTERVAL, SOURCE);
  assert.equal(line.indexOf("\n"), line.length - 1);
  const { hdr, ...record } = JSON.parse(line);
  assert.equal(typeof hdr, "string");
  const distribution = (prefix: string, least: number, most: number) => ({
    [`${prefix}min_ms`]: least,
    [`${prefix}mean_ms`]: (least + most) / 2,
    [`${prefix}stddev_ms`]: (most - least) / 2,
    [`${prefix}p50_ms`]: least,
    [`${prefix}p90_ms`]: most,
    [`${prefix}p95_ms`]: most,
    [`${prefix}p99_ms`]: most,
    [`${prefix}p999_ms`]: most,
    [`${prefix}max_ms`]: most,
  });
  const expected = {
    key: PATH.key,
    received: "2026-03-01T00:00:10.000000Z",
    v: 1,
    kind: "summary",
    interval_start: "2026-03-01T00:00:00.000000Z",
    interval_end: "2026-03-01T00:00:10.000000Z",
    from: "a",
    to: "b",
    route: "direct",
    hops: 2,
    echo: false,
    count: 2,
    per_second: 0.2,
    bytes_per_second: 25.6,
    lost: 2,
    up: 0,
    down: 2,
    dropped: 0,
    duplicates: 0,
    reordered: 0,
    negative: 0,
    uncorrected: 0,
    ...distribution("", 1, 3),
    ...distribution("elapsed_", 1.25, 3.25),
    error_p50_ms: 0.02,
    error_max_ms: 0.02,
    ...distribution("ipdv_", 2, 2),
    jitter_ms: 0.125,
    reporter: "b",
    region: "eu-west-1",
    zone: null,
    run: "2f00c5a1",
  };
  assert.deepEqual(record, expected);
  assert.deepEqual(Object.keys(record), Object.keys(expected));
});

test("an interval that lost everything has its loss and no delays", () => {
  const figures = createFigures(PATH);
  figures.open(() => ({ ...noLoss(), lost: 5, up: 5 }));
  const record = JSON.parse(summaryLine(figures.rotate(10), INTERVAL, SOURCE));
  assert.deepEqual([record.count, record.lost, record.up], [0, 5, 5]);
  assert.deepEqual(Object.keys(record).filter((name) => name.endsWith("_ms")), []);
});
