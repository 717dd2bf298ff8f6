import assert from "node:assert/strict";
import { test } from "node:test";
import { readSequence } from "../relay/data-frame.ts";
import { type Region } from "../relay/frame.ts";
import { createSequenceTracker } from "../relay/sequence.ts";
import { message } from "../relay/simulation/relay-bench.ts";
import { createInbound, type Measures } from "./inbound.ts";
import type { Origin } from "./origins.ts";

const NOW_US = 2e14;
const PAYLOAD_BYTES = 60_000;
/** 4 MiB wait at most: one more than these would be beyond it. */
const MOST_KEPT = 69;

function region(sequence: number): Region {
  const bytes = message(sequence, { payload: "x".repeat(PAYLOAD_BYTES) });
  const view = new DataView(bytes.buffer);
  return { bytes, view, start: 0, end: bytes.byteLength, receivedUs: NOW_US };
}

/** The origin of all messages; `isKnown`: it has been announced. */
function measures(isKnown: boolean): Measures {
  const origin = { number: 0, tracker: createSequenceTracker(1) } as unknown as Origin;
  const estimate = { offsetUs: 0, errorUs: 1, method: "estimate" };
  return {
    pair: { estimator: { estimateAt: () => estimate } },
    origins: { get: () => isKnown ? origin : undefined },
  } as unknown as Measures;
}

function createTest(isOrdered = false) {
  const taken: number[] = [];
  const inbound = createInbound(isOrdered, (_, { view, at }) => taken.push(readSequence(view, at)));
  return { inbound, taken };
}

test("over UDP messages wait for the welcome, 4 MiB of them; those beyond count as unknown", () => {
  const { inbound, taken } = createTest();
  for (let i = 1; i <= MOST_KEPT + 3; i++) assert.ok(inbound.keep(region(i)));
  assert.equal(inbound.unknown, 3);
  inbound.takeEarly(measures(true), NOW_US);
  assert.deepEqual(taken, Array.from({ length: MOST_KEPT }, (_, index) => index + 1));
  assert.equal(inbound.unknown, 3);
});

test("over UDP messages wait for their origin to be announced, for 3 s", () => {
  const { inbound, taken } = createTest();
  inbound.take(measures(false), region(1));
  inbound.takeEarly(measures(false), NOW_US + 2e6);
  assert.deepEqual([taken, inbound.unknown], [[], 0]);
  inbound.takeEarly(measures(true), NOW_US + 3e6);
  assert.deepEqual([taken, inbound.unknown], [[1], 0]);

  inbound.take(measures(false), region(2));
  inbound.takeEarly(measures(true), NOW_US + 3.1e6);
  assert.deepEqual([taken, inbound.unknown], [[1], 1]);
});

test("of an origin without announcement, more than 4 MiB count as unknown", () => {
  const { inbound } = createTest();
  for (let i = 1; i <= MOST_KEPT + 2; i++) inbound.take(measures(false), region(i));
  assert.equal(inbound.unknown, 2);
});

test("over TCP nothing overtakes: who was not announced is unknown, before the welcome nothing comes", () => {
  const { inbound } = createTest(true);
  inbound.take(measures(false), region(1));
  assert.equal(inbound.unknown, 1);
  assert.equal(inbound.keep(region(2)), false);
});
