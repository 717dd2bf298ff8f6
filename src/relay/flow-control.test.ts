import assert from "node:assert/strict";
import { test } from "node:test";
import { writeBye } from "./bye.ts";
import { writeClockFrame } from "./clock-frame.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import { type Bench, type BenchPeer, createBench, message } from "./simulation/relay-bench.ts";

const MAX_BACKLOG = 1 << 20;
const KIB = "x".repeat(1024 - 96);
const numberOf = (peer: BenchPeer): number => peer.welcome!.session;

/** Sends so many KiB, in chunks of 64 messages of 1 KiB each. */
function sendKib(peer: BenchPeer, kib: number): void {
  for (let sent = 0; sent < kib; sent += 64) peer.send(Math.min(64, kib - sent), KIB);
}

/** Keeps clients that say nothing else from looking silent. */
function beat(...peers: BenchPeer[]): void {
  for (const peer of peers) {
    if (!peer.link.destroyed) peer.say(writeHeartbeat({ sent: 0, origins: [] }));
  }
}

function joinThree(): { bench: Bench; origin: BenchPeer; stuck: BenchPeer; healthy: BenchPeer } {
  const bench = createBench({ maxBacklogBytes: MAX_BACKLOG });
  const [origin, stuck, healthy] = [bench.join(), bench.join(), bench.join()];
  return { bench, origin, stuck, healthy };
}

test("a paced sender is never paused; a receiver that takes nothing loses what is beyond its backlog", () => {
  const { bench, origin, stuck, healthy } = joinThree();
  stuck.link.takes = false;
  sendKib(origin, 4096);
  assert.equal(origin.link.paused, false);
  assert.equal(healthy.messages.length, 4096);
  const [, session] = bench.log.joined;
  assert.equal(session!.connection.outbox.backlogBytes, MAX_BACKLOG);
  const dropped = bench.log.dropped.reduce((sum, { messages }) => sum + messages, 0);
  assert.equal(dropped, 3072);
  assert.equal(session!.droppedTotal, 3072);
  assert.ok(bench.log.dropped.every(({ recipient }) => recipient === session));
});

test("what was lost to a full backlog is told per origin, in heartbeats and when the origin leaves", () => {
  const { bench, origin, stuck, healthy } = joinThree();
  stuck.link.takes = false;
  sendKib(origin, 1024 + 128);
  sendKib(healthy, 64);
  stuck.takeAll();
  stuck.link.takes = true;
  origin.send();
  bench.pass(10_300_000);
  const counts = new Map(
    stuck.heartbeats.at(-1)!.origins.map(({ session, ...rest }) => [session, rest]),
  );
  assert.deepEqual(counts.get(numberOf(origin)), { received: 1153, next: 1154, dropped: 128 });
  assert.deepEqual(counts.get(numberOf(healthy)), { received: 64, next: 65, dropped: 64 });
  origin.sayBye(1153);
  bench.pass(20_000);
  assert.deepEqual(stuck.left, [
    { session: numberOf(origin), received: 1153, next: 1154, dropped: 128 },
  ]);
  assert.equal(healthy.left[0]!.dropped, 0);
  assert.equal(stuck.messages.length, 1025);
  assert.equal(bench.log.joined[1]!.dropped.size, 1, "forgotten with its origin");
});

test("a receiver that lost messages and takes nothing for 5 s is disconnected, with its reason", () => {
  const { bench, origin, stuck, healthy } = joinThree();
  stuck.link.takes = false;
  sendKib(origin, 2048);
  bench.pass(4_900_000);
  beat(origin, stuck, healthy);
  assert.ok(!stuck.link.destroyed);
  bench.pass(500_000);
  assert.ok(stuck.link.destroyed);
  assert.deepEqual(bench.log.left.map(({ reason }) => reason), ["stalled: took nothing for 5 s"]);
  assert.equal(bench.relay.connections, 2);
  stuck.take();
  stuck.vanish();
  origin.send();
  assert.equal(healthy.messages.length, 2049);
  assert.deepEqual(healthy.left.map(({ session }) => session), [numberOf(stuck)]);
});

test("a receiver that takes nothing stays while it has lost nothing", () => {
  const { bench, origin, stuck, healthy } = joinThree();
  stuck.link.takes = false;
  sendKib(origin, 512);
  for (let i = 0; i < 6; i++) {
    bench.pass(9_000_000);
    beat(origin, stuck, healthy);
  }
  assert.ok(!stuck.link.destroyed);
  stuck.takeAll();
  assert.equal(stuck.messages.length, 512);
});

