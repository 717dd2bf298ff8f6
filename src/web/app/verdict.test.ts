import assert from "node:assert/strict";
import { test } from "node:test";
import type { DelayFigures } from "../../metrics/summary.ts";
import { describeInterval, describeOutcome, judge, summarise } from "./verdict.ts";

function figures(p50: number): DelayFigures {
  return { min: p50, mean: p50, stddev: 0, p50, p90: p50, p95: p50, p99: p50, p999: p50, max: p50 };
}

test("a route is faster or slower only where the interval and the clocks' error say so", () => {
  const outcome = (low: number, high: number, errorMs?: number) =>
    judge(figures((low + high) / 2), { low, high }, errorMs).outcome;
  assert.equal(outcome(-2, -1), "faster");
  assert.equal(outcome(1, 2), "slower");
  assert.equal(outcome(-1, 1), "same");
  assert.equal(outcome(-2, -1, 1.5), "same");
  assert.equal(outcome(1, 2, 0.9), "slower");
});

test("what was not measured, or too rarely, is no verdict", () => {
  assert.equal(describeOutcome(judge(undefined, undefined)), "not measured");
  const few = judge(figures(-3), undefined);
  assert.equal(describeOutcome(few), "too few pairs yet");
  assert.equal(describeInterval(few), "–");
});

test("a verdict in words has the median, and its interval with the clocks' error", () => {
  const verdict = judge(figures(-24.15), { low: -24.2, high: -24.1 }, 0.05);
  assert.equal(describeOutcome(verdict), "24.15 ms faster");
  assert.equal(describeInterval(verdict), "−24.25 to −24.05");
});

test("one sentence tells on how many ways, and where most", () => {
  const way = (from: string, p50: number) => ({
    verdict: judge(figures(p50), { low: p50 - 0.1, high: p50 + 0.1 }),
    from,
    to: "s",
  });
  assert.equal(
    summarise("direct", "fast", [way("a", -5)]),
    "fast is faster than direct (from a to s, by 5.000 ms).",
  );
  assert.equal(
    summarise("direct", "fast", [way("a", -5), way("b", -7), way("c", 2), way("d", 0)]),
    "fast is faster than direct on 2 of 4 ways (most from b to s, by 7.000 ms); is slower than " +
      "direct on 1 of 4 ways (from c to s, by 2.000 ms); shows no difference to direct on 1 of 4 ways.",
  );
  assert.match(summarise("direct", "fast", []), /too few pairs/);
});
