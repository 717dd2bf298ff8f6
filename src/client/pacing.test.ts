import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "../relay/simulation/random.ts";
import { createPacing } from "./pacing.ts";

test("slots are apart by times spread evenly over the interval", () => {
  const pacing = createPacing({
    startUs: 5000,
    minUs: 100,
    maxUs: 300,
    random: createRandom(1).next,
  });
  assert.equal(pacing.take(), 5000);
  let previousUs = 5000;
  const gapsUs = Array.from({ length: 10_000 }, () => {
    const slotUs = pacing.take();
    const gapUs = slotUs - previousUs;
    previousUs = slotUs;
    return gapUs;
  });
  assert.ok(gapsUs.every((gapUs) => gapUs >= 100 && gapUs < 300.01));
  const meanUs = gapsUs.reduce((sum, gapUs) => sum + gapUs, 0) / gapsUs.length;
  assert.ok(Math.abs(meanUs - 200) < 3, `mean of ${meanUs} µs`);
  assert.ok(gapsUs.some((gapUs) => gapUs < 105) && gapsUs.some((gapUs) => gapUs > 295));
});

test("a slot is where the ones before put it, however late these are taken", () => {
  const pacing = createPacing({ startUs: 0, minUs: 10, maxUs: 10, random: () => 0.5 });
  assert.deepEqual([pacing.nextUs, pacing.nextUs], [0, 0]);
  assert.deepEqual([pacing.take(), pacing.take(), pacing.take()], [0, 10, 20]);
  assert.equal(pacing.nextUs, 30);
});
