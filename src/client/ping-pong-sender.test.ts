import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeTime, withFakeTime } from "../platform/fake-time.ts";
import { writeDataFrame } from "../relay/data-frame.ts";
import { createFakeFlow, type FakeFlow } from "./fake-flow.ts";
import { createPingPongSender } from "./ping-pong-sender.ts";

function createTest(time: FakeTime, flows: readonly FakeFlow[], count?: number) {
  const run = { finished: 0 };
  const sender = createPingPongSender({
    flows,
    count,
    sizes: [64],
    prefixBytes: 0,
    nowUs: time.nowUs,
    random: () => 0,
    lag: () => {},
    finished: () => run.finished++,
  });
  /** The message with this sequence comes back. */
  const echo = (flow: FakeFlow, sequence: number): void => {
    const view = new DataView(new ArrayBuffer(128));
    const frame = { flags: 2, hopSlots: 2, origin: 1, intendedUs: 0, payloadBytes: 0 };
    writeDataFrame(view, 0, { ...frame, sequence });
    sender.echo(flow, view, 0);
  };
  return Object.assign(run, { sender, echo });
}

function createOpenFlows(number: number): FakeFlow[] {
  return Array.from({ length: number }, () => {
    const flow = createFakeFlow();
    flow.open();
    return flow;
  });
}

const sequencesOf = (flow: FakeFlow): number[] => flow.log.map(({ sequence }) => sequence);

test("the next messages go out when those of all flows have come back, in one slot", () =>
  withFakeTime((time) => {
    const [a, b] = createOpenFlows(2) as [FakeFlow, FakeFlow];
    const { sender, echo } = createTest(time, [a, b]);
    sender.start();
    assert.deepEqual([a.sent, b.sent], [1, 1]);
    time.advance(10_000);
    echo(a, 1);
    assert.deepEqual([a.sent, b.sent], [1, 1]);
    time.advance(10_000);
    echo(b, 1);
    assert.deepEqual([a.sent, b.sent], [2, 2]);
    assert.equal(a.log[1]!.intendedUs, time.nowUs());
    assert.equal(b.log[1]!.intendedUs, a.log[1]!.intendedUs);
  }));

test("an echo that is missing for a second is given up; that it comes late changes nothing", () =>
  withFakeTime((time) => {
    const [flow] = createOpenFlows(1) as [FakeFlow];
    const { sender, echo } = createTest(time, [flow]);
    sender.start();
    time.advance(990_000);
    assert.equal(flow.sent, 1);
    time.advance(20_000);
    assert.equal(flow.sent, 2);
    echo(flow, 1);
    assert.equal(flow.sent, 2);
    echo(flow, 2);
    assert.equal(flow.sent, 3);
    // The patience for the second one ended with its echo.
    time.advance(990_000);
    assert.equal(flow.sent, 3);
  }));

test("where round trips are long an echo is awaited for four of them", () =>
  withFakeTime((time) => {
    const [flow] = createOpenFlows(1) as [FakeFlow];
    flow.rttUs = 600_000;
    const { sender } = createTest(time, [flow]);
    sender.start();
    time.advance(2_390_000);
    assert.equal(flow.sent, 1);
    time.advance(20_000);
    assert.equal(flow.sent, 2);
  }));

test("a duplicate of an echo lets nothing more out", () =>
  withFakeTime((time) => {
    const [flow] = createOpenFlows(1) as [FakeFlow];
    const { sender, echo } = createTest(time, [flow]);
    sender.start();
    echo(flow, 1);
    echo(flow, 1);
    echo(flow, 1);
    assert.deepEqual(sequencesOf(flow), [1, 2]);
  }));

test("a flow that is lost is not waited for, and joins again with the next slot", () =>
  withFakeTime((time) => {
    const [a, b] = createOpenFlows(2) as [FakeFlow, FakeFlow];
    const { sender, echo } = createTest(time, [a, b]);
    sender.start();
    echo(a, 1);
    b.lose();
    sender.ended(b);
    assert.deepEqual([a.sent, b.sent, b.unsent], [2, 1, 1]);
    b.open();
    sender.opened(b);
    assert.deepEqual([a.sent, b.sent], [2, 1]);
    echo(a, 2);
    assert.deepEqual([a.sent, b.sent], [3, 2]);
  }));

test("while no flow is open a slot is missed each second, and the first to open sends at once", () =>
  withFakeTime((time) => {
    const [flow] = createOpenFlows(1) as [FakeFlow];
    const { sender } = createTest(time, [flow]);
    sender.start();
    flow.lose();
    sender.ended(flow);
    time.advance(3_500_000);
    assert.deepEqual([flow.sent, flow.unsent], [1, 4]);
    flow.open();
    sender.opened(flow);
    assert.equal(flow.sent, 2);
  }));

test("a run with a count finishes once, though one route never connects", () =>
  withFakeTime((time) => {
    const [open, dead] = [createFakeFlow({ warmUp: 2 }), createFakeFlow()];
    open.open();
    const run = createTest(time, [open, dead], 3);
    run.sender.start();
    for (let sequence = 1; sequence <= 5; sequence++) {
      assert.equal(run.finished, 0);
      run.echo(open, sequence);
    }
    assert.equal(run.finished, 1);
    assert.deepEqual([open.measured, dead.unsent], [3, 3]);
    dead.open();
    run.sender.opened(dead);
    time.advance(5e6);
    assert.equal(run.finished, 1);
    assert.equal(dead.sent, 0);
    assert.equal(time.waiting, 0);
  }));

test("a stopped ping-pong sends nothing more, whatever comes back", () =>
  withFakeTime((time) => {
    const [flow] = createOpenFlows(1) as [FakeFlow];
    const { sender, echo } = createTest(time, [flow]);
    sender.start();
    sender.stop();
    echo(flow, 1);
    time.advance(5e6);
    sender.opened(flow);
    assert.equal(flow.sent, 1);
    assert.equal(time.waiting, 0);
  }));
