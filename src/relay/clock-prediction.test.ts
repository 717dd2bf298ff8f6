import assert from "node:assert/strict";
import { test } from "node:test";
import { createClockPrediction } from "./clock-prediction.ts";
import { createRandom } from "./simulation/random.ts";

const BEGIN_US = 170_000_000e6 + 123_456;

/** Largest error of the prediction, 50 ms ahead, after an exchange each 100 ms. */
function worstUs(fromUs: number, untilUs: number, queueUs = 0): number {
  const random = createRandom(5);
  const prediction = createClockPrediction();
  const exactUs = (us: number): number => 5e6 + 50e-6 * us;
  let worst = 0;
  for (let us = 0; us < untilUs; us += 100e3) {
    const [up, down] = [queueUs * random.next(), queueUs * random.next()];
    prediction.add(1, BEGIN_US + us, exactUs(us) + (up - down) / 2, 100 + up + down);
    if (us < fromUs) continue;
    const laterUs = us + 50e3;
    worst = Math.max(worst, Math.abs(prediction.offsetAt(BEGIN_US + laterUs) - exactUs(laterUs)));
  }
  return worst;
}

test("a drift is known within a second of the first exchange", () => {
  assert.ok(worstUs(0, 1e6) < 5, `${worstUs(0, 1e6)} µs`);
});

test("a prediction stays near while its grain coarsens, through minutes", () => {
  assert.ok(worstUs(0.5e6, 300e6) < 1, `${worstUs(0.5e6, 300e6)} µs`);
  assert.ok(worstUs(30e6, 300e6, 100) < 10, `${worstUs(30e6, 300e6, 100)} µs`);
});
