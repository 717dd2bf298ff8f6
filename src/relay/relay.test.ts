import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FLAG_WARM_UP,
  hopOffset,
  readHopCorrectionUs,
  readHopCount,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
  readOrigin,
} from "./data-frame.ts";
import { writeClockFrame } from "./clock-frame.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import { type BenchPeer, createBench, message } from "./simulation/relay-bench.ts";

const numberOf = (peer: BenchPeer): number => peer.welcome!.session;

test("a message goes to all other sessions, the origin's other routes included, in order", () => {
  const bench = createBench();
  const processId = new Uint8Array(16).fill(9);
  const origin = bench.join({ processId, route: "direct" });
  const otherRoute = bench.join({ processId, route: "accelerated" });
  const other = bench.join();
  origin.send(3);
  const expected = [1, 2, 3].map((sequence) => `${numberOf(origin)}:${sequence}`);
  assert.deepEqual(other.messages, expected);
  assert.deepEqual(otherRoute.messages, expected);
  assert.deepEqual(origin.messages, []);
  assert.deepEqual(bench.log.messages.map(({ sequence, arrival }) => [sequence, arrival]), [
    [1, "new"],
    [2, "new"],
    [3, "new"],
  ]);
});

test("an origin gets its own messages back only where it asked for its echo", () => {
  const bench = createBench();
  const quiet = bench.join();
  const echoing = bench.join({ echo: true });
  echoing.send();
  quiet.send();
  assert.deepEqual(echoing.messages, [`${numberOf(echoing)}:1`, `${numberOf(quiet)}:1`]);
  assert.deepEqual(quiet.messages, [`${numberOf(echoing)}:1`]);
});

test("of a route's flows the first alone gets others' messages, each its own echo", () => {
  const bench = createBench();
  const other = bench.join();
  const first = bench.join({ flow: 0, echo: true });
  const second = bench.join({ flow: 1, echo: true });
  const silent = bench.join({ flow: 2 });
  other.send();
  first.send();
  second.send();
  silent.send();
  const [o, a, b, c] = [other, first, second, silent].map(numberOf);
  assert.deepEqual(first.messages, [`${o}:1`, `${a}:1`, `${b}:1`, `${c}:1`]);
  assert.deepEqual(second.messages, [`${b}:1`]);
  assert.deepEqual(silent.messages, []);
  assert.deepEqual(other.messages, [`${a}:1`, `${b}:1`, `${c}:1`]);
});

test("every recipient is handed the same bytes, those that arrived", () => {
  const bench = createBench();
  const origin = bench.join({ echo: true });
  const peers = [origin, bench.join(), bench.join()];
  const chunk = message(1, { payload: "hello" });
  origin.say(chunk);
  const handed = peers.map((peer) => peer.slices.at(-1)!);
  for (const slice of handed) assert.equal(slice, handed[0]);
});

test("recipients are served in rotating order", () => {
  const bench = createBench();
  const origin = bench.join();
  const served: number[] = [];
  const peers = [0, 1, 2].map((index) => {
    const peer = bench.join();
    const push = peer.slices.push.bind(peer.slices);
    peer.slices.push = (...slices) => {
      served.push(index);
      return push(...slices);
    };
    return peer;
  });
  const firsts = new Set<number>();
  for (let i = 0; i < 4; i++) {
    served.length = 0;
    origin.send();
    assert.deepEqual([...served].sort(), [0, 1, 2]);
    firsts.add(served[0]!);
  }
  assert.deepEqual(firsts, new Set([0, 1, 2]));
  assert.equal(peers.length, 3);
});

