// Athena's table and views, run on DuckDB over records of real runs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { KeySummary, RunSummary } from "../metrics/summary.ts";
import { ATHENA, firehoseFolder, readTable } from "./athena-table.ts";
import { duckdbMissing, type Lake, openLake, VIEWS } from "./duckdb.ts";
import { ARRIVED, DAY, putLines, readLines, workFolder } from "./lake-files.ts";
import { documentOf, start, startClient, startProxy, startServer } from "./processes.ts";

const faketime = spawnSync("faketime", ["--version"]).error === undefined;

interface Mesh {
  lines: string[];
  lake: Lake;
  documents: Record<"server" | "two" | "other" | "summed", RunSummary>;
}

/** Two routes of one client, another client with a wrong clock, and one that writes summaries. */
async function runMesh(t: TestContext): Promise<Mesh> {
  const folder = await workFolder(t);
  const file = (name: string) => join(folder, name);
  const server = await startServer(t, ["--json", "--ndjson", file("server.ndjson")]);
  const target = { host: "127.0.0.1", port: server.port };
  const [direct, accelerated] = await Promise.all([
    startProxy(t, { target, up: { delayUs: 24_000, jitterUs: 4000 }, down: { delayUs: 9000 } }),
    startProxy(t, { target, up: { delayUs: 11_000 }, down: { delayUs: 15_000, jitterUs: 9000 } }),
  ]);
  const through = faketime ? ["faketime", "-f", "+5s"] : [];
  const other = await startClient(t, server.port, [
    ...["-n", "other", "--rate", "25", "--count", "300", "--json"],
    ...["--ndjson", file("other.ndjson.gz")],
  ], { through });
  const summed = await startClient(t, server.port, [
    ...["-n", "summed", "--rate", "50", "--count", "200", "--echo", "--json", "--stats", "1"],
    ...["--records", "summary", "--ndjson", file("summed.ndjson")],
  ]);
  // The client itself pairs what is less than 64 messages of a session apart: a slow pace keeps that
  // far away, however busy the machine.
  const two = start(t, "client", [
    ...["-s", `direct=127.0.0.1:${direct.port},accelerated=127.0.0.1:${accelerated.port}`],
    ...["-n", "two", "--rate", "25", "--count", "300", "--json"],
    ...["--ndjson", file("two.ndjson")],
  ]);
  const [ofTwo, ofOther, ofSummed] = await Promise.all(
    [two, other, summed].map(async ({ exited }) => documentOf(await exited)),
  );
  const ofServer = documentOf(await server.stop());
  const files = ["server.ndjson", "two.ndjson", "other.ndjson.gz", "summed.ndjson"];
  const lines = (await Promise.all(files.map((name) => readLines(file(name))))).flat();
  await putLines(file("lake"), lines);
  const lake = await openLake(file("lake"));
  t.after(() => lake.close());
  return {
    lines,
    lake,
    documents: { server: ofServer, two: ofTwo!, other: ofOther!, summed: ofSummed! },
  };
}

/** Within a thousandth or a microsecond, whichever is larger: the histograms' own steps. */
function assertNear(actual: unknown, expected: number, what: string, share = 0.001): void {
  const most = Math.max(Math.abs(expected) * share, 0.001) + 1e-9;
  assert.ok(
    typeof actual === "number" && Math.abs(actual - expected) <= most,
    `${what}: ${actual}, the program says ${expected}`,
  );
}

/** What a program's own hops and paths are called in the views: first hops are the server's. */
function recordedKeys(document: RunSummary): KeySummary[] {
  const isClient = document.tool === "performance-client";
  return document.keys.filter(({ hops, from }) => !isClient || hops > 1 || from === "server");
}

