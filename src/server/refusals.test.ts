import assert from "node:assert/strict";
import { test } from "node:test";
import { createRefusals } from "./refusals.ts";

/** Refusals in time that is moved by hand, and the lines that they made. */
function createTest() {
  const lines: string[] = [];
  let atMs = 0;
  const line = (level: string) => (message: string, fields: object = {}): void => {
    lines.push([level, message, JSON.stringify(fields)].join(" "));
  };
  const refusals = createRefusals({
    log: { warn: line("warn"), debug: line("debug") },
    nowMs: () => atMs,
  });
  return { refusals, lines, pass: (ms: number) => atMs += ms };
}

test("refusals are counted by reason, those that there were", () => {
  const { refusals } = createTest();
  for (let i = 0; i < 3; i++) refusals.refused("192.0.2.1:1", "the server is full", "full");
  refusals.refused("192.0.2.1:1", "not a hello", "stranger");
  assert.deepEqual(refusals.counts(), { full: 3, stranger: 1 });
});

test("thousands a second are a line each ten seconds, which says how many there were", () => {
  const { refusals, lines, pass } = createTest();
  for (let second = 0; second < 30; second++) {
    for (let i = 0; i < 3000; i++) refusals.refused("192.0.2.1:1", "wrong token", "wrong-token");
    pass(1000);
  }
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /^warn a client was turned away: wrong token/);
  assert.match(lines[1]!, /"more_before":29999/);
});

test("one reason does not silence another, and strangers are told in detail only", () => {
  const { refusals, lines } = createTest();
  refusals.refused("192.0.2.1:1", "not a hello", "stranger");
  refusals.refused("192.0.2.1:1", "the server is full", "full");
  assert.deepEqual(lines.map((line) => line.split(" ")[0]), ["debug", "warn"]);
});
