import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSummary } from "../metrics/summary.ts";
import { clientRun, difference, key, route, twoRoutesRun } from "./sample-runs.ts";
import { finalTables } from "./tables.ts";

const at = (run: RunSummary, width: number) => finalTables(run, { width, colour: false });

test("each pair of three routes has its difference and its verdict, in the order given", () => {
  const [from, to] = ["client-a", "server"];
  const routes = ["direct", "fast", "slow"];
  const pair = (a: string, b: string, ms: number) =>
    difference([from, to], ms, undefined, { a, b });
  const run = clientRun({
    routes: routes.map((label) => route(label)),
    keys: routes.map((label, index) => key([from, to], label, 10 + index, { echo: true })),
    differences: [
      pair("direct", "fast", -2),
      pair("direct", "slow", 3),
      pair("fast", "slow", 0.001),
    ],
  });
  const text = at(run, 80);
  const table = text.slice(text.indexOf("Routes side by side"), text.indexOf("difference:"));
  assert.deepEqual(table.match(/^ {2}[a-z]+/gm)?.map((label) => label.trim()), [
    ...["direct", "fast", "difference"],
    ...["direct", "slow", "difference"],
    ...["fast", "slow", "difference"],
  ]);
  const flat = text.replaceAll("\n  ", " ");
  assert.match(
    flat,
    /fast is 2\.000 ±0\.0021 ms faster than direct one way \(median of 1,240 pairs\)/,
  );
  assert.match(flat, /slow is 3\.000 ±0\.0021 ms slower than direct one way/);
  assert.match(
    flat,
    /slow is not shown to differ from fast \(−0\.0190 to \+0\.0210, ±0\.0021 ms\) one way/,
  );
});

test("a faster route is green and a loss red on terminals with colours", () => {
  const text = finalTables(twoRoutesRun(), { width: 80, colour: true });
  // deno-lint-ignore no-control-regex
  assert.match(text, /\x1b\[32mclient-a → server: accelerated is /);
  // deno-lint-ignore no-control-regex
  assert.match(text, /\x1b\[31m +12\x1b\[0m/);
  // deno-lint-ignore no-control-regex
  assert.equal(text.replace(/\x1b\[\d+m/g, ""), at(twoRoutesRun(), 80));
});

test("a route stands in the comparison by the fuller of its own and others' messages", () => {
  const ends: [string, string] = ["server", "client-a"];
  const run = clientRun({
    keys: [
      key(ends, "direct", 10, { echo: true, count: 100 }),
      key(ends, "direct", 20, { count: 900 }),
      key(ends, "accelerated", 30, { echo: true, count: 900 }),
      key(ends, "accelerated", 40, { count: 100 }),
    ],
    differences: [difference(ends, 10)],
  });
  const table = at(run, 80).split("Routes side by side")[1] ?? "";
  assert.match(table, /^ {2}direct +900 .* 20\.00 /m);
  assert.match(table, /^ {2}accelerated +900 .* 30\.00 /m);
});
