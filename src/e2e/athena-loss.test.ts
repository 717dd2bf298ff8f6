// What Athena's views say of lost messages, of records that are not there, and of odd ones.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  createHopLines,
  type HopMeasurement,
  type HopRecordSpec,
  type RecordSource,
} from "../metrics/records.ts";
import { fromUnixMs } from "../relay/time.ts";
import { duckdbMissing, type Lake, openLake } from "./duckdb.ts";
import { ARRIVED, DAY, putLines, putObject, readLines, workFolder } from "./lake-files.ts";
import { documentOf, startClient, startProxy, startServer } from "./processes.ts";

const options = { skip: duckdbMissing };

test("what a relay dropped is found in the records, all but the last", options, async (t) => {
  const folder = await workFolder(t);
  const file = (name: string) => join(folder, name);
  const server = await startServer(t, [
    "--max-backlog",
    "512KiB",
    "--ndjson",
    file("server.ndjson"),
  ]);
  const { port } = await startProxy(t, {
    target: { host: "127.0.0.1", port: server.port },
    up: { delayUs: 0 },
    // Less than what is sent, and enough for what is in the sockets to be through before the end.
    down: { delayUs: 0, bytesPerSecond: 4e6 },
  });
  const slow = await startClient(t, port, [
    ...["-n", "slow", "--echo", "--interval", "200ms", "--count", "40", "--size", "16"],
    ...["--warmup", "0", "--json", "--ndjson", file("slow.ndjson")],
  ]);
  const fast = await startClient(t, server.port, [
    ...["-n", "fast", "--rate", "300", "--count", "600", "--size", "65536"],
  ]);
  assert.equal((await fast.exited).code, 0);
  const document = documentOf(await slow.exited);
  await server.stop();

  const lines = (await Promise.all(["server", "slow"].map((name) =>
    readLines(file(`${name}.ndjson`))
  ))).flat();
  await putLines(file("lake"), lines);
  const lake = await open(t, file("lake"));
  const key = "fast::~::server<~>server::~::slow";
  const summary = document.keys.find((one) => one.key === key)!;
  assert.ok(summary.dropped > 50, `the relay dropped ${summary.dropped}`);

  const [found] = await lake.query(
    `SELECT * FROM loss_by_key WHERE span = 'day' AND key = '${key}'`,
  );
  const [last] = await lake.query(`
    SELECT max(CASE WHEN hop = 1 THEN sequence END) - max(CASE WHEN hop = 2 THEN sequence END) AS tail
    FROM hops WHERE "from" = 'fast' OR path = '${key}'`);
  const tail = last!["tail"] as number;
  const { count, lost, up, down } = summary;
  assert.deepEqual(
    ["count", "lost", "up", "down"].map((name) => found![name]),
    [count, lost - tail, up, down - tail],
  );
  const [inbound] = await lake.query(
    `SELECT count, lost, up, down FROM loss_by_key WHERE span = 'day' AND key = 'fast::~::server'`,
  );
  assert.deepEqual(inbound, { count: 600, lost: 0, up: 0, down: 0 });
});

async function open(t: TestContext, folder: string): Promise<Lake> {
  const lake = await openLake(folder);
  t.after(() => lake.close());
  return lake;
}

const SOURCE: RecordSource = { reporter: "", region: null, zone: null, run: "r" };
const INBOUND: HopRecordSpec = {
  ...SOURCE,
  reporter: "server",
  key: "a::~::server",
  session: "a1",
  toSession: "a1",
  clockId: "clocks of a",
  from: "a",
  to: "server",
  route: "direct",
  flow: 0,
  hop: 1,
  hops: 1,
  path: "a::~::server",
  last: false,
  echo: false,
  transport: "tcp",
  peer: null,
};
const OUTBOUND: HopRecordSpec = {
  ...INBOUND,
  reporter: "b",
  key: "server::~::b",
  toSession: "b1",
  clockId: "clocks of b",
  from: "server",
  to: "b",
  route: "other",
  hop: 2,
  hops: 2,
  path: "a::~::server<~>server::~::b",
  last: true,
};