test("both hops are stamped: received, correction, bound and method of one, sent of the next", () => {
  const bench = createBench();
  const origin = bench.join({ echo: true });
  const receivedUs = bench.nowUs;
  bench.readingCostUs = 10;
  const sentUs = receivedUs - 700;
  origin.say(message(1, { sentUs, payload: "xyz" }));
  const [frame] = origin.frames("data");
  const view = new DataView(frame!.buffer);
  assert.equal(readOrigin(view, 0), numberOf(origin));
  assert.equal(readHopCount(view, 0), 2);
  const [first, second] = [hopOffset(0, 0), hopOffset(0, 1)];
  assert.equal(readHopSentUs(view, first), sentUs);
  assert.equal(readHopReceivedUs(view, first), receivedUs + 10);
  assert.equal(readHopMethod(view, first), "none");
  assert.ok(Number.isNaN(readHopErrorUs(view, first)));
  assert.ok(readHopSentUs(view, second) > receivedUs + 10);
  assert.equal(readHopReceivedUs(view, second), 0);
  const [relayed] = bench.log.relayed;
  assert.equal(relayed!.residenceUs, readHopSentUs(view, second) - readHopReceivedUs(view, first));
  assert.equal(new TextDecoder().decode(frame!.subarray(-3)), "xyz");
});

/** One exchange of clock readings, the client's clock being `aheadUs` ahead of the relay's. */
function exchange(bench: ReturnType<typeof createBench>, peer: BenchPeer, aheadUs: number): void {
  const before = peer.clocks.length;
  const start = {
    exchange: before + 1,
    soonestMs: 0,
    errorUs: NaN,
    wallShiftUs: 0,
    t2Us: 0,
    t3Us: 0,
    t4Us: 0,
  };
  const t1Us = bench.nowUs + aheadUs;
  bench.pass(100);
  peer.say(writeClockFrame({ ...start, phase: 1, t1Us }));
  const answer = peer.clocks[before]!;
  assert.equal(answer.phase, 2);
  assert.equal(answer.t1Us, t1Us);
  assert.equal(answer.t2Us, bench.nowUs);
  bench.pass(100);
  peer.say(writeClockFrame({ ...answer, phase: 3, t4Us: bench.nowUs + aheadUs }));
}

test("hops are corrected by the clock exchanges of any session of the same process", () => {
  const bench = createBench();
  const processId = new Uint8Array(16).fill(9);
  const reader = bench.join({ processId, flow: 1 });
  const sender = bench.join({ processId, echo: true });
  const stranger = bench.join({ echo: true });
  exchange(bench, reader, 5_000_000);
  const sentUs = bench.nowUs + 5_000_000;
  bench.pass(300);
  sender.say(message(1, { sentUs }));
  stranger.say(message(1, { sentUs }));
  const view = new DataView(sender.frames("data")[0]!.buffer);
  const hop = hopOffset(0, 0);
  assert.equal(readHopMethod(view, hop), "estimate");
  const delayUs = readHopReceivedUs(view, hop) - sentUs + readHopCorrectionUs(view, hop);
  assert.ok(Math.abs(delayUs - 300) <= readHopErrorUs(view, hop), `${delayUs} µs`);
  const boundUs = readHopErrorUs(view, hop);
  assert.ok(boundUs <= 101);
  const uncorrected = new DataView(stranger.frames("data").at(-1)!.buffer);
  assert.equal(readHopMethod(uncorrected, hop), "none");
  assert.equal(bench.log.joined[0]!.pair, bench.log.joined[1]!.pair);
  assert.notEqual(bench.log.joined[0]!.pair, bench.log.joined[2]!.pair);
  assert.equal(bench.log.joined[0]!.rttUs, 200);
  // The longer it was under way, the more may the clocks have moved meanwhile: 500 ppm of it.
  sender.say(message(2, { sentUs: sentUs - 1e6 }));
  const late = new DataView(sender.frames("data").at(-1)!.buffer);
  assert.ok(Math.abs(readHopErrorUs(late, hop) - boundUs - 500) < 0.01);
});

