// Sessions that leave while messages that others sent over UDP are under way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessionWorld, type WorldSession } from "./session-world.ts";

const SECOND = 1_000_000;
const link = { delayUs: 5_000, jitterUs: 20_000, delivery: "datagram" as const };
const datagrams = { up: link, down: link };
const stream = { delayUs: 5_000, delivery: "stream" as const };
const streams = { up: stream, down: stream };

/** Four who send over UDP, whose messages overtake one another, and one who says bye after 6 s. */
function runLeaving(seed: number, over: "udp" | "tcp") {
  const sessions = createSessionWorld(seed);
  const connect = (way: typeof datagrams | typeof streams, name: string): WorldSession =>
    sessions.addProcess({ offsetUs: 1e6, driftPpm: 20 }).connect(way, { name });
  for (const name of ["a", "b", "c", "d"]) {
    sessions.sendUntil(connect(datagrams, name), 5_000, 10 * SECOND);
  }
  const leaves = connect(over === "udp" ? datagrams : streams, "leaves");
  sessions.world.run(6 * SECOND);
  leaves.client.leave();
  return { ...sessions, leaves };
}

function assertNothingLost({ left }: WorldSession): void {
  assert.equal(left.length, 4);
  for (const { name, up, down } of left) {
    assert.deepEqual({ up, down }, { up: 0, down: 0 }, `of ${name}`);
  }
}

for (const over of ["udp", "tcp"] as const) {
  test(`who leaves over ${over} waits for what was overtaken, and is sent nothing newer`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { world, leaves } = runLeaving(seed, over);
      world.run(8 * SECOND);
      assert.equal(leaves.end?.byRelay, true, leaves.end?.reason);
      assertNothingLost(leaves);
      for (const { tracker, latest } of leaves.left) {
        assert.ok(tracker.next <= latest.next, `${tracker.next} after ${latest.next}`);
      }
    }
  });
}

test("who is not answered yet as the server shuts down has lost nothing that came there", () => {
  const { world, leaves, relay } = runLeaving(1, "tcp");
  world.run(6.2 * SECOND);
  assert.equal(leaves.client.state, "leaving");
  relay.shutdown();
  world.run(8 * SECOND);
  assert.equal(leaves.end?.byRelay, true, leaves.end?.reason);
  assertNothingLost(leaves);
});