/** The line of one hop of message `sequence`. */
function hop(
  spec: HopRecordSpec,
  sequence: number,
  changes: Partial<HopMeasurement> = {},
): string {
  const sentUs = fromUnixMs(ARRIVED.getTime()) + sequence * 1000;
  return createHopLines(spec)({
    sequence,
    length: 16,
    intendedUs: sentUs,
    sentUs,
    receivedUs: sentUs + 7000,
    delayUs: 7000,
    rawUs: 7000,
    errorUs: 300,
    clock: "estimate",
    rttUs: 14_000,
    residenceUs: 10,
    pathUs: 14_000,
    elapsedUs: 14_010,
    ...changes,
  }).trimEnd();
}

async function lakeOf(t: TestContext, lines: readonly string[], later: readonly string[] = []) {
  const folder = await workFolder(t);
  await putObject(folder, ARRIVED, "stream-1-a.gz", lines);
  const nextDay = new Date(ARRIVED.getTime() + 24 * 3_600_000);
  if (later.length > 0) await putObject(folder, nextDay, "stream-1-b", later);
  return await open(t, folder);
}

test("lost up is what the relay has not recorded, lost down what it has", options, async (t) => {
  const sequences = (...without: number[]) =>
    Array.from({ length: 12 }, (_, index) => index + 1).filter((one) => !without.includes(one));
  const lake = await lakeOf(t, [
    ...sequences(4, 5).map((sequence) => hop(INBOUND, sequence)),
    // The first and the last are missing too: nobody knows whether they were for this receiver.
    ...sequences(1, 4, 5, 7, 9, 12).map((sequence) => hop(OUTBOUND, sequence)),
  ]);
  const rows = await lake.query(`
    SELECT hops, route, count, lost, up, down FROM loss_by_key WHERE span = 'hour' ORDER BY hops`);
  assert.deepEqual(rows, [
    { hops: 1, route: "direct", count: 10, lost: 2, up: 2, down: 0 },
    { hops: 2, route: "direct>other", count: 6, lost: 4, up: 2, down: 2 },
  ]);
});

test("each receiver of a session has its own loss", options, async (t) => {
  const other = { ...OUTBOUND, toSession: "b2" };
  const lake = await lakeOf(t, [
    ...[1, 2, 3].map((sequence) => hop(INBOUND, sequence)),
    ...[1, 3].map((sequence) => hop(OUTBOUND, sequence)),
    ...[1, 2, 3].map((sequence) => hop(other, sequence)),
  ]);
  const rows = await lake.query(
    `SELECT count, lost, up, down FROM loss_by_key WHERE span = 'day' AND hops = 2`,
  );
  assert.deepEqual(rows, [{ count: 5, lost: 1, up: 0, down: 1 }]);
});

test("routes compare by bare clock readings, however they were corrected", options, async (t) => {
  const second = { ...INBOUND, session: "a2", toSession: "a2", route: "accelerated" };
  const lake = await lakeOf(t, [
    hop(INBOUND, 1, { rawUs: 5_024_000, delayUs: 24_000 }),
    // The estimate of the offset has moved between the two.
    hop(second, 1, { rawUs: 5_011_000, delayUs: 10_400 }),
    // Without a partner.
    hop(INBOUND, 2),
    hop({ ...second, clockId: "other clocks" }, 2),
    hop({ ...second, flow: 1 }, 2),
  ]);
  const rows = await lake.query(`
    SELECT a, b, pairs, p50_ms, share_faster, b_is FROM routes_compared
    WHERE span = 'day' ORDER BY p50_ms`);
  assert.deepEqual(rows.map((row) => Object.values(row)), [
    ["direct", "accelerated", 1, -13, 1, "not shown to differ"],
    ["accelerated", "direct", 1, 13, 0, "not shown to differ"],
  ]);
});

test("without the relay's records, loss is told but not where", options, async (t) => {
  const lake = await lakeOf(t, [1, 2, 5].map((sequence) => hop(OUTBOUND, sequence)));
  const rows = await lake.query(
    `SELECT hops, route, count, lost, up, down FROM loss_by_key WHERE span = 'day'`,
  );
  assert.deepEqual(rows, [{ hops: 2, route: "?>other", count: 3, lost: 2, up: 0, down: 0 }]);
});

