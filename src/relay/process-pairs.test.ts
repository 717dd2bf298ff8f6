import assert from "node:assert/strict";
import { test } from "node:test";
import { createProcessPairs } from "./process-pairs.ts";

const idOf = (process: number): Uint8Array => {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(0, process);
  return id;
};
const MINUTE = 60e6;

test("sessions of one process share an estimator, other processes have their own", () => {
  const pairs = createProcessPairs("auto");
  const first = pairs.take(idOf(1));
  assert.equal(pairs.take(idOf(1)), first);
  assert.notEqual(pairs.take(idOf(2)).estimator, first.estimator);
});

test("an estimate is found again within ten minutes of its last session's end", () => {
  const pairs = createProcessPairs("auto");
  const pair = pairs.take(idOf(1));
  pairs.take(idOf(1));
  pairs.release(pair, 0);
  pairs.forget(60 * MINUTE);
  pairs.release(pair, 60 * MINUTE);
  pairs.forget(70 * MINUTE);
  assert.equal(pairs.take(idOf(1)), pair);
  pairs.forget(90 * MINUTE);
  assert.equal(pairs.take(idOf(1)), pair, "one in use is kept");
  pairs.release(pair, 90 * MINUTE);
  pairs.release(pair, 90 * MINUTE);
  pairs.forget(100 * MINUTE + 1);
  assert.notEqual(pairs.take(idOf(1)), pair);
});

test("of many processes that have left the latest are remembered", () => {
  const pairs = createProcessPairs("auto");
  const present = pairs.take(idOf(0));
  const left = Array.from({ length: 2500 }, (_, index) => pairs.take(idOf(index + 1)));
  left.forEach((pair, index) => pairs.release(pair, index));
  assert.equal(pairs.take(idOf(0)), present);
  assert.equal(pairs.take(idOf(2500)), left[2499]);
  assert.equal(pairs.take(idOf(501)), left[500]);
  assert.notEqual(pairs.take(idOf(500)), left[499]);
});