async function checkFigures({ lake, documents }: Mesh): Promise<void> {
  const rows = await lake.query(`SELECT * FROM figures_by_key WHERE span = 'day'`);
  const summaries = [documents.server, documents.two, documents.other].flatMap(recordedKeys);
  assert.equal(rows.length, summaries.length);
  for (const { key, route, hops, echo, ms, error_ms, ...counts } of summaries) {
    const what = `${key} by ${route}, ${hops} hops${echo ? ", echo" : ""}`;
    const row = rows.find((one) =>
      one["key"] === key && one["route"] === route && one["hops"] === hops && one["echo"] === echo
    );
    assert.ok(row, what);
    assert.equal(row["day"], DAY);
    for (const name of ["from", "to", "count", "negative", "uncorrected"] as const) {
      assert.equal(
        row[name],
        counts[name],
        `${what}: ${name} ${row[name]}, the program says ${counts[name]}`,
      );
    }
    for (const name of ["min", "mean", "p50", "p90", "p95", "p99", "max"] as const) {
      assertNear(row[`${name}_ms`], ms![name], `${what}: ${name}`);
    }
    for (const name of ["p50", "max"] as const) {
      assertNear(row[`error_${name}_ms`], error_ms![name], `${what}: error ${name}`, 0.01);
    }
  }
}

async function checkDifferences({ lake, documents }: Mesh): Promise<void> {
  const rows = await lake.query(`
    SELECT * FROM routes_compared
    WHERE span = 'day' AND a = 'direct' AND b = 'accelerated'`);
  const differences = documents.two.differences!;
  assert.deepEqual(differences.map(({ from, to }) => `${from} ${to}`), [
    "two server",
    "server two",
  ]);
  assert.equal(rows.length, 3);
  for (const difference of differences) {
    const { from, to, pairs, owd_ms, round_trip_ms, error_ms } = difference;
    for (
      const [measure, figures] of [["one way", owd_ms], ["round trip", round_trip_ms]] as const
    ) {
      if (figures === undefined) continue;
      const what = `${measure} ${from} to ${to}`;
      const row = rows.find((one) =>
        one["measure"] === measure && one["from"] === from && one["to"] === to
      );
      assert.ok(row, what);
      assert.equal(
        row["pairs"],
        pairs,
        `${what}: pairs ${row["pairs"]}, the program says ${pairs}`,
      );
      for (const name of ["mean", "p50", "p95"] as const) {
        assertNear(row[`${name}_ms`], figures[name], `${what}: ${name}`);
      }
      if (measure === "one way") assertNear(row["error_max_ms"], error_ms!.max, `${what}: bound`);
    }
  }
}

async function checkColumns(lines: readonly string[]): Promise<void> {
  const { columns, partitions, properties } = await readTable("s3://bucket/prefix", DAY);
  const samples = new Map<string, unknown[]>();
  for (const line of lines) {
    for (const [name, value] of Object.entries(JSON.parse(line))) {
      const values = samples.get(name) ?? [];
      samples.set(name, values);
      if (value !== null) values.push(value);
    }
  }
  assert.deepEqual(
    columns.map(({ name }) => name).sort(),
    [...samples.keys()].sort(),
  );
  for (const { name, type } of columns) {
    const odd = samples.get(name)!.find((value) => !fits(value, type));
    assert.equal(odd, undefined, `${name} ${type}`);
  }
  assert.deepEqual(partitions.map(({ name }) => name), ["day", "hour"]);
  assert.equal(
    properties["storage.location.template"]!.replace("${day}", DAY).replace("${hour}", "09"),
    `s3://bucket/prefix/${firehoseFolder(ARRIVED)}/`,
  );
  assert.equal(properties["projection.day.range"], `${DAY},NOW`);
}

function fits(value: unknown, type: string): boolean {
  if (type === "int") return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31;
  if (type === "bigint") return Number.isInteger(value);
  const types: Record<string, string> = { double: "number" };
  return Object.is(typeof value, types[type] ?? type);
}

async function checkCopies({ lines, lake }: Mesh): Promise<void> {
  const records = lines.map((line) => JSON.parse(line));
  const hops = records.filter(({ kind }) => kind === "hop");
  const ids = new Set(hops.map(({ id, hop, to_id }) => `${id} ${hop} ${to_id}`));
  assert.equal(ids.size, hops.length, "the programs record each hop once");
  const [copies] = await lake.query("SELECT count(*) AS count FROM records WHERE kind = 'hop'");
  assert.ok((copies!["count"] as number) > hops.length + 100, "copies have been put in");
  const [left] = await lake.query("SELECT count(*) AS count FROM hops");
  assert.equal(left!["count"], hops.length);
}

