import assert from "node:assert/strict";
import { test } from "node:test";
import { quantileRanks } from "./confidence.ts";

test("ranks are those of the tables of the binomial distribution", () => {
  // The median of 10: values 2 and 9 (97.9 %); of 100: values 40 and 61 (96.5 %).
  assert.deepEqual(quantileRanks(0.5, 10), { low: 2, high: 9 });
  assert.deepEqual(quantileRanks(0.5, 100), { low: 40, high: 61 });
});

test("a small sample does not bound its tails", () => {
  assert.deepEqual(quantileRanks(0.5, 0), { low: undefined, high: undefined });
  assert.deepEqual(quantileRanks(0.5, 5), { low: undefined, high: undefined });
  assert.equal(quantileRanks(0.99, 100).high, undefined);
  // 0.99^368 is 2.48 %.
  assert.equal(quantileRanks(0.99, 367).high, undefined);
  assert.equal(quantileRanks(0.99, 368).high, 368);
});

test("the exact ranks and the approximation meet", () => {
  for (const quantile of [0.5, 0.95, 0.99]) {
    const exact = quantileRanks(quantile, 2_000);
    const approximate = quantileRanks(quantile, 2_001);
    assert.ok(Math.abs(exact.low! - approximate.low!) <= 3, `${quantile}: ${exact.low}`);
    assert.ok(Math.abs(exact.high! - approximate.high!) <= 3, `${quantile}: ${exact.high}`);
  }
});

test("of samples of any shape, 95 % have the true percentile between their ranks", () => {
  let state = 12_345;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (const [quantile, count] of [[0.5, 31], [0.95, 200], [0.99, 1_000]] as const) {
    const { low, high } = quantileRanks(quantile, count);
    const trials = 2_000;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      // Of a uniform distribution the quantile is itself; ranks know no other shape.
      const sample = Float64Array.from({ length: count }, random).sort();
      if (sample[low! - 1]! <= quantile && quantile <= sample[high! - 1]!) held++;
    }
    // Three standard deviations of 2,000 trials below 95 %; discrete ranks cover somewhat more.
    assert.ok(held / trials >= 0.935, `p${quantile * 100} of ${count}: ${held / trials}`);
    assert.ok(held / trials <= 0.99, `p${quantile * 100} of ${count}: ${held / trials}`);
  }
});
