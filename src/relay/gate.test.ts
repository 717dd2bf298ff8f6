import assert from "node:assert/strict";
import { test } from "node:test";
import { type Admission, createGate, sourceOf } from "./gate.ts";
import { createBench } from "./simulation/relay-bench.ts";

const limits = { connections: 100, perSource: 3, halfOpen: 100 };

/** Lets someone in who is known to fit. */
function admit(gate: ReturnType<typeof createGate>, peer: string, evict = () => {}): Admission {
  const admission = gate.enter(peer, evict);
  assert.ok(typeof admission !== "string", String(admission));
  return admission;
}

test("one address has so many connections and no more, until one of them leaves", () => {
  const gate = createGate(limits);
  const [first] = [1, 2, 3].map((port) => admit(gate, `192.0.2.1:${port}`));
  assert.equal(gate.enter("192.0.2.1:4", () => {}), "per-address");
  admit(gate, "192.0.2.2:1");
  gate.settled(first!);
  assert.equal(gate.enter("192.0.2.1:4", () => {}), "per-address");
  gate.left(first!);
  admit(gate, "192.0.2.1:4");
  assert.equal(gate.enter("192.0.2.1:5", () => {}), "per-address");
});

test("a host with a whole network of IPv6 is one source", () => {
  const one = ["[2001:db8:0:7::1]:5", "[2001:0db8:0:7:ffff::9]:5", "[2001:db8:0:7:1:2:3:4]:80"];
  assert.equal(new Set(one.map(sourceOf)).size, 1);
  const others = ["[2001:db8:0:8::1]:5", "[::1]:5", "[fe80::1%eth0]:5", "[2001:db8::7]:1"];
  assert.equal(new Set([one[0]!, ...others].map(sourceOf)).size, 5);
  assert.equal(sourceOf("192.0.2.1:5"), "192.0.2.1");
});

test("beyond all that there may be, nobody is let in, wherever he is from", () => {
  const gate = createGate({ ...limits, connections: 2 });
  const first = admit(gate, "192.0.2.1:1");
  admit(gate, "192.0.2.2:1");
  assert.equal(gate.enter("192.0.2.3:1", () => {}), "crowded");
  gate.left(first);
  admit(gate, "192.0.2.3:1");
});

test("of too many without a session the oldest makes room, and none that has one", () => {
  const gate = createGate({ ...limits, halfOpen: 2 });
  const evicted: number[] = [];
  const admissions = [0, 1, 2].map((index) => {
    const admission = admit(gate, `192.0.2.${index}:1`, () => evicted.push(index));
    if (index === 0) gate.settled(admission);
    return admission;
  });
  assert.deepEqual(evicted, []);
  admit(gate, "192.0.2.9:1");
  assert.deepEqual(evicted, [1]);
  gate.left(admissions[1]!);
  admit(gate, "192.0.2.10:1");
  assert.deepEqual(evicted, [1, 2]);
});

test("a relay tells who has too many connections, and keeps nothing of those it turned away", () => {
  const bench = createBench({ maxPerAddress: 2 });
  const [first] = [bench.join(), bench.join()];
  const third = bench.connect();
  assert.equal(third.bye!.reason, "crowded");
  assert.match(third.bye!.text, /too many connections from this address/);
  assert.ok(third.link.ended);
  assert.equal(bench.relay.connections, 2);
  first!.vanish();
  assert.ok(bench.join().welcome !== undefined);
});

test("a server out of descriptors tells a few of it, and the rest go at once; UDP needs none", () => {
  let isShort = false;
  const bench = createBench({ isShortOfDescriptors: () => isShort });
  bench.join();
  isShort = true;
  const others = Array.from({ length: 10 }, () => bench.connect());
  assert.match(others[0]!.bye!.text, /out of file descriptors/);
  assert.deepEqual(others.map(({ link }) => link.destroyed).indexOf(true), 8);
  assert.equal(bench.relay.admit("192.0.2.1:1", () => {}), undefined);
  assert.equal(bench.log.refused.length, 11);
  const link = {
    peer: "192.0.2.1:1",
    write: () => true,
    pause() {},
    resume() {},
    end() {},
    destroy() {},
  };
  bench.relay.accept({ ...link, transport: "udp" });
  assert.equal(bench.log.refused.length, 11);
  isShort = false;
  assert.ok(bench.join().welcome !== undefined);
});

test("who was turned away and does not go is closed, and of too many none is waited for", () => {
  const bench = createBench({ maxPerAddress: 1 });
  bench.join();
  const others = Array.from({ length: 1001 }, () => bench.connect());
  assert.deepEqual(others.map(({ link }) => link.destroyed).indexOf(true), 1000);
  bench.pass(4_000_000);
  assert.ok(!others[0]!.link.destroyed);
  bench.pass(1_500_000);
  assert.ok(others.every(({ link }) => link.destroyed));
  others[0]!.vanish();
  assert.equal(bench.relay.connections, 1);
});

test("strangers without end do not keep a client out", () => {
  const bench = createBench({ maxClients: 2 });
  const silent = Array.from({ length: 50 }, () => bench.connect());
  assert.ok(bench.relay.connections <= 8, `${bench.relay.connections}`);
  assert.ok(bench.join().welcome !== undefined);
  assert.equal(silent.filter(({ link }) => link.destroyed).length, silent.length - 3);
});

test("those who were refused and stay do not keep a client out either", () => {
  const bench = createBench({ maxClients: 2 });
  const refused = Array.from({ length: 50 }, () => {
    const peer = bench.connect();
    peer.sayHello({ nonce: new Uint8Array(16) });
    return peer;
  });
  assert.ok(refused.every(({ bye }) => bye?.reason === "untrusted"));
  assert.ok(bench.relay.connections <= 8, `${bench.relay.connections}`);
  assert.ok(bench.join().welcome !== undefined);
  assert.equal(bench.log.refused.length, 50);
  assert.deepEqual(bench.log.strangers, []);
});

test("one address that comes and comes makes room from among its own", () => {
  const gate = createGate({ ...limits, perSource: Infinity, halfOpen: 20 });
  const evicted: string[] = [];
  const enter = (peer: string): void => void admit(gate, peer, () => evicted.push(peer));
  for (let i = 0; i < 10; i++) enter(`192.0.2.${i}:1`);
  for (let port = 0; port < 60; port++) enter(`198.51.100.1:${port}`);
  assert.deepEqual(evicted, Array.from({ length: 50 }, (_, port) => `198.51.100.1:${port}`));
  // Who comes alone does not have to make room himself.
  enter("192.0.2.99:1");
  assert.equal(evicted.at(-1), "192.0.2.0:1");
});
