// Athena's table and views, run on DuckDB over records of real runs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import type { KeySummary, RunSummary } from "../metrics/summary.ts";
import { firehoseFolder, readTable } from "./athena-table.ts";
import { duckdbMissing, type Lake, openLake, type Row } from "./duckdb.ts";
import { documentOf, start, startClient, startProxy, startServer } from "./processes.ts";

const options = { skip: duckdbMissing };
const faketime = spawnSync("faketime", ["--version"]).error === undefined;

/** Files arrive on one day, whatever the day of the test: midnight is looked at by itself. */
const ARRIVED = new Date("2026-03-01T09:30:00Z");
const DAY = "2026/03/01";
const HOUR_MS = 3_600_000;

async function workFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "athena-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Writes lines as one object of a Firehose stream. */
async function putObject(
  lake: string,
  arrived: Date,
  name: string,
  lines: readonly string[],
): Promise<void> {
  const path = join(lake, firehoseFolder(arrived), name);
  await mkdir(dirname(path), { recursive: true });
  const text = lines.map((line) => `${line}\n`).join("");
  await writeFile(path, name.endsWith(".gz") ? gzipSync(text) : text);
}

/** Spreads lines over the hours and objects of a day, some twice, and one torn. */
async function putLines(lake: string, lines: readonly string[]): Promise<void> {
  const at = (hours: number) => new Date(ARRIVED.getTime() + hours * HOUR_MS);
  const third = Math.ceil(lines.length / 3);
  const again = lines.filter((_, index) => index % 50 === 7);
  await putObject(lake, at(0), "stream-1-a.gz", lines.slice(0, third));
  await putObject(lake, at(0), "stream-1-b", [...lines.slice(third, 2 * third), ...again]);
  await putObject(lake, at(1), "stream-1-c.gz", [
    lines[0]!.slice(0, 90),
    ...lines.slice(2 * third),
  ]);
  await putObject(lake, at(2), "stream-1-d", again);
}

async function readLines(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  const text = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  return text.toString().trimEnd().split("\n");
}

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
    ...["-n", "other", "--rate", "100", "--count", "500", "--json"],
    ...["--ndjson", file("other.ndjson.gz")],
  ], { through });
  const summed = await startClient(t, server.port, [
    ...["-n", "summed", "--rate", "50", "--count", "200", "--echo", "--json", "--stats", "1"],
    ...["--records", "summary", "--ndjson", file("summed.ndjson")],
  ]);
  const two = start(t, "client", [
    ...["-s", `direct=127.0.0.1:${direct.port},accelerated=127.0.0.1:${accelerated.port}`],
    ...["-n", "two", "--rate", "200", "--count", "1000", "--json"],
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
      assert.equal(row[name], counts[name], `${what}: ${name}`);
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
      assert.equal(row["pairs"], pairs, what);
      for (const name of ["mean", "p50", "p95"] as const) {
        assertNear(row[`${name}_ms`], figures[name], `${what}: ${name}`);
      }
      if (measure === "one way") assertNear(row["error_max_ms"], error_ms!.max, `${what}: bound`);
    }
  }
}

test("records of real runs", options, async (t) => {
  const mesh = await runMesh(t);
  await t.test("figures by key are those of the programs", () => checkFigures(mesh));
  await t.test("routes compare as the client compares them", () => checkDifferences(mesh));
});