test("a third clock frame counts only with the relay's own times, and once", () => {
  const bench = createBench();
  const peer = bench.join();
  const times = { soonestMs: 0, errorUs: NaN, wallShiftUs: 0, t1Us: 1, t4Us: 2 };
  peer.say(writeClockFrame({ ...times, phase: 3, exchange: 1, t2Us: 5, t3Us: 6 }));
  const session = bench.log.joined[0]!;
  assert.ok(Number.isNaN(session.rttUs));
  peer.say(writeClockFrame({ ...times, phase: 1, exchange: 1, t2Us: 0, t3Us: 0 }));
  const answer = peer.clocks[0]!;
  peer.say(writeClockFrame({ ...answer, phase: 3, t3Us: answer.t3Us + 1, t4Us: 400 }));
  assert.ok(Number.isNaN(session.rttUs));
  peer.say(writeClockFrame({ ...answer, phase: 3, t4Us: 401 }));
  assert.equal(session.rttUs, 400);
  peer.say(writeClockFrame({ ...answer, phase: 3, t4Us: 901 }));
  assert.equal(session.rttUs, 400);
});

test("with more clients than exchanges are free for, they are asked to read clocks less often", () => {
  const bench = createBench();
  const ask = (peer: BenchPeer) => {
    const zero = { t2Us: 0, t3Us: 0, t4Us: 0, errorUs: NaN, wallShiftUs: 0, soonestMs: 0 };
    peer.say(writeClockFrame({ ...zero, phase: 1, exchange: 1, t1Us: 1 }));
    return peer.clocks.at(-1)!.soonestMs;
  };
  const peer = bench.join();
  assert.equal(ask(peer), 0);
  for (let i = 0; i < 199; i++) bench.connect().sayHello();
  assert.equal(ask(peer), 200);
});

test("messages that arrive together are passed on as one, and counted each", () => {
  const bench = createBench();
  const origin = bench.join();
  const peers = [bench.join(), bench.join()];
  origin.say(message(1, { flags: FLAG_WARM_UP }), message(2), message(3));
  assert.deepEqual(bench.log.relayed, [
    { messages: 3, warmUp: 1, receivers: 2, residenceUs: 0 },
  ]);
  for (const peer of peers) assert.equal(peer.slices.at(-1)!.byteLength, 3 * 96);
});

test("a message that straddles two chunks is passed on together with those that follow it", () => {
  const bench = createBench();
  const origin = bench.join();
  const peer = bench.join();
  const first = message(1);
  origin.say(first.slice(0, 50));
  const before = peer.slices.length;
  origin.say(first.slice(50), message(2), message(3));
  assert.deepEqual(peer.messages.map((name) => name.split(":")[1]), ["1", "2", "3"]);
  assert.deepEqual(bench.log.relayed, [
    { messages: 3, warmUp: 0, receivers: 1, residenceUs: 0 },
  ]);
  assert.deepEqual(peer.slices.slice(before).map(({ byteLength }) => byteLength), [96, 192]);
});

test("what recipients wait for one another is told", () => {
  const bench = createBench();
  const origin = bench.join();
  for (let i = 0; i < 4; i++) bench.join();
  bench.readingCostUs = 1;
  origin.send();
  assert.deepEqual(bench.log.waitsUs, [3]);
});

test("a session without the filter's text is not metered, relayed or announced, but receives", () => {
  const bench = createBench({ filter: "run 7" });
  const early = bench.join({ prefix: "this is run 7" });
  const outsider = bench.join({ prefix: "run 8", echo: true });
  const late = bench.join({ prefix: "run 7!" });
  assert.deepEqual([early, outsider, late].map(({ welcome }) => welcome!.metered), [
    true,
    false,
    true,
  ]);
  outsider.send(2);
  late.send();
  bench.pass(12_000_000);
  for (const peer of [early, late]) {
    const announced = peer.joined.map(({ session }) => session);
    assert.ok(!announced.includes(numberOf(outsider)));
    const counted = peer.heartbeats.flatMap(({ origins }) => origins.map(({ session }) => session));
    assert.ok(!counted.includes(numberOf(outsider)));
  }
  assert.deepEqual(early.messages, [`${numberOf(late)}:1`]);
  assert.deepEqual(outsider.messages, [`${numberOf(late)}:1`]);
  assert.ok(outsider.joined.some(({ session }) => session === numberOf(late)));
  assert.deepEqual(bench.log.messages.map(({ session }) => session.number), [numberOf(late)]);
  outsider.sayBye(2);
  bench.pass(100_000);
  assert.deepEqual(early.left, []);
  assert.deepEqual(
    outsider.bye!.counts.origins.find(({ session }) => session === numberOf(outsider)),
    { session: numberOf(outsider), received: 2, next: 3, dropped: 0 },
  );
});