async function checkTimes({ lines, lake }: Mesh): Promise<void> {
  const record = lines.map((line) => JSON.parse(line)).find(({ echo }) => echo === true);
  const [row] = await lake.query(`SELECT * FROM hops WHERE id = '${record.id}' AND echo`);
  for (const name of ["intended", "sent", "received"] as const) {
    assert.equal(row![name], `${record[name].slice(0, 23)}Z`, name);
  }
  assert.equal(
    row!["received_us"],
    Date.parse(record.received) * 1000 + Number(record.received.slice(23, 26)),
  );
  assert.equal(`${row!["session"]}-${row!["sequence"]}`, record.id);
  const minutes = await lake.query(`
    SELECT start, sum(count) AS count FROM figures_by_key
    WHERE span = 'minute' AND hops = 1 GROUP BY start`);
  for (const { start } of minutes) assert.match(String(start), /:00.000Z$/);
  const [all] = await lake.query("SELECT count(*) AS count FROM hops");
  const inMinutes = minutes.reduce((sum, { count }) => sum + Number(count), 0);
  assert.equal(inMinutes, all!["count"]);
}

async function checkSummaries({ lake, documents }: Mesh): Promise<void> {
  const rows = await lake.query(`
    SELECT key, route, echo, hops, sum(count) AS count, sum(lost) AS lost, max(max_ms) AS max,
      count(*) AS intervals
    FROM summaries GROUP BY key, route, echo, hops`);
  const { keys } = documents.summed;
  assert.equal(rows.length, keys.length);
  for (const { key, route, echo, count, lost, ms } of keys) {
    const row = rows.find((one) =>
      one["key"] === key && one["route"] === route && one["echo"] === echo
    );
    assert.deepEqual([row?.["count"], row?.["lost"], row?.["max"]], [count, lost, ms!.max], key);
  }
  assert.ok(rows.some(({ intervals }) => Number(intervals) > 1));
}

/** The README's examples, as they stand, over this lake. */
async function checkExamples({ lake, documents }: Mesh): Promise<void> {
  const text = await readFile(`${ATHENA}README.md`, "utf8");
  assert.deepEqual(/^for name in table (.*); do$/m.exec(text)![1]!.split(" "), VIEWS);
  const examples = [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql]) => sql!);
  const [byKey, byKeyOfDays, roundTrips, faster, lost] = await Promise.all(
    examples.map((sql) => lake.query(sql)),
  );
  const slowest = recordedKeys(documents.two).concat(documents.server.keys)
    .concat(recordedKeys(documents.other))
    .filter(({ hops }) => hops === 1).toSorted((a, b) => b.ms!.p95 - a.ms!.p95)[0]!;
  assert.equal(byKey![0]!["key"], slowest.key);
  assertNear(byKey![0]!["p95_ms"], slowest.ms!.p95, slowest.key);
  assert.ok(byKeyOfDays!.length > 0 && byKeyOfDays!.length <= byKey!.length);
  assert.deepEqual(
    [...new Set(roundTrips!.map(({ route }) => route))].sort(),
    ["accelerated", "direct"],
  );
  assert.equal(faster!.length, 3);
  for (const { measure, from, to, b_is } of faster!) {
    const difference = documents.two.differences!.find((one) =>
      one.from === from && one.to === to
    )!;
    const oneWay = measure === "one way";
    const { low, high } = (oneWay ? difference.owd_median_ms : difference.round_trip_median_ms)!;
    const bound = difference.error_ms!.p50;
    const verdict = low - bound > 0
      ? "slower"
      : high + bound < 0
      ? "faster"
      : "not shown to differ";
    assert.equal(b_is, verdict, `${measure} ${from} to ${to}`);
  }
  assert.deepEqual(lost, [], "nothing is lost over TCP");
}

test("records of real runs", { skip: duckdbMissing }, async (t) => {
  const mesh = await runMesh(t);
  await t.test("have the table's columns, and are where it looks", () => checkColumns(mesh.lines));
  await t.test("are in the view of hops once, however often they came", () => checkCopies(mesh));
  await t.test("keep their times and intervals", () => checkTimes(mesh));
  await t.test("give the programs' figures by key", () => checkFigures(mesh));
  await t.test("compare routes as the client does", () => checkDifferences(mesh));
  await t.test("give the summaries of who writes only those", () => checkSummaries(mesh));
  await t.test("answer the questions of the README", () => checkExamples(mesh));
});
