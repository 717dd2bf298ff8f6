import assert from "node:assert/strict";
import { test } from "node:test";
import { startGrace, stopped } from "./ending.ts";

test("a run has stopped when it is asked to, also where that was before", async () => {
  const stopping = new AbortController();
  const states: string[] = [];
  const waiting = stopped(stopping.signal).then(() => states.push("stopped"));
  await Promise.resolve();
  assert.deepEqual(states, []);
  stopping.abort();
  await waiting;
  await stopped(stopping.signal);
  assert.deepEqual(states, ["stopped"]);
});

test("of the time to end, a little is left to the records, and what the run does not use", () => {
  let nowMs = 1_000;
  const start = (graceMs: number, withRecords: boolean) =>
    startGrace({ graceMs, withRecords, nowMs: () => nowMs });
  const grace = start(10_000, true);
  assert.equal(grace.forRunMs, 7_500);
  nowMs += 1_200;
  assert.equal(grace.leftMs(), 8_800);
  nowMs += 20_000;
  assert.equal(grace.leftMs(), 0);
  assert.equal(start(60_000, true).forRunMs, 57_500);
  assert.equal(start(400, true).forRunMs, 300);
  assert.equal(start(10_000, false).forRunMs, 10_000);
});