test("a slow receiver that loses messages stays, as long as it takes a piece now and then", () => {
  const { bench, origin, stuck: slow, healthy } = joinThree();
  slow.link.takes = false;
  for (let second = 0; second < 40; second++) {
    sendKib(origin, 256);
    bench.pass(1_000_000);
    beat(slow, healthy);
    if (second % 4 === 3) slow.take();
  }
  assert.ok(!slow.link.destroyed);
  assert.equal(healthy.messages.length, 40 * 256);
  const [, session] = bench.log.joined;
  assert.ok(session!.droppedTotal > 0);
  slow.takeAll();
  const lost = session!.droppedTotal;
  assert.equal(slow.messages.length + lost, 40 * 256, "each message arrived or was counted");
});

test("a client that asks for clocks and reads no answers costs at most a backlog", () => {
  const bench = createBench({ maxBacklogBytes: 64 * 1000 });
  const peer = bench.join();
  peer.link.takes = false;
  const ask = writeClockFrame({
    phase: 1,
    exchange: 1,
    soonestMs: 0,
    t1Us: 1,
    t2Us: 0,
    t3Us: 0,
    t4Us: 0,
    errorUs: NaN,
    wallShiftUs: 0,
  });
  for (let i = 0; i < 3000; i++) peer.say(ask);
  assert.equal(bench.log.joined[0]!.connection.outbox.backlogBytes, 64 * 1000);
});

test("a receiver whose backlog is full of news alone is disconnected too", () => {
  const bench = createBench({ maxBacklogBytes: 10_000 });
  const stuck = bench.join();
  stuck.link.takes = false;
  for (let i = 0; i < 200; i++) bench.join().vanish();
  for (let i = 0; i < 6; i++) {
    if (!stuck.link.destroyed) beat(stuck);
    bench.pass(1_000_000);
  }
  assert.ok(stuck.link.destroyed);
  assert.match(bench.log.left.at(-1)!.reason, /^stalled/);
});

function joinFlood() {
  const bench = createBench({ maxBacklogBytes: MAX_BACKLOG });
  const flood = bench.join({ mode: "flood" });
  const slow = bench.join();
  const quick = bench.join();
  slow.link.takes = false;
  return { bench, flood, slow, quick };
}

test("a flood is read no further while a receiver that takes has over half a backlog queued", () => {
  const { bench, flood, slow, quick } = joinFlood();
  sendKib(flood, 512);
  assert.equal(flood.link.paused, false);
  flood.send(64, KIB);
  assert.equal(flood.link.paused, false, "what was below half is passed on whole");
  assert.equal(quick.messages.length, 576);
  flood.send(64, KIB);
  assert.equal(flood.link.paused, true);
  assert.equal(quick.messages.length, 576, "the chunk that is too much waits whole");
  assert.equal(bench.log.joined[0]!.held, true);
  slow.take();
  assert.equal(flood.link.paused, false);
  assert.equal(quick.messages.length, 640);
});

test("the rest of a chunk of a flood waits with its clock frames and its bye", () => {
  const { bench, flood, slow, quick } = joinFlood();
  sendKib(flood, 576);
  const bye = writeBye({ reason: "done", counts: { sent: 577, origins: [] }, text: "" });
  flood.say(message(577, { payload: KIB }), bye);
  assert.equal(flood.bye, undefined);
  bench.pass(500_000);
  assert.equal(quick.messages.length, 576);
  slow.takeAll();
  assert.equal(quick.messages.length, 577);
  assert.equal(flood.bye!.reason, "done");
  assert.equal(flood.link.paused, false, "so that its end is seen");
  assert.deepEqual(
    flood.bye!.counts.origins.filter(({ session }) => session === numberOf(flood)),
    [{ session: numberOf(flood), received: 577, next: 578, dropped: 0 }],
  );
});

test("a flood loses nothing at receivers that keep taking, and they wait at most half a backlog", () => {
  const { bench, flood, slow, quick } = joinFlood();
  const [, session] = bench.log.joined;
  let sent = 0;
  let peakBytes = 0;
  let holds = 0;
  for (let step = 0; step < 400; step++) {
    for (let chunk = 0; chunk < 4 && !flood.link.paused; chunk++) {
      flood.send(64, KIB);
      sent += 64;
    }
    if (flood.link.paused) holds++;
    peakBytes = Math.max(peakBytes, session!.connection.outbox.backlogBytes);
    bench.pass(300_000);
    beat(slow, quick);
    slow.take();
  }
  assert.ok(holds > 100, `${holds} holds`);
  // Half a backlog, and the one chunk that was begun below it.
  assert.ok(peakBytes <= MAX_BACKLOG / 2 + 65_536, `${peakBytes} bytes`);
  slow.takeAll();
  assert.equal(slow.messages.length, sent);
  assert.equal(quick.messages.length, sent);
  assert.deepEqual(bench.log.dropped, []);
});

