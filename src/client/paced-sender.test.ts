import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeTime, withFakeTime } from "../platform/fake-time.ts";
import { createFakeFlow, type FakeFlow } from "./fake-flow.ts";
import { createPacedSender } from "./paced-sender.ts";

function createTest(
  time: FakeTime,
  flows: readonly FakeFlow[],
  { intervalUs = 1000, count, sizes = [100], prefixBytes = 0 }: {
    intervalUs?: number;
    count?: number;
    sizes?: readonly number[];
    prefixBytes?: number;
  } = {},
) {
  const lagsUs: number[] = [];
  const run = { lagsUs, finished: 0, startUs: time.nowUs() };
  const sender = createPacedSender({
    flows,
    count,
    sizes,
    prefixBytes,
    nowUs: time.nowUs,
    random: () => 0.5,
    lag: (lagUs) => lagsUs.push(lagUs),
    finished: () => run.finished++,
    minUs: intervalUs,
    maxUs: intervalUs,
  });
  return Object.assign(run, { sender });
}

/** The slots in which a flow sent, in intervals from the start. */
function slotsOf(flow: FakeFlow, startUs: number, intervalUs = 1000): number[] {
  return flow.log.map(({ intendedUs }) => (intendedUs - startUs) / intervalUs);
}

test("one message goes out on every flow in each slot, with the slot's time in all of them", () =>
  withFakeTime((time) => {
    const flows = [createFakeFlow(), createFakeFlow()];
    for (const flow of flows) flow.open();
    const { sender, startUs } = createTest(time, flows);
    sender.start();
    time.advance(5500);
    for (const flow of flows) assert.deepEqual(slotsOf(flow, startUs), [0, 1, 2, 3, 4, 5]);
    sender.stop();
    time.advance(5000);
    assert.equal(flows[0]!.log.length, 6);
    assert.equal(time.waiting, 0);
  }));

test("the flows take turns to be first", () =>
  withFakeTime((time) => {
    const order: string[] = [];
    const flows = ["a", "b", "c"].map((name) => createFakeFlow({ onSend: () => order.push(name) }));
    for (const flow of flows) flow.open();
    const { sender } = createTest(time, flows);
    sender.start();
    time.advance(3500);
    sender.stop();
    assert.equal(order.join(""), "abcbcacababc");
  }));

test("a slow send shifts no other slot: those that it delayed are made up for, and their lag is told", () =>
  withFakeTime((time) => {
    let isSlow = true;
    const flow = createFakeFlow({
      nowUs: time.nowUs,
      onSend() {
        if (isSlow) time.pass(3400);
        isSlow = false;
      },
    });
    flow.open();
    const { sender, startUs, lagsUs } = createTest(time, [flow]);
    sender.start();
    time.advance(6500);
    sender.stop();
    assert.deepEqual(slotsOf(flow, startUs), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(
      lagsUs.map((lagUs) => Math.round(lagUs / 100) * 100),
      [0, 2400, 1400, 400, 0, 0, 0],
    );
  }));

test("slots that are ten seconds late are missed, and counted on every flow", () =>
  withFakeTime((time) => {
    const flow = createFakeFlow();
    flow.open();
    const { sender, startUs } = createTest(time, [flow], { intervalUs: 1e6 });
    sender.start();
    time.advance(500_000);
    time.pass(15e6);
    time.advance(1e6);
    sender.stop();
    assert.equal(flow.unsent, 5);
    assert.deepEqual(slotsOf(flow, startUs, 1e6), [0, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  }));

test("slots of a flow that is not open are missed, never sent late", () =>
  withFakeTime((time) => {
    const [open, other] = [createFakeFlow(), createFakeFlow()];
    open.open();
    const { sender, startUs, lagsUs } = createTest(time, [open, other]);
    sender.start();
    time.advance(2500);
    other.open();
    time.advance(2000);
    sender.stop();
    assert.deepEqual(slotsOf(open, startUs), [0, 1, 2, 3, 4]);
    assert.deepEqual(slotsOf(other, startUs), [3, 4]);
    assert.equal(other.unsent, 3);
    assert.equal(lagsUs.length, 7);
  }));

test("each flow sends its count after its warm-up, then the run is finished, once", () =>
  withFakeTime((time) => {
    const flows = [createFakeFlow({ warmUp: 3 }), createFakeFlow()];
    for (const flow of flows) flow.open();
    const run = createTest(time, flows, { count: 4 });
    run.sender.start();
    time.advance(5500);
    assert.equal(run.finished, 0);
    time.advance(5000);
    assert.equal(run.finished, 1);
    assert.deepEqual(flows.map(({ sent }) => sent), [7, 4]);
    assert.deepEqual(flows[0]!.log.map(({ flags }) => flags), [1, 1, 1, 0, 0, 0, 0]);
    assert.equal(time.waiting, 0);
  }));

test("a run with a count ends though one route never connects", () =>
  withFakeTime((time) => {
    const [open, dead] = [createFakeFlow(), createFakeFlow()];
    open.open();
    const run = createTest(time, [open, dead], { count: 4 });
    run.sender.start();
    time.advance(10_000);
    assert.equal(run.finished, 1);
    assert.deepEqual([dead.sent, dead.unsent], [0, 4]);
  }));

test("a schedule faster than it can be kept to does not keep the event loop", () =>
  withFakeTime((time) => {
    const flow = createFakeFlow({ onSend: () => time.pass(2) });
    flow.open();
    const { sender } = createTest(time, [flow], { intervalUs: 1 });
    sender.start();
    time.advance(100);
    const sentBefore = flow.sent;
    time.advance(5000);
    assert.ok(sentBefore < 1000 && flow.sent > sentBefore, `${sentBefore}, then ${flow.sent}`);
    sender.stop();
  }));

test("payloads have one of the sizes, but never less than the text that they begin with", () =>
  withFakeTime((time) => {
    const flow = createFakeFlow();
    flow.open();
    const { sender } = createTest(time, [flow], { sizes: [16, 512, 1024], prefixBytes: 0 });
    sender.start();
    time.advance(500);
    sender.stop();
    assert.equal(flow.log[0]!.payloadBytes, 512);
    const withPrefix = createTest(time, [flow], { sizes: [16], prefixBytes: 40 });
    withPrefix.sender.start();
    time.advance(500);
    withPrefix.sender.stop();
    assert.equal(flow.log[1]!.payloadBytes, 40);
  }));
