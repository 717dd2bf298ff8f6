import assert from "node:assert/strict";
import { test } from "node:test";
import { createBackoff } from "./backoff.ts";

test("the longest wait doubles with each failure, up to ten seconds", () => {
  const backoff = createBackoff(() => 1);
  const waitsMs = Array.from({ length: 7 }, backoff.nextMs);
  assert.deepEqual(waitsMs, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("waits are spread over all of the time, but never none", () => {
  assert.deepEqual(Array.from({ length: 3 }, createBackoff(() => 0).nextMs), [50, 50, 50]);
  assert.deepEqual(Array.from({ length: 2 }, createBackoff(() => 0.5).nextMs), [275, 525]);
});

test("after a good connection the waits begin anew", () => {
  const backoff = createBackoff(() => 1);
  backoff.nextMs();
  backoff.nextMs();
  backoff.reset();
  assert.equal(backoff.nextMs(), 500);
});
