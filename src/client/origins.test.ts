import assert from "node:assert/strict";
import { test } from "node:test";
import { createOrigin, updateLoss } from "./origins.ts";

function createTest() {
  return createOrigin({
    session: 5,
    sessionId: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255),
    flow: 0,
    received: 90,
    next: 101,
    name: "tokyo",
    route: "direct",
  });
}

test("loss counts from the relay's counts at the joining: what was lost before is nobody's", () => {
  const origin = createTest();
  updateLoss(origin, { session: 5, received: 90, next: 101, dropped: 0 });
  assert.deepEqual([origin.up, origin.down], [0, 0]);
});

test("what the relay did not have is lost on the way up, what did not arrive of the rest down", () => {
  const origin = createTest();
  for (let sequence = 101; sequence <= 106; sequence++) origin.tracker.accept(sequence);
  // Ten sent, eight at the relay, one of them dropped by it, six here.
  updateLoss(origin, { session: 5, received: 98, next: 111, dropped: 1 });
  assert.deepEqual([origin.up, origin.down, origin.dropped], [2, 2, 1]);
  assert.deepEqual(origin.latest, { received: 98, next: 111 });
});

test("a message that comes after all takes its loss back", () => {
  const origin = createTest();
  origin.tracker.accept(102);
  updateLoss(origin, { session: 5, received: 92, next: 103, dropped: 0 });
  assert.equal(origin.down, 1);
  origin.tracker.accept(101);
  assert.equal(origin.down, 0);
});

test("counts that come late are compared with what arrived of their own sequences alone", () => {
  const origin = createTest();
  for (const sequence of [101, 103, 104, 105]) origin.tracker.accept(sequence);
  updateLoss(origin, { session: 5, received: 93, next: 104, dropped: 0 });
  assert.deepEqual([origin.up, origin.down], [0, 1]);
});

test("what was sent before the joining and overtaken by it is nobody's", () => {
  const origin = createTest();
  for (const sequence of [101, 99, 99, 102]) origin.tracker.accept(sequence);
  // The relay had 99 after it told of the joining.
  updateLoss(origin, { session: 5, received: 93, next: 104, dropped: 0 });
  assert.deepEqual([origin.up, origin.down], [1, 0]);
});

test("an origin is known by its session id in hexadecimal", () => {
  assert.equal(createTest().id, "01020304050607ff");
});
