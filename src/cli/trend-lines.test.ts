import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyTrend } from "../metrics/trends.ts";
import { renderLine } from "./lines.ts";
import { clientRun, key, sevenRegionsRun, trend, twoRoutesRun } from "./sample-runs.ts";
import { textWidth } from "./text-width.ts";
import { trendLines } from "./trend-lines.ts";

const RUN = clientRun({ keys: [key(["server", "client-a"], "localhost", 10)] });

function drawn(run = RUN, keys: KeyTrend[], width = 80, colour = false): string[] {
  return trendLines(run, { intervalMs: 10_000, keys }, width)
    .map((line) => renderLine(line, { width, colour }));
}

/** A trend of the run's only key. */
const only = (more: Partial<KeyTrend>) => [trend(RUN.keys[0]!, more)];

test("a key has a block an interval, a gap where nothing came, and what it ranges over", () => {
  assert.deepEqual(drawn(RUN, only({ p95_ms: [10, null, 80], lost: [0, 0, 0] })), [
    "p95, 10 s a column, ms",
    "server → client-a  ▁ █  10.00–80.00",
  ]);
});

test("intervals with losses are marked below their blocks, those without a delay too", () => {
  const [, row, marks] = drawn(RUN, only({ p95_ms: [10, 20, null], lost: [0, 3, 1] }));
  assert.equal(marks, "    messages lost   ××");
  assert.equal(row!.indexOf("▁") + 1, marks.indexOf("×"));
});

test("the change since the start has its sign and the bound of its error", () => {
  const change = { ms: 1.2, from_ms: 9, error_ms: 0.25 };
  assert.deepEqual(drawn(RUN, only({ change })), [
    "p95, 10 s a column, ms              p50 since start",
    "server → client-a  ▁█  10.00–20.00   +1.200 ±0.2500",
  ]);
  const unknown = { ms: -1.2, from_ms: 9 };
  assert.match(drawn(RUN, only({ change: unknown }))[1]!, / −1\.200 ±\?$/);
});

test("only a change beyond its bound, and of more than a little, has a colour", () => {
  const colourOf = (ms: number, fromMs: number, error_ms?: number): string | undefined => {
    const change = { ms, from_ms: fromMs, ...(error_ms !== undefined && { error_ms }) };
    const [, row] = drawn(RUN, only({ change }), 80, true);
    // deno-lint-ignore no-control-regex
    return row!.match(/\x1b\[(\d+)m/)?.[1];
  };
  assert.equal(colourOf(1.2, 9, 0.25), "31");
  assert.equal(colourOf(-1.2, 9, 0.25), "32");
  assert.equal(colourOf(1.2, 9, 1.5), undefined);
  assert.equal(colourOf(1.2, 100, 0.25), undefined);
  assert.equal(colourOf(1.2, 9), undefined);
});

test("rows are in the order of the figures, and tell routes apart where there are several", () => {
  const run = twoRoutesRun();
  const rows = drawn(run, run.keys.map((one) => trend(one)).reverse(), 120).slice(1);
  assert.equal(rows.length, run.keys.length);
  assert.match(rows[0]!, /^client-a → server \(echo\) · direct /);
  assert.match(rows[1]!, /^client-a → server \(echo\) · accelerated /);
});

test("on 80 columns the oldest intervals give way to names, and the range stays that of all", () => {
  const run = sevenRegionsRun();
  const p95_ms = Array.from({ length: 30 }, (_, index) => 100 + index);
  const change = { ms: 12.3, from_ms: 100, error_ms: 12.3 };
  const lines = drawn(run, run.keys.map((one) => trend(one, { p95_ms, change })), 80);
  assert.equal(lines.length, 1 + run.keys.length);
  for (const line of lines) assert.ok(textWidth(line) <= 80, line);
  const blocks = lines[1]!.match(/[▁-█]+/)![0];
  assert.ok(blocks.length >= 20 && blocks.length < 30, blocks);
  assert.ok(blocks.endsWith("█") && !blocks.startsWith("▁"), blocks);
  assert.match(lines[1]!, /100\.0–129\.0/);
});

test("nothing is drawn before the second interval", () => {
  assert.deepEqual(drawn(RUN, []), []);
  assert.deepEqual(drawn(RUN, only({ p95_ms: [10], lost: [0] })), []);
});