test("a receiver that took nothing for 1 s no longer holds a flood up", () => {
  const { bench, flood, slow, quick } = joinFlood();
  sendKib(flood, 640);
  assert.equal(flood.link.paused, true);
  bench.pass(700_000);
  assert.equal(flood.link.paused, true);
  bench.pass(600_000);
  assert.equal(flood.link.paused, false);
  assert.equal(quick.messages.length, 640);
  sendKib(flood, 640);
  assert.equal(flood.link.paused, false);
  assert.equal(quick.messages.length, 1280);
  assert.ok(bench.log.dropped.length > 0);
  bench.pass(4_500_000);
  assert.ok(slow.link.destroyed);
});

test("a flood that is held up for long does not look silent", () => {
  const { bench, flood, slow, quick } = joinFlood();
  const { outbox } = bench.log.joined[1]!.connection;
  sendKib(flood, 640);
  for (let tenth = 1; tenth <= 400; tenth++) {
    // A receiver that takes its pieces in time, and one that fills it up again.
    if (outbox.backlogBytes < MAX_BACKLOG * 0.75) sendKib(quick, 192);
    slow.take();
    bench.pass(100_000);
    if (tenth % 100 === 0) beat(slow, quick);
    assert.equal(flood.link.paused, true);
  }
  assert.equal(flood.bye, undefined);
  slow.takeAll();
  assert.equal(flood.link.paused, false);
  bench.pass(29_000_000);
  assert.equal(flood.bye, undefined, "its time begins when it is read again");
});

test("a flood that is held up and disappears is cleaned up", () => {
  const { bench, flood, slow, quick } = joinFlood();
  sendKib(flood, 640);
  assert.equal(flood.link.paused, true);
  flood.vanish();
  assert.equal(bench.relay.connections, 2);
  assert.equal(flood.link.paused, false);
  slow.takeAll();
  bench.pass(2_000_000);
  assert.equal(quick.messages.length, 576, "what it left behind is not passed on");
  assert.deepEqual(quick.left, [
    { session: numberOf(flood), received: 576, next: 577, dropped: 0 },
  ]);
});

test("a flood goes on when the receiver that held it up disappears", () => {
  const { bench, flood, slow, quick } = joinFlood();
  sendKib(flood, 640);
  slow.vanish();
  assert.equal(flood.link.paused, false);
  assert.equal(quick.messages.length, 640);
  assert.deepEqual(bench.log.dropped, []);
});

test("a flood is held up by its own echo, over its own flow too", () => {
  for (const flow of [0, 1]) {
    const bench = createBench({ maxBacklogBytes: MAX_BACKLOG });
    const flood = bench.join({ mode: "flood", echo: true, flow });
    flood.link.takes = false;
    sendKib(flood, 640);
    assert.equal(flood.link.paused, true, `flow ${flow}`);
    flood.takeAll();
    assert.equal(flood.link.paused, false);
    assert.equal(flood.messages.length, 640);
  }
});

test("a paced sender beside a flood that is held up goes on, and gets through", () => {
  const { flood, slow, quick } = joinFlood();
  sendKib(flood, 640);
  quick.send(3);
  slow.takeAll();
  assert.deepEqual(
    slow.messages.filter((each) => each.startsWith(`${numberOf(quick)}:`)).length,
    3,
  );
  assert.equal(quick.link.paused, false);
});

test("floods that are held up together go on together, and one of them may break the rules", () => {
  const bench = createBench({ maxBacklogBytes: MAX_BACKLOG });
  const slow = bench.join();
  const floods = [1, 2, 3].map(() => bench.join({ mode: "flood" }));
  slow.link.takes = false;
  sendKib(floods[0]!, 576);
  const bad = message(2);
  bad[7] = 9;
  floods[0]!.send(1);
  floods[1]!.say(message(1), bad);
  floods[2]!.send(1);
  assert.deepEqual(floods.map(({ link }) => link.paused), [true, true, true]);
  slow.takeAll();
  assert.equal(slow.messages.length, 576 + 3);
  assert.deepEqual(floods.map(({ bye }) => bye?.reason), [undefined, "protocol", undefined]);
  assert.deepEqual(floods.map(({ link }) => link.paused), [false, false, false]);
  assert.deepEqual(bench.log.strangers, []);
});

test("a shutdown ends floods that are held up", () => {
  const { bench, flood, slow } = joinFlood();
  sendKib(flood, 640);
  bench.relay.shutdown();
  assert.equal(flood.bye!.reason, "shutdown");
  assert.equal(flood.link.paused, false);
  assert.ok(flood.link.ended);
  slow.takeAll();
  assert.equal(slow.bye!.reason, "shutdown");
  assert.ok(slow.link.ended);
});
