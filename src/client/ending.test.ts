import assert from "node:assert/strict";
import { test } from "node:test";
import { endFlows } from "./ending.ts";
import type { Flow } from "./flow.ts";

/** A flow with an open session, and what was done with it, in order. */
function createTestFlow({ sent = 0, received = 0, metered = true, byeAtOnce = true } = {}) {
  const done: string[] = [];
  const session = {
    state: "open",
    sent,
    rttUs: 1000,
    welcome: { metered },
    self: { tracker: { received } },
    leave() {
      done.push("leave");
      if (byeAtOnce) session.state = "closed";
    },
    abandon(reason: string) {
      if (session.state !== "closed") done.push(`abandon: ${reason}`);
      session.state = "closed";
    },
  };
  const flow = { session, stop: () => done.push("stop") } as unknown as Flow;
  return { flow, session, done };
}

const never = { graceMs: 60_000, echo: true, isFlood: false, isUdp: false };
const ABANDONED = "abandon: the server did not answer the bye in time";

test("where every echo is back, bye is said at once", async () => {
  const { flow, done } = createTestFlow({ sent: 5, received: 5 });
  await endFlows([flow], never);
  assert.deepEqual(done, ["stop", "leave"]);
});

test("bye waits for the echoes that are still under way", async () => {
  const { flow, session, done } = createTestFlow({ sent: 5, received: 3 });
  const ending = endFlows([flow], never);
  await Promise.resolve();
  assert.deepEqual(done, ["stop"]);
  session.self.tracker.received = 5;
  await ending;
  assert.deepEqual(done, ["stop", "leave"]);
});

test("echoes are not awaited where none are asked for, nor of a flood, nor where none can come", async () => {
  for (
    const [flow, options] of [
      [createTestFlow({ sent: 5 }), { ...never, echo: false }],
      [createTestFlow({ sent: 5 }), { ...never, isFlood: true }],
      [createTestFlow({ sent: 5, metered: false }), never],
    ] as const
  ) {
    const startMs = performance.now();
    await endFlows([flow.flow], options);
    assert.deepEqual(flow.done, ["stop", "leave"]);
    assert.ok(performance.now() - startMs < 1000, "as long as it waits for echoes");
  }
});

test("an echo that does not come is awaited for a second", async () => {
  const { flow, done } = createTestFlow({ sent: 5, received: 4 });
  const startMs = performance.now();
  await endFlows([flow], never);
  assert.ok(performance.now() - startMs >= 1000);
  assert.deepEqual(done, ["stop", "leave"]);
});

test("a relay that does not answer the bye is left after a second", async () => {
  const { flow, done } = createTestFlow({ byeAtOnce: false });
  const startMs = performance.now();
  await endFlows([flow], never);
  assert.ok(performance.now() - startMs >= 1000);
  assert.deepEqual(done, ["stop", "leave", ABANDONED]);
});

test("a flood waits for its bye beyond that second, up to the grace", async () => {
  const { flow, session, done } = createTestFlow({ byeAtOnce: false });
  setTimeout(() => session.state = "closed", 1200);
  await endFlows([flow], { ...never, isFlood: true });
  assert.deepEqual(done, ["stop", "leave"]);
});

test("without any grace everything ends at once", async () => {
  const { flow, done } = createTestFlow({ sent: 5, byeAtOnce: false });
  await endFlows([flow], { ...never, graceMs: 0 });
  assert.deepEqual(done, ["stop", "leave", ABANDONED]);
});

test("flows without a session are stopped, and hold nobody up", async () => {
  const done: string[] = [];
  const flow = { session: undefined, stop: () => done.push("stop") } as unknown as Flow;
  await endFlows([flow, flow], never);
  assert.deepEqual(done, ["stop", "stop"]);
});
