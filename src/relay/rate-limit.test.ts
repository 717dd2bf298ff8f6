import assert from "node:assert/strict";
import { test } from "node:test";
import { createRateLimit } from "./rate-limit.ts";
import { createBench, message } from "./simulation/relay-bench.ts";

const SECOND = 1_000_000;

test("who keeps to the rate never exceeds it, even by a clock that is a little fast", () => {
  const rate = createRateLimit({ messages: 100, bytes: Infinity }, 0);
  for (let i = 1; i <= 200_000; i++) {
    rate.take(1, 50);
    assert.ok(!rate.isExceeded(i * 10_000 * (1 - 5e-4)), `message ${i}`);
  }
});

test("what a network held back for some seconds may come at once, and not more", () => {
  const rate = createRateLimit({ messages: 100, bytes: Infinity }, 0);
  rate.take(1000, 0);
  assert.ok(!rate.isExceeded(0));
  rate.take(1, 0);
  assert.ok(rate.isExceeded(0));
  assert.ok(!rate.isExceeded(SECOND));
});

test("bytes count as well", () => {
  const rate = createRateLimit({ messages: Infinity, bytes: 1000 }, 0);
  rate.take(1, 10_001);
  assert.ok(rate.isExceeded(0));
});

const maxRate = { messages: 10, bytes: Infinity };

test("a client that sends more than it may is told so, and what it sent before counts", () => {
  const bench = createBench({ maxRate });
  const other = bench.join();
  const fast = bench.join();
  fast.send(100);
  assert.equal(fast.bye, undefined);
  fast.send(1);
  assert.equal(fast.bye!.reason, "rate");
  assert.deepEqual(bench.log.refused, [fast.bye!.text]);
  assert.equal(other.messages.length, 101);
  assert.equal(fast.bye!.counts.origins[0]!.received, 101);
});

test("frames of any kind count, not only messages", () => {
  const bench = createBench({ maxRate });
  const peer = bench.join();
  for (let i = 0; i < 101 && peer.bye === undefined; i++) {
    peer.say(Uint8Array.of(18, 0, 0, 0, 6, 0, ...new Uint8Array(12)));
  }
  assert.equal(peer.bye!.reason, "rate");
});

test("a flood is slowed down to its rate and loses nothing", () => {
  const bench = createBench({ maxRate });
  const other = bench.join();
  const flood = bench.join({ mode: "flood" });
  let sequence = 0;
  const chunk = () => Array.from({ length: 40 }, () => message(++sequence));
  for (let i = 0; i < 3; i++) flood.say(...chunk());
  assert.equal(flood.bye, undefined);
  flood.say(...chunk());
  assert.ok(flood.link.paused);
  const held = other.messages.length;
  bench.pass(1 * SECOND);
  assert.equal(other.messages.length, held);
  bench.pass(3 * SECOND);
  assert.equal(other.messages.length, 160);
  assert.ok(!flood.link.paused);
});
