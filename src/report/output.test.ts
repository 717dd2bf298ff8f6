// What a report looks like, and what it says to a script.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createProgress } from "./progress.ts";
import { run, workFolder } from "./report-world.ts";
import { BACK, DOWN, hopLine, START_US, UP } from "./sample-records.ts";

async function fileOf(t: TestContext, lines: readonly string[]): Promise<string> {
  const file = join(await workFolder(t), "records.ndjson");
  await writeFile(file, lines.join(""));
  return file;
}

/** Ten seconds of messages, ever slower. */
function slowing(spec: typeof UP, delayUs: number): string[] {
  return Array.from({ length: 100 }, (_, n) => {
    const us = delayUs + n * 100;
    const receivedUs = START_US + n * 100_000;
    return hopLine(spec, n, { delayUs: us, rawUs: us, pathUs: us, receivedUs });
  });
}

test("tables, bars and lines of blocks fit into 80 columns", async (t) => {
  const long = "client-in-a-region-with-a-name-as-long-as-they-get";
  const file = await fileOf(t, [
    ...slowing({ ...UP, from: long, key: `${long}::~::server` }, 5000),
    ...slowing(DOWN, 20_000),
    ...slowing(BACK, 10_000),
  ]);
  const { stdout } = await run([file]);
  const lines = stdout.split("\n");
  assert.ok(lines.every((line) => line.length <= 80), stdout);
  const bars = lines.slice(lines.indexOf("P95, ms") + 1, lines.indexOf("Max, ms") - 1);
  const lengths = bars.map((line) => line.split("█").length);
  assert.equal(bars.length, 5);
  assert.deepEqual(lengths, lengths.toSorted((a, b) => b - a), "the longest first");
  assert.match(stdout, /p95 over time, ms: 1 s a column, from 2026-03-01T09:30:00Z/);
  assert.match(stdout, /▁.*█ +\d/);
});

test("names of others cannot steer the terminal, nor a spreadsheet", async (t) => {
  const evil = { ...UP, from: "\x1b[2J", key: '=1+1,"x"\x1b[2J::~::server' };
  const file = await fileOf(t, [hopLine(evil, 1), hopLine(evil, 2)]);
  assert.ok(!(await run([file])).stdout.includes("\x1b"));
  const { stdout } = await run([file, "--csv"]);
  const [headings, row] = stdout.split("\r\n");
  assert.match(headings!, /^key,from,to,route,hops,echo,count,.*,p95_ms,.*,error_max_ms$/);
  assert.ok(row!.startsWith('"\'=1+1,""x""'), row);
});

test("in CSV a comparison's sides keep their names beside their figures", async (t) => {
  const there = { ...UP, session: "there", route: "other" };
  const file = await fileOf(t, [...slowing(UP, 5000), ...slowing(there, 6000)]);
  const { stdout } = await run([file, "--compare", "direct", "other", "--csv"]);
  const [headings, ...lines] = stdout.trimEnd().split("\r\n").map((line) => line.split(","));
  const rows = lines.map((values) =>
    Object.fromEntries(values.map((value, index) => [headings![index], value]))
  );
  assert.deepEqual([...new Set(rows.map(({ a, b }) => `${a} ${b}`))], ["direct other"]);
  const median = rows.find(({ figure }) => figure === "p50")!;
  assert.deepEqual([Number(median["a_ms"]) > 9, Number(median["b_ms"]) > 10], [true, true]);
});

test("no records make a report of none", async (t) => {
  const { stdout, code } = await run([await fileOf(t, [])]);
  assert.equal(code, 0);
  assert.match(stdout, /0 hops[^]*No records\./);
});

test("records that nobody asked for are told from none", async (t) => {
  const { stdout } = await run([await fileOf(t, slowing(UP, 5000)), "--key", "nobody"]);
  assert.match(stdout, /100 hops[^]*None of these records is of what was asked for\./);
});

test("hops and paths of one group have names of their own", async (t) => {
  const file = await fileOf(t, [...slowing(UP, 5000), ...slowing(BACK, 10_000)]);
  const { stdout } = await run([file, "--by", "from"]);
  const bars = stdout.split("\n\n").find((block) => block.startsWith("Max, ms"))!;
  const names = bars.split("\n").slice(1).map((text) => text.split(/ {2,}/)[0]!);
  assert.deepEqual(names.toSorted(), ["a", "a (2 hops, echo)", "server (echo)"]);
});

