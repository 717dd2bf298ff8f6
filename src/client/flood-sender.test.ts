import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeTime, withFakeTime } from "../platform/fake-time.ts";
import { createFakeFlow, type FakeFlow } from "./fake-flow.ts";
import { createFloodSender } from "./flood-sender.ts";

function createTest(
  time: FakeTime,
  flows: readonly FakeFlow[],
  { count, sizes = [128], random = () => 0 }: {
    count?: number;
    sizes?: readonly number[];
    random?: () => number;
  } = {},
) {
  const run = { finished: 0 };
  const sender = createFloodSender({
    flows,
    count,
    sizes,
    prefixBytes: 0,
    nowUs: time.nowUs,
    random,
    lag: () => {},
    finished: () => run.finished++,
  });
  return Object.assign(run, { sender });
}

function createOpenFlow(warmUp = 0): FakeFlow {
  const flow = createFakeFlow({ warmUp });
  flow.open();
  return flow;
}

/** Every sequence from 1 on, once, in order: no message was overwritten while it waited. */
function assertWhole(flow: FakeFlow): void {
  flow.log.forEach(({ sequence }, index) => assert.equal(sequence, index + 1));
}

test("a flood sends exactly its count after the warm-up, then is finished, once", () =>
  withFakeTime((time) => {
    for (const count of [1, 7, 340, 341, 5000]) {
      const flow = createOpenFlow(10);
      const run = createTest(time, [flow], { count });
      run.sender.start();
      time.advance(1e6);
      assert.equal(flow.log.length, count + 10);
      assert.ok(flow.log.every(({ flags }, index) => flags === (index < 10 ? 1 : 0)));
      assertWhole(flow);
      flow.drain(run.sender);
      run.sender.opened(flow);
      time.advance(1e6);
      assert.equal(run.finished, 1);
      assert.equal(flow.log.length, count + 10);
    }
  }));

test("while anything waits to be written nothing more is sent, and no buffer is written again", () =>
  withFakeTime((time) => {
    const flow = createOpenFlow();
    flow.takesAtOnce = false;
    const { sender } = createTest(time, [flow]);
    sender.start();
    const heldBytes = flow.heldBytes;
    assert.ok(heldBytes > 64 * 1024 && heldBytes <= 128 * 1024, `${heldBytes} bytes held`);
    time.advance(1e6);
    sender.opened(flow);
    assert.equal(flow.heldBytes, heldBytes);
    for (let i = 0; i < 50; i++) {
      flow.takesAtOnce = i % 3 === 0;
      flow.drain(sender);
      time.advance(100);
    }
    flow.drain(sender);
    assert.ok(flow.log.length > 5000);
    assertWhole(flow);
  }));

test("where the link takes everything at once, the event loop has its turns all the same", () =>
  withFakeTime((time) => {
    const flow = createOpenFlow();
    const { sender } = createTest(time, [flow]);
    sender.start();
    const aTurn = flow.sent;
    assert.ok(aTurn > 0 && aTurn < 10_000);
    // Only one turn is planned, whoever asks.
    sender.opened(flow);
    flow.drain(sender);
    assert.equal(flow.sent, aTurn);
    assert.equal(time.waiting, 1);
    sender.stop();
    time.advance(1e6);
    assert.equal(flow.sent, aTurn);
    assert.equal(time.waiting, 0);
  }));

test("messages of all sizes up to the largest go out, one after another", () =>
  withFakeTime((time) => {
    const sizes = [1, 128, 2048, 65_536];
    let drawn = 0;
    const flow = createOpenFlow();
    const random = () => (drawn++ * 0.37) % 1;
    const { sender } = createTest(time, [flow], { count: 500, sizes, random });
    sender.start();
    time.advance(1e6);
    assert.equal(flow.log.length, 500);
    assertWhole(flow);
    assert.deepEqual(
      [...new Set(flow.log.map(({ payloadBytes }) => payloadBytes))].sort((a, b) => a - b),
      sizes,
    );
  }));

test("a flow that is lost goes on with its next session, with what its count still lacks", () =>
  withFakeTime((time) => {
    const flow = createOpenFlow();
    flow.takesAtOnce = false;
    const run = createTest(time, [flow], { count: 2000 });
    run.sender.start();
    const before = flow.sent;
    flow.lose();
    run.sender.ended(flow);
    time.advance(1e6);
    assert.equal(flow.sent, before);
    flow.takesAtOnce = true;
    flow.open();
    run.sender.opened(flow);
    time.advance(1e6);
    assert.equal(flow.sent, 2000);
    assert.equal(flow.log.length, 2000 - before);
    assertWhole(flow);
    assert.equal(run.finished, 1);
  }));

test("each flow of a flood has its own pace; it is finished when all are", () =>
  withFakeTime((time) => {
    const [fast, slow] = [createOpenFlow(), createOpenFlow()];
    slow.takesAtOnce = false;
    const run = createTest(time, [fast, slow], { count: 3000 });
    run.sender.start();
    time.advance(1e6);
    assert.equal(fast.sent, 3000);
    assert.ok(slow.sent < 3000);
    assert.equal(run.finished, 0);
    slow.takesAtOnce = true;
    slow.drain(run.sender);
    time.advance(1e6);
    assert.equal(slow.sent, 3000);
    assert.equal(run.finished, 1);
    assertWhole(slow);
  }));

test("a flood with a count ends though one route never connects", () =>
  withFakeTime((time) => {
    const [there, absent] = [createOpenFlow(), createFakeFlow({ warmUp: 0 })];
    const run = createTest(time, [there, absent], { count: 100 });
    run.sender.start();
    time.advance(1e6);
    assert.equal(there.log.length, 100);
    assert.equal(run.finished, 1);
  }));

test("a flood whose only route is lost goes on when that is back", () =>
  withFakeTime((time) => {
    const flow = createFakeFlow({ warmUp: 0 });
    const run = createTest(time, [flow], { count: 100 });
    run.sender.start();
    run.sender.ended(flow);
    assert.equal(run.finished, 0);
    flow.open();
    run.sender.opened(flow);
    time.advance(1e6);
    assert.equal(flow.log.length, 100);
    assert.equal(run.finished, 1);
  }));
