import assert from "node:assert/strict";
import { test } from "node:test";
import { writeClockFrame } from "./clock-frame.ts";
import { createRateLimit } from "./rate-limit.ts";
import { createRandom } from "./simulation/random.ts";
import { createBench, message } from "./simulation/relay-bench.ts";

const SECOND = 1_000_000;

test("who keeps to the rate never exceeds it, even by a clock that is a little fast", () => {
  const rate = createRateLimit({ messages: 100, bytes: Infinity }, 0);
  for (let i = 1; i <= 200_000; i++) {
    const atUs = i * 10_000 * (1 - 5e-4);
    rate.take(1, 50, atUs);
    assert.ok(!rate.isExceeded(atUs), `message ${i}`);
  }
});

test("what a network held back for some seconds may come at once, and not more", () => {
  const rate = createRateLimit({ messages: 100, bytes: Infinity }, 0);
  rate.take(1000, 0, 0);
  assert.ok(!rate.isExceeded(0));
  rate.take(1, 0, 0);
  assert.ok(rate.isExceeded(0));
  assert.ok(!rate.isExceeded(SECOND));
});

test("a pause earns nothing beyond that, and a time that comes late nothing either", () => {
  const rate = createRateLimit({ messages: 100, bytes: Infinity }, 0);
  rate.take(1001, 0, 3600 * SECOND);
  assert.ok(rate.isExceeded(3600 * SECOND));
  rate.take(0, 0, 0);
  assert.ok(rate.isExceeded(3600 * SECOND));
});

test("bytes count as well", () => {
  const rate = createRateLimit({ messages: Infinity, bytes: 1000 }, 0);
  rate.take(1, 10_001, 0);
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

const heartbeat = Uint8Array.of(18, 0, 0, 0, 6, 0, ...new Uint8Array(12));

test("who sends the messages that he may can also read the clocks as often as is usual, and live", () => {
  const bench = createBench({ maxRate: { messages: 10, bytes: 2000 } });
  const peer = bench.join();
  const times = { soonestMs: 0, t1Us: 2e14, t2Us: 0, t3Us: 0, t4Us: 2e14 };
  const clock = (phase: 1 | 3, exchange: number): Uint8Array =>
    writeClockFrame({ phase, exchange, ...times, errorUs: NaN, wallShiftUs: 0 });
  for (let exchange = 0; exchange < 3 * 10 * 300; exchange += 3) {
    for (let i = 1; i <= 3; i++) peer.say(clock(1, exchange + i), clock(3, exchange + i));
    peer.send();
    if (exchange % 300 === 0) peer.say(heartbeat);
    bench.pass(SECOND / 10);
  }
  assert.equal(peer.bye, undefined);
});

test("frames that are no messages are limited too", () => {
  const bench = createBench({ maxRate });
  const peer = bench.join();
  const chunk = Array.from({ length: 1000 }, () => heartbeat);
  for (let i = 0; i < 50; i++) peer.say(...chunk);
  assert.equal(peer.bye, undefined);
  peer.say(heartbeat);
  assert.equal(peer.bye!.reason, "rate");
});

test("messages without room for a hop count as others do", () => {
  const bench = createBench({ maxRate });
  const peer = bench.join();
  peer.send(101, "", 1);
  assert.equal(peer.bye!.reason, "rate");
});

test("a flood of frames that are no messages is slowed down as well", () => {
  const bench = createBench({ maxRate });
  const flood = bench.join({ mode: "flood" });
  const chunk = Array.from({ length: 1000 }, () => heartbeat);
  for (let i = 0; i < 50; i++) flood.say(...chunk);
  assert.ok(!flood.link.paused);
  flood.say(...chunk);
  assert.ok(flood.link.paused);
  bench.pass(1 * SECOND);
  assert.ok(!flood.link.paused);
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

test("a flood never gets further than its rate allows, whenever its bytes come", () => {
  const PER_SECOND = 500;
  const MESSAGES_A_CHUNK = 400;
  // Of a fixed seed: how much is on its way, how long the relay is not heard of.
  const random = createRandom(8).next;
  for (let run = 0; run < 20; run++) {
    const bench = createBench({ maxRate: { messages: PER_SECOND, bytes: Infinity } });
    const flood = bench.join({ mode: "flood", echo: true });
    const startUs = bench.nowUs;
    let sent = 0;
    while (sent < 8000) {
      if (random() < 0.1) bench.sleep(random() * 4 * SECOND);
      bench.pass(random() * 0.4 * SECOND);
      // A system's buffers hold many chunks: they all come while nobody says stop.
      for (let chunks = Math.ceil(random() * 20); chunks > 0 && !flood.link.paused; chunks--) {
        const count = Math.ceil(random() * MESSAGES_A_CHUNK);
        flood.say(...Array.from({ length: count }, () => message(++sent)));
      }
      const seconds = (bench.nowUs - startUs) / SECOND;
      const allowed = PER_SECOND * (10 + 1.01 * seconds) + MESSAGES_A_CHUNK;
      assert.ok(
        bench.log.messages.length <= allowed,
        `${bench.log.messages.length} in ${seconds} s`,
      );
    }
    bench.pass(20 * SECOND);
    assert.equal(bench.log.messages.length, sent);
  }
});