test("delays below zero count as 0 in percentiles, unknown ones not at all", options, async (t) => {
  const lake = await lakeOf(t, [
    hop(INBOUND, 1, { delayUs: -200, errorUs: 300 }),
    hop(INBOUND, 2, { delayUs: -100, errorUs: 300 }),
    hop(INBOUND, 3, { delayUs: 5000, errorUs: 100 }),
    hop(INBOUND, 4, { delayUs: 9e9, errorUs: NaN }),
    hop(INBOUND, 5, { delayUs: 7000, errorUs: NaN, clock: "system" }),
  ]);
  const [row] = await lake.query(`
    SELECT count, uncorrected, negative, min_ms, mean_ms, p50_ms, p90_ms, max_ms,
      error_p50_ms, error_max_ms
    FROM figures_by_key WHERE span = 'hour'`);
  assert.deepEqual(row, {
    count: 5,
    uncorrected: 1,
    negative: 2,
    min_ms: -0.2,
    mean_ms: 2.925,
    p50_ms: 0,
    p90_ms: 7,
    max_ms: 7,
    error_p50_ms: 0.3,
    error_max_ms: 0.3,
  });
});

test("a path is known where both its hops are, or one clock measured it", options, async (t) => {
  const unknown = { errorUs: NaN };
  const lake = await lakeOf(t, [
    hop(INBOUND, 1, { errorUs: 200 }),
    hop(OUTBOUND, 1, { errorUs: 300 }),
    hop(INBOUND, 2, unknown),
    hop(OUTBOUND, 2),
    hop(INBOUND, 3),
    hop(OUTBOUND, 3, unknown),
    hop(INBOUND, 4, unknown),
    hop({ ...OUTBOUND, clockId: INBOUND.clockId }, 4, unknown),
    hop({ ...OUTBOUND, echo: true }, 5, unknown),
    hop(OUTBOUND, 6),
  ]);
  const rows = await lake.query(
    `SELECT sequence, ms, elapsed_ms, error_ms, one_clock FROM paths ORDER BY sequence`,
  );
  assert.deepEqual(rows.map((row) => Object.values(row)), [
    [1, 14, 14.01, 0.5, false],
    [2, null, 14.01, null, false],
    [3, null, 14.01, null, false],
    [4, 14, 14.01, 0.0005 * 14.01, true],
    [5, 14, 14.01, 0.0005 * 14.01, true],
    [6, 14, 14.01, null, false],
  ]);
});

test(
  "of a hop that others recorded too, the record of its own end is taken",
  options,
  async (t) => {
    const lake = await lakeOf(t, [
      hop({ ...INBOUND, reporter: "b", clockId: null }, 1, { rttUs: NaN }),
      hop(INBOUND, 1),
      hop({ ...INBOUND, reporter: "c", clockId: null }, 1, { rttUs: NaN }),
    ]);
    const rows = await lake.query("SELECT reporter, clock_id, rtt_ms FROM hops");
    assert.deepEqual(rows, [{ reporter: "server", clock_id: "clocks of a", rtt_ms: 14 }]);
  },
);

test(
  "a question about a day reads that day alone, and a copy of another day counts there",
  options,
  async (t) => {
    const lake = await lakeOf(t, [hop(INBOUND, 1), hop(OUTBOUND, 1)], [hop(INBOUND, 1)]);
    const days = await lake.query(
      `SELECT day, count(*) AS count FROM hops GROUP BY day ORDER BY day`,
    );
    assert.deepEqual(days, [{ day: DAY, count: 2 }, { day: "2026/03/02", count: 1 }]);
    for (const view of ["hops", "paths", "figures_by_key", "loss_by_key", "routes_compared"]) {
      const scans = await lake.scans(`SELECT * FROM ${view} WHERE day = '${DAY}'`);
      assert.ok(scans.length > 0);
      for (const scan of scans) assert.match(scan, /day *= *'2026\/03\/01'/, view);
    }
  },
);
