import assert from "node:assert/strict";
import { test } from "node:test";
import { createDescriptors, descriptorLimit } from "./descriptors.ts";

/** A process of which tests say what is open. */
function createTest(limit: number, open: number) {
  const state = { open, atMs: 0, counts: 0 };
  const descriptors = createDescriptors({
    limit,
    reserve: 16,
    countOpen() {
      state.counts++;
      if (state.open >= limit) throw new Error("EMFILE");
      return state.open;
    },
    nowMs: () => state.atMs,
  });
  /** Connections come until there is no room, or `most` have. */
  const fill = (most: number): number => {
    let taken = 0;
    while (taken < most && !descriptors.isShort()) taken++;
    state.open += taken;
    return taken;
  };
  return { state, descriptors, fill };
}

test("connections leave the last descriptors to files, and are taken again once some have gone", () => {
  const { state, descriptors, fill } = createTest(100, 20);
  assert.equal(descriptors.room, 64);
  assert.equal(fill(1000), 64);
  state.atMs += 200;
  assert.equal(fill(1000), 0);
  state.open -= 10;
  state.atMs += 200;
  assert.equal(fill(1000), 10);
});

test("many that come and go in no time are not taken for many that stay", () => {
  const { state, descriptors } = createTest(1000, 20);
  for (let i = 0; i < 50_000; i++) {
    assert.ok(!descriptors.isShort(), `connection ${i}`);
    state.atMs += 0.02;
  }
});

test("beyond the clients, HTTP gets some and leaves the very last to files", () => {
  const { descriptors, fill } = createTest(100, 20);
  fill(1000);
  let taken = 0;
  while (taken < 100 && !descriptors.isShortForHttp()) taken++;
  assert.equal(taken, 12);
});

test("what else is opened is noticed, also where none is left to count with", () => {
  const { state, descriptors, fill } = createTest(100, 20);
  fill(40);
  state.open = 100;
  state.atMs += 2_000;
  assert.ok(descriptors.isShort());
});

test("of thousands that come to no room few have them counted", () => {
  const { state, fill, descriptors } = createTest(20_000, 20);
  fill(30_000);
  const before = state.counts;
  for (let i = 0; i < 5_000; i++) {
    assert.ok(descriptors.isShort());
    state.atMs += 0.2;
  }
  assert.ok(state.counts - before <= 10, `${state.counts - before} in a second`);
});

test("the limit is read as Linux tells it", () => {
  const line = "Max open files            1024                 524288               files     \n";
  assert.equal(descriptorLimit(`Max processes  5  5  processes\n${line}`), 1024);
  assert.equal(descriptorLimit(line.replace("1024", "unlimited")), undefined);
});
