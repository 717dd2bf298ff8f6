// Reports of records that the programs themselves wrote, beside what they said and what DuckDB says.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { DelayFigures, RunSummary } from "../metrics/summary.ts";
import type { ReportDocument } from "../report/document.ts";
import type { Row } from "../report/rows.ts";
import { duckdbMissing, openLake } from "./duckdb.ts";
import { putLines, readLines, workFolder } from "./lake-files.ts";
import { documentOf, type Exit, start, startProxy, startServer } from "./processes.ts";

/** What `--compare` is to find: route b is longer by this, each way. */
const LONGER_US = 3000;

function report(t: TestContext, args: readonly string[]): Promise<Exit> {
  return start(t, "client", ["report", ...args]).exited;
}

async function reportOf(t: TestContext, args: readonly string[]): Promise<ReportDocument> {
  const { code, stdout, stderr } = await report(t, [...args, "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** A server, and a client of two routes to it, both of which record what they see. */
async function measure(t: TestContext, folder: string): Promise<RunSummary> {
  const server = await startServer(t, ["--ndjson", join(folder, "server.ndjson.gz")]);
  const proxy = await startProxy(t, {
    target: { host: "127.0.0.1", port: server.port },
    up: { delayUs: LONGER_US },
    down: { delayUs: LONGER_US },
  });
  const client = start(t, "client", [
    ...["-s", `a=127.0.0.1:${server.port},b=127.0.0.1:${proxy.port}`],
    ...["--rate", "200", "--count", "800", "--warmup", "3", "--size", "64"],
    ...["--ndjson", join(folder, "client.ndjson"), "--json"],
  ]);
  const run = documentOf(await client.exited);
  await server.stop();
  return run;
}

function assertNear(found: number, expected: number, what: string): void {
  const allowed = 0.001 * Math.abs(expected) + 0.0002;
  assert.ok(Math.abs(found - expected) <= allowed, `${what} is ${found}, should be ${expected}`);
}

function assertFigures(found: DelayFigures, expected: DelayFigures, what: string): void {
  for (const name of ["min", "mean", "p50", "p90", "p95", "p99", "p999", "max"] as const) {
    assertNear(found[name], expected[name], `${what}: ${name}`);
  }
}

/** The way up is the same for messages that come back and for those that do not. */
const nameOf = ({ key, route, hops, from, echo }: Row | RunSummary["keys"][number]) =>
  [key, route, hops, echo && !(hops === 1 && from === "client")].join(" ");

test("a report of a run's records says what the run said, and compares its routes", async (t) => {
  const folder = await workFolder(t);
  const run = await measure(t, folder);
  const { keys, records } = await reportOf(t, [folder]);
  assert.equal(records.malformed, 0);
  assert.deepEqual(records.torn, []);
  const found = new Map(keys.map((key) => [nameOf(key), key]));
  assert.equal(run.keys.filter(({ count }) => count > 0).length, keys.length);
  for (const expected of run.keys) {
    const row = found.get(nameOf(expected))!;
    assert.equal(row.count, expected.count, expected.key);
    assert.equal(row.lost, 0);
    assertFigures(row.ms!, expected.ms!, `${expected.key} ${expected.route}`);
  }

  const { comparisons } = await reportOf(t, ["--compare", "a", "b", folder]);
  const ways = comparisons!.map(({ measure, from, to }) => `${measure} ${from} ${to}`);
  assert.deepEqual(ways.sort(), [
    "one way client server",
    "one way server client",
    "round trip client server",
  ]);
  for (const { measure, verdict, pairs, differences } of comparisons!) {
    assert.equal(verdict, "slower", measure);
    assert.ok(pairs > 700, `${pairs} pairs`);
    const atLeast = (measure === "one way" ? 1 : 2) * LONGER_US / 1000;
    assert.equal(differences[0]!.figure, "pairs");
    assert.ok(differences[0]!.ms > 0.9 * atLeast, `${measure}: ${differences[0]!.ms} ms`);
  }
  const difference = run.differences!.find(({ from }) => from === "client")!;
  const oneWay = comparisons!.find(({ from }) => from === "client")!.differences[0]!;
  assertNear(oneWay.ms, difference.owd_ms!.p50, "the median difference one way");
});

test("summary records make the same figures as the run itself", async (t) => {
  const folder = await workFolder(t);
  const server = await startServer(t);
  const file = join(folder, "summary.ndjson");
  const client = start(t, "client", [
    ...["-s", `127.0.0.1:${server.port}`, "--echo", "--rate", "300", "--count", "600"],
    ...["--records", "summary", "--stats", "0.5", "--ndjson", file, "--json"],
  ]);
  const run = documentOf(await client.exited);
  await server.stop();
  const { keys, records } = await reportOf(t, [file]);
  assert.ok(records.summaries > run.keys.length, "several intervals");
  for (const expected of run.keys) {
    const row = keys.find((key) => nameOf(key) === nameOf(expected))!;
    assert.equal(row.count, expected.count);
    assertFigures(row.ms!, expected.ms!, expected.key);
  }
});

test("a report says what Athena's views say", { skip: duckdbMissing }, async (t) => {
  const folder = await workFolder(t);
  await measure(t, folder);
  // Some were lost before the relay, some behind it.
  const without = (lines: readonly string[], ...rests: readonly number[]) =>
    lines.filter((line) => !rests.includes(Number(/-(\d+)"/.exec(line)![1]) % 37));
  const lines = [
    ...without(await readLines(join(folder, "server.ndjson.gz")), 5),
    ...without(await readLines(join(folder, "client.ndjson")), 5, 6, 20),
  ];
  const lake = join(folder, "lake");
  await putLines(lake, lines);
  const { keys, records } = await reportOf(t, [lake]);
  assert.equal(records.hops, lines.length);
  assert.ok(records.duplicates > 0);
  assert.equal(records.malformed, 1, "the torn line");
  const views = await openLake(lake);
  t.after(() => views.close());
  const figures = await views.query(`
    SELECT * FROM figures_by_key JOIN loss_by_key
    USING (day, span, start, key, "from", "to", route, hops, echo, count) WHERE span = 'day'`);
  const plain = await views.query(`SELECT * FROM figures_by_key WHERE span = 'day'`);
  const idOf = (row: Record<string, unknown>) =>
    JSON.stringify([row["key"], row["route"], row["hops"], row["echo"]]);
  const rows = new Map(keys.map((row) => [idOf({ ...row }), row]));
  assert.equal(plain.length, keys.length);
  for (const expected of plain) {
    const row = rows.get(idOf(expected))!;
    assert.equal(row.count, expected["count"]);
    assert.equal(row.negative, expected["negative"]);
    for (const name of ["min", "mean", "p50", "p90", "p95", "p99", "max"] as const) {
      assertNear(row.ms![name], Number(expected[`${name}_ms`]), `${idOf(expected)} ${name}`);
    }
  }
  assert.ok(figures.length > 0);
  for (const expected of figures) {
    const { lost, up, down } = rows.get(idOf(expected))!;
    assert.deepEqual([lost, up, down], ["lost", "up", "down"].map((name) => expected[name]));
  }
  assert.ok(figures.some(({ lost }) => Number(lost) > 0), "something was lost");
});

test("a script learns by the exit code what a report found", async (t) => {
  const folder = await workFolder(t);
  await measure(t, folder);
  const file = join(folder, "client.ndjson");
  assert.equal((await report(t, [file, "--fail-if", "p50>10s,loss>50%"])).code, 0);
  const met = await report(t, [file, "--fail-if", "p50>1us"]);
  assert.equal(met.code, 3);
  assert.match(met.stdout, /--fail-if: .* p50 is .* \(p50>1us\)/);
  const wrong = await report(t, [file, "--fail-if", "p98>1ms"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr.split("\n")[0]!, /"p98" is none of .*; did you mean p9\d\?/);
  const missing = await report(t, [join(folder, "nothing.ndjson")]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /nothing\.ndjson: no such file or folder/);
  const help = await report(t, ["-h"]);
  assert.equal(help.code, 0);
  assert.ok(help.stdout.split("\n").every((line) => line.length <= 80));
});

const FULL = "/dev/full";

test("figures that cannot be written are a failure", { skip: !existsSync(FULL) }, async (t) => {
  const file = join(await workFolder(t), "none.ndjson");
  await writeFile(file, "");
  const through = ["/bin/sh", "-c", `exec "$@" >${FULL}`, "sh"];
  for (const form of ["--csv", "--json"]) {
    const { code } = await start(t, "client", ["report", file, form], { through }).exited;
    assert.equal(code, 1, form);
  }
});