test("a message that has no room for another hop is counted, and not passed on", () => {
  const bench = createBench();
  const origin = bench.join();
  const other = bench.join();
  origin.send(1);
  origin.send(2, "", 1);
  origin.send(1, "", 4);
  assert.deepEqual(other.messages, [`${numberOf(origin)}:1`, `${numberOf(origin)}:4`]);
  const session = bench.log.joined[0]!;
  assert.equal(session.noSlot, 2);
  assert.equal(session.tracker.received, 4);
});

test("good messages before a bad one are passed on, then the session ends with its reason", () => {
  const bench = createBench();
  const origin = bench.join();
  const other = bench.join();
  const bad = message(3);
  bad[7] = 2;
  origin.say(message(1), message(2), bad, message(4));
  assert.deepEqual(other.messages, [`${numberOf(origin)}:1`, `${numberOf(origin)}:2`]);
  assert.equal(origin.bye!.reason, "protocol");
  assert.match(origin.bye!.text, /a client begins the first hop/);
  assert.ok(origin.link.ended);
  assert.match(bench.log.left[0]!.reason, /a client begins the first hop/);
  assert.deepEqual(bench.log.strangers, []);
});

test("a payload beyond what was agreed, or a frame that only a relay sends, ends the session", () => {
  for (
    const wrong of [
      message(1, { payload: "x".repeat(101) }),
      Uint8Array.of(6, 0, 0, 0, 2, 0),
      Uint8Array.of(6, 0, 0, 0, 99, 0),
      Uint8Array.of(5, 0, 0, 0, 4),
      Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
    ]
  ) {
    const bench = createBench();
    const peer = bench.join({ maxPayloadBytes: 100 });
    peer.say(message(1, { payload: "x".repeat(100) }));
    assert.deepEqual(peer.types, ["welcome", "directory"]);
    peer.say(wrong);
    assert.equal(peer.bye?.reason, "protocol");
    assert.equal(bench.relay.sessions.size, 0);
    peer.vanish();
    assert.equal(bench.relay.connections, 0);
  }
});

test("heartbeats carry an own count, and those of the origins that sent lately", () => {
  const bench = createBench();
  const origin = bench.join();
  const peer = bench.join();
  const flow = bench.join({ flow: 1 });
  origin.send(5);
  bench.pass(10_300_000);
  const own = { session: numberOf(peer), received: 0, next: 1, dropped: 0 };
  const counts = { session: numberOf(origin), received: 5, next: 6, dropped: 0 };
  assert.deepEqual(peer.heartbeats, [{ sent: 0, origins: [counts, own] }]);
  assert.deepEqual(flow.heartbeats.map(({ origins }) => origins.map(({ session }) => session)), [
    [numberOf(flow)],
  ]);
  for (let beat = 0; beat < 3; beat++) {
    for (const each of [origin, peer, flow]) each.say(writeHeartbeat({ sent: 0, origins: [] }));
    bench.pass(10_000_000);
  }
  assert.equal(peer.heartbeats.length, 4);
  assert.deepEqual(peer.heartbeats.at(-1), { sent: 0, origins: [own] });
  assert.equal(bench.relay.sessions.size, 3);
});
