import assert from "node:assert/strict";
import { test } from "node:test";
import type { DelayFigures, FlowSummary } from "../metrics/summary.ts";
import { createProcessPairs } from "../relay/process-pairs.ts";
import { createFakeSession } from "./fake-message.ts";
import { createFlowFigures, spreadOf } from "./flow-figures.ts";
import { updateLoss } from "./origins.ts";

function createTest() {
  const figures = createFlowFigures();
  const pair = createProcessPairs("auto").take(new Uint8Array(16));
  const welcome = (number: number, flow: number, echo = true) => {
    const session = createFakeSession({ number, route: "direct", echo, pair });
    Object.assign(session.hello, { flow });
    figures.welcomed(session);
    return session;
  };
  return { figures, welcome };
}

test("each flow has its own round trips", () => {
  const { figures, welcome } = createTest();
  const [first, second] = [welcome(1, 0), welcome(2, 1)];
  figures.rtt(first, 1000);
  figures.rtt(second, 5000);
  figures.roundTrip(second, 5500, 1);
  assert.equal(figures.summarise("direct", 0).rtt_ms!.p50, 1);
  assert.equal(figures.summarise("direct", 0).round_trip_ms, undefined);
  assert.equal(figures.summarise("direct", 1).rtt_ms!.p50, 5);
  assert.equal(figures.summarise("direct", 1).round_trip_ms!.max, 5.5);
  assert.deepEqual(figures.summarise("accelerated", 0), { flow: 0, up: 0, down: 0 });
});

test("a flow's loss is that of all its sessions, each as long as it may change", () => {
  const { figures, welcome } = createTest();
  const before = welcome(1, 0);
  updateLoss(before.self!, { session: 1, received: 3, next: 6, dropped: 0 });
  const losses = () => {
    const { up, down } = figures.summarise("direct", 0);
    return [up, down];
  };
  assert.deepEqual(losses(), [2, 3]);
  figures.settled(before);
  updateLoss(before.self!, { session: 1, received: 3, next: 99, dropped: 0 });
  const after = welcome(2, 0);
  updateLoss(after.self!, { session: 2, received: 1, next: 3, dropped: 0 });
  assert.deepEqual(losses(), [3, 4]);
});

test("what does not come back is not lost on the way back", () => {
  const { figures, welcome } = createTest();
  const session = welcome(1, 0, false);
  updateLoss(session.self!, { session: 1, received: 3, next: 6, dropped: 0 });
  assert.deepEqual(figures.summarise("direct", 0), { flow: 0, up: 2, down: 0 });
});

test("the spread is between the medians of messages, or of clock exchanges where some have none", () => {
  const delays = (p50: number) => ({ p50 }) as DelayFigures;
  const flow = (index: number, rtt: number, roundTrip?: number): FlowSummary => ({
    ...{ flow: index, sent: 1, up: 0, down: 0, rtt_ms: delays(rtt) },
    ...(roundTrip !== undefined && { round_trip_ms: delays(roundTrip) }),
  });
  assert.deepEqual(spreadOf([flow(0, 1, 30), flow(1, 2, 10.00004), flow(2, 3, 20)]), {
    by: "round_trip_ms",
    fastest: 1,
    slowest: 0,
    ms: 20,
  });
  assert.deepEqual(spreadOf([flow(0, 1, 30), flow(1, 2)]), {
    by: "rtt_ms",
    fastest: 0,
    slowest: 1,
    ms: 1,
  });
  assert.equal(spreadOf([flow(0, 1)]), undefined);
  assert.equal(spreadOf([]), undefined);
});
