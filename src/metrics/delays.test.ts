import assert from "node:assert/strict";
import { test } from "node:test";
import { medianInterval } from "./delays.ts";
import { createSignedHistogram } from "./signed-histogram.ts";
import { createRandom } from "../relay/simulation/random.ts";

test("the interval of a median holds the true median in 95 of 100 samples", () => {
  const random = createRandom(7);
  let held = 0;
  for (let sample = 0; sample < 2000; sample++) {
    const histogram = createSignedHistogram(3);
    // Skewed, as delays are; the median of an exponential is its mean × ln 2.
    for (let i = 0; i < 101; i++) histogram.record(random.exponential(1000) - 500);
    const { low, high } = medianInterval(histogram)!;
    const median = (1000 * Math.LN2 - 500) / 1000;
    if (low <= median && median <= high) held++;
  }
  const share = held / 2000;
  assert.ok(share > 0.93 && share < 0.98, `${share} of the intervals held the median`);
});

test("the interval of a median has no values where nothing was sampled", () => {
  assert.equal(medianInterval(createSignedHistogram(3)), undefined);
});