test("conditions are met by any row, and make the exit code 3", async (t) => {
  const file = await fileOf(t, [
    ...slowing(UP, 5000),
    ...[1, 2, 4].map((n) => hopLine(DOWN, n, { delayUs: 1000 })),
  ]);
  const codes = await Promise.all(
    ["p99>20ms", "p99>14.8ms", "loss>30%", "loss>=25%", "max<1ms,mean>0.1s", "p50<=1ms", "min<1"]
      .map(async (condition) => (await run([file, "--fail-if", condition])).code),
  );
  assert.deepEqual(codes, [0, 3, 0, 3, 0, 3, 0]);
  const { stdout } = await run([file, "--fail-if", "loss>1,p99>14.8ms", "--json"]);
  assert.deepEqual(
    JSON.parse(stdout).failed,
    [
      "server → b · other: loss is 25.0 % (loss>1)",
      "a → server → b · direct>other: loss is 25.0 % (loss>1)",
      "a → server · direct: p99 is 14.80 ms (p99>14.8ms)",
    ],
  );
});

test("conditions without figures are no success", async (t) => {
  const [none, some] = [await fileOf(t, []), await fileOf(t, slowing(UP, 5000))];
  const noFigures = /^Failure: --fail-if: there are no figures to judge$/;
  await assert.rejects(run([none, "--fail-if", "p99>1s"]), noFigures);
  await assert.rejects(run([some, "--key", "nobody", "--fail-if", "p99>1s"]), noFigures);
});

test("beside CSV the conditions that are met stand on stderr", async (t) => {
  const file = await fileOf(t, slowing(UP, 5000));
  const { code, stdout, stderr } = await run([file, "--csv", "--fail-if", "p99>14.5ms"]);
  assert.equal(code, 3);
  assert.equal(stdout.split("\r\n").length, 3);
  assert.equal(stderr, "--fail-if: a → server: p99 is 14.80 ms (p99>14.5ms)\n");
});

test("what is wrong with a command line is told in one clause", async () => {
  const cases: [string[], RegExp][] = [
    [[], /no records to read: name files, patterns or folders, or - for standard input/],
    [["-", "--fail-if", "p99"], /--fail-if: "p99" is no condition, such as p99>250ms or loss>0.1%/],
    [["-", "--fail-if", "p99>1%"], /"%" is no unit of p99: us, ms or s/],
    [["-", "--fail-if", "los>1"], /"los" is none of .*; did you mean loss\?/],
    [["-", "--since", "yesterday"], /--since: "yesterday" is no time, such as/],
    [["-", "--since", "1h", "--until", "2h"], /--since is not before --until/],
    [["-", "--by", "rout"], /did you mean route\?/],
    [["-", "--json", "--csv"], /--json and --csv exclude one another/],
    [["-", "--compare", "a"], /--compare needs two values: --compare A B/],
    [["-", "--compare", "a", "--json"], /--compare needs two values/],
    [["-", "--compare", "a", "a"], /a is compared to itself/],
  ];
  for (const [args, message] of cases) await assert.rejects(run(args), message);
});

test("what is not there is told by name", async () => {
  await assert.rejects(run(["/nowhere/a.ndjson"]), /^Failure: \/nowhere\/a.ndjson: no such file/);
  await assert.rejects(run(["/nowhere/*.ndjson"]), /nothing matches this pattern/);
});

test("progress is shown on a terminal, now and then, and cleared at the end", () => {
  let now = 0;
  let written = "";
  const stream = { isTTY: true, write: (text: string) => written += text };
  const progress = createProgress(stream, 1000, () => now);
  progress.show(100, 10);
  assert.equal(written, "");
  now = 1000;
  progress.show(500, 5000);
  assert.match(written, /█{15}░{15} 50 % {2}5,000 lines, 5,000\/s/);
  progress.end();
  assert.ok(written.endsWith("\r\x1b[K"));
  const silent = createProgress({ write: () => assert.fail("no terminal") }, 1, () => now += 1000);
  silent.show(1, 1);
  silent.end();
});
