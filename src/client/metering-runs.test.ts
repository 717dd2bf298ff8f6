import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dataFrameFault, finishHop, readSequence } from "../relay/data-frame.ts";
import { createFrameSplitter, type Region } from "../relay/frame.ts";
import { eachMessage, readRun } from "../relay/message-run.ts";
import {
  createFakeOrigin,
  createFakePair,
  createFakeSession,
  createMessage,
} from "./fake-message.ts";
import { createClientMetering } from "./metering.ts";

const RECEIVED_US = 50_000;

/** Messages as they travel; few different values, so that neighbours are often alike. */
const message = fc.record({
  /** From the sequence before: 1 is the next one. */
  step: fc.oneof(
    { weight: 60, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: -5, max: 5 }) },
  ),
  sentUs: rarely(10_000, 10_100),
  relayedUs: rarely(20_000, 20_250),
  correctionUs: rarely(-9_000, -9_001),
  errorUs: rarely(NaN, 30),
  method: rarely("estimate" as const, "system" as const),
  payloadBytes: rarely(16, 48),
  warmUp: rarely(false, true),
});
type Message = Parameters<Parameters<typeof messages.map>[0]>[0][number];
const messages = fc.array(message, { maxLength: 150 });

function rarely<T>(mostly: T, other: T): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 80, arbitrary: fc.constant(mostly) },
    { weight: 1, arbitrary: fc.constant(other) },
  );
}

function regionOf(sent: readonly Message[]): Region | undefined {
  let sequence = 5;
  const frames = sent.map(({ step, sentUs, relayedUs, ...rest }, index) => {
    sequence = Math.max(1, sequence + step);
    const { correctionUs, errorUs, method, payloadBytes, warmUp } = rest;
    const hops = [
      { sentUs, receivedUs: 19_000, correctionUs, errorUs, method },
      { sentUs: relayedUs, receivedUs: 0 },
    ];
    return createMessage({ sequence, slotUs: index, warmUp, payloadBytes, hops });
  });
  const splitter = createFrameSplitter(1000);
  splitter.push(Buffer.concat(frames.map((view) => new Uint8Array(view.buffer))), RECEIVED_US);
  return splitter.next();
}

/** All that a client makes of the messages, where each run has its way or each message. */
function meter(sent: readonly Message[], routes: readonly string[], inRuns: boolean) {
  const recorded: number[][] = [];
  const metering = createClientMetering({
    name: "here",
    routes,
    record: (_session, _origin, view, at, path) =>
      recorded.push([readSequence(view, at), path.delayUs, path.errorUs]),
  });
  const session = createFakeSession({ number: 11, route: routes[0]!, pair: createFakePair() });
  metering.welcomed(session);
  const origin = createFakeOrigin(1, "there", "direct");
  metering.originJoined(session, origin);
  const region = regionOf(sent);
  let at = 0;
  let runs = 0;
  while (region !== undefined && at < region.end) {
    const run = readRun(region, at, inRuns ? origin.tracker.next : Infinity);
    eachMessage(run, (at) => finishHop(run.view, at, RECEIVED_US, 40, 25, 2));
    const arrival = origin.tracker.accept(readSequence(run.view, at), run.count);
    metering.messages(session, origin, run, arrival);
    at += run.count * run.frameBytes;
    runs++;
  }
  const { received, duplicates, reordered, outside, next } = origin.tracker;
  const tracked = { received, duplicates, reordered, outside, next };
  return { figures: metering.summarise(1, true), tracked, recorded, runs };
}

test("messages metered in runs have the figures, counts and records of each by itself", () => {
  let runs = 0;
  let count = 0;
  fc.assert(
    fc.property(messages, fc.boolean(), (sent, compares) => {
      const routes = compares ? ["direct", "accelerated"] : ["direct"];
      const inRuns = meter(sent, routes, true);
      const oneByOne = meter(sent, routes, false);
      assert.deepEqual({ ...inRuns, runs: sent.length }, oneByOne);
      runs += inRuns.runs;
      count += sent.length;
    }),
    { seed: 4737, numRuns: 500 },
  );
  assert.ok(runs < count / 2, `${runs} runs of ${count} messages`);
});

test("a run ends before a message that is at fault, or differs in anything that is measured", () => {
  const alike = {
    ...{ step: 1, sentUs: 10_000, relayedUs: 20_000, correctionUs: 3, errorUs: 30 },
    ...{ method: "estimate" as const, payloadBytes: 16, warmUp: false },
  };
  const region = regionOf([alike, alike, alike])!;
  const { view } = region;
  assert.equal(readRun(region, 0, 0).count, 3);
  const frameBytes = view.getUint32(0, true);
  const before = new Uint8Array(region.bytes);
  for (let offset = 0; offset < frameBytes - 16; offset++) {
    region.bytes.set(before);
    // Exponent and sign of an f64, among others: the slot may be no time any more.
    region.bytes[frameBytes + offset]! ^= 0x7f;
    const { count } = readRun(region, 0, 0);
    if (count === 3) assert.equal(dataFrameFault(view, frameBytes, frameBytes), undefined);
    const isFree = isSlot(offset) || isUnread(offset);
    assert.ok(count === 1 || (count === 3 && isFree), `${count} with another byte ${offset}`);
  }
});

const isSlot = (offset: number): boolean => offset >= 24 && offset < 32;
/** Bytes behind the method of a hop, and of the open hop all but when it was sent. */
const isUnread = (offset: number): boolean => offset >= 61 && offset < 64 || offset >= 72;
