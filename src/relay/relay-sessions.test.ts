import assert from "node:assert/strict";
import { test } from "node:test";
import { writeBye } from "./bye.ts";
import { writeHello } from "./hello.ts";
import { type BenchPeer, createBench, joinBytes, message } from "./simulation/relay-bench.ts";

const numberOf = (peer: BenchPeer): number => peer.welcome!.session;
const hello = (name = "client"): Uint8Array =>
  writeHello({
    probe: false,
    echo: false,
    processId: new Uint8Array(16).fill(7),
    previousSession: new Uint8Array(8),
    maxPayloadBytes: 1000,
    flow: 0,
    mode: "paced",
    name,
    route: "direct",
    prefix: "",
  });

test("a client is welcomed with what both agreed on", () => {
  const bench = createBench();
  const peer = bench.join({ maxPayloadBytes: 1200, name: "A" });
  const { welcome } = peer;
  assert.equal(welcome!.maxPayloadBytes, 1200);
  assert.equal(welcome!.hopSlots, 2);
  assert.equal(welcome!.heartbeatMs, 10_000);
  assert.equal(welcome!.name, "relay");
  assert.equal(welcome!.previous, undefined);
  assert.deepEqual(welcome!.processId, new Uint8Array(16).fill(0xee));
  assert.deepEqual(bench.log.joined.map(({ name }) => name), ["A"]);
});

test("a hello is taken however it is cut", () => {
  const whole = hello();
  for (let at = 1; at < whole.byteLength; at++) {
    const bench = createBench();
    const peer = bench.connect();
    peer.say(whole.slice(0, at));
    assert.equal(peer.types.length, 0);
    peer.say(whole.slice(at));
    assert.equal(peer.types[0], "welcome");
    peer.say(message(1));
    assert.equal(bench.log.messages.length, 1);
  }
});

test("a client that does not wait for the welcome is turned away, however its bytes are cut", () => {
  const stream = joinBytes([hello(), message(1)]);
  for (const at of [3, hello().byteLength - 1]) {
    const bench = createBench();
    const peer = bench.connect();
    peer.say(stream.slice(0, at));
    peer.say(stream.slice(at));
    assert.equal(peer.types.length, 0);
    assert.match(bench.log.strangers[0]!, /before the welcome/);
  }
  for (const more of [1, 6, 96]) {
    const bench = createBench();
    const peer = bench.connect();
    peer.say(stream.slice(0, hello().byteLength + more));
    assert.equal(bench.log.strangers.length, 1, `${more} bytes more`);
    assert.ok(peer.link.destroyed);
  }
});

const strangers: [who: string, bytes: Uint8Array][] = [
  ["a web browser", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")],
  ["zeros", new Uint8Array(100)],
  ["a hello of another version", hello().fill(9, 6, 7)],
  ["a hello with another magic", hello().fill(9, 8, 12)],
  ["a hello without a name", hello("")],
  ["a hello with an unknown mode", hello().fill(9, 42, 43)],
  ["a message without a hello", message(1)],
];
for (const [who, bytes] of strangers) {
  for (const closesAtOnce of [true, false]) {
    test(`${who} is closed with one line and never a client (closing ${closesAtOnce ? "at once" : "later"})`, () => {
      for (const cuts of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
        const bench = createBench();
        const client = bench.join();
        const peer = bench.connect();
        peer.link.closesAtOnce = closesAtOnce;
        for (const part of cuts) peer.say(part);
        assert.equal(bench.log.strangers.length, 1);
        assert.ok(peer.link.destroyed);
        peer.say(hello());
        peer.vanish();
        bench.pass(20_000_000);
        assert.equal(bench.log.strangers.length, 1);
        assert.deepEqual(peer.slices, []);
        assert.equal(bench.log.joined.length, 1);
        assert.deepEqual(bench.log.left, []);
        assert.equal(bench.relay.connections, 1);
        assert.equal(client.bye, undefined);
      }
    });
  }
}

test("a client of TLS is refused by a bye, which its own end tells from TLS", () => {
  const bytes = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
  for (const cuts of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
    const bench = createBench();
    const peer = bench.connect();
    for (const part of cuts) peer.say(part);
    assert.equal(peer.bye!.reason, "tls");
    assert.match(peer.bye!.text, /does not speak TLS/);
    assert.deepEqual(bench.log.refused, [peer.bye!.text]);
    assert.ok(peer.link.ended);
    assert.deepEqual(bench.log.strangers, []);
  }
});

test("whom the transport does not trust is told why, and as a probe that somebody is there", () => {
  const bench = createBench();
  const untrusted = bench.connect("no certificate");
  untrusted.sayHello();
  assert.deepEqual(untrusted.types, ["bye"]);
  assert.deepEqual([untrusted.bye!.reason, untrusted.bye!.text], ["untrusted", "no certificate"]);
  assert.deepEqual(bench.log.refused, ["no certificate"]);
  const probe = bench.connect("no certificate");
  probe.sayHello({ probe: true });
  assert.equal(probe.welcome!.name, "");
  assert.ok(probe.welcome!.processId.every((byte) => byte === 0));
});

test("one that connects and leaves, or stays silent, or says half a hello is a stranger, once", () => {
  const bench = createBench();
  bench.connect().vanish();
  bench.connect().vanish(new Error("reset"));
  const half = bench.connect();
  half.say(hello().slice(0, 30));
  half.vanish();
  assert.deepEqual(bench.log.strangers, ["left without a hello", "reset", "left without a hello"]);
  const silent = bench.connect();
  const dripping = bench.connect();
  for (let i = 0; i < 10; i++) {
    if (!dripping.link.destroyed) dripping.say(hello().slice(i, i + 1));
    bench.pass(1_000_000);
  }
  assert.ok(silent.link.destroyed && dripping.link.destroyed);
  assert.deepEqual(bench.log.strangers.slice(3), ["no hello", "no hello"]);
  assert.equal(bench.relay.connections, 0);
});

test("a probe is welcomed and never counted, even where the server is full", () => {
  const bench = createBench({ maxClients: 1 });
  const client = bench.join();
  const probe = bench.join({ probe: true });
  assert.equal(probe.welcome!.name, "relay");
  assert.ok(probe.link.ended);
  client.send();
  assert.deepEqual(probe.types, ["welcome"]);
  probe.vanish();
  assert.equal(bench.relay.connections, 1);
  assert.equal(bench.log.joined.length, 1);
  assert.equal(bench.log.left.length + bench.log.strangers.length + bench.log.refused.length, 0);
  assert.deepEqual(client.joined.map(({ session }) => session), [numberOf(client)]);
});

test("beyond the most clients one is refused by a bye that says why, until another leaves", () => {
  const bench = createBench({ maxClients: 2 });
  const first = bench.join();
  bench.join();
  const third = bench.join();
  assert.deepEqual(third.types, ["bye"]);
  assert.equal(third.bye!.reason, "full");
  assert.equal(third.bye!.text, "the server is full: 2 of 2 clients");
  assert.ok(third.link.ended);
  assert.deepEqual(bench.log.refused, [third.bye!.text]);
  third.vanish();
  assert.equal(bench.log.strangers.length + bench.log.left.length, 0);
  first.sayBye(0);
  assert.ok(bench.join().welcome !== undefined);
});

test("a session is announced before its first message, and newcomers learn who is there", () => {
  const bench = createBench();
  const early = bench.join({ name: "early" });
  early.send(4);
  const late = bench.connect();
  late.sayHello({ name: "late", route: "accelerated" });
  assert.deepEqual(late.types, ["welcome", "directory"]);
  const [known] = late.joined;
  assert.deepEqual([known!.name, known!.received, known!.next], ["early", 4, 5]);
  assert.deepEqual(early.joined.map(({ name }) => name), ["early"]);
  late.send();
  assert.deepEqual(early.types.slice(-2), ["directory", "data"]);
  const news = early.joined.at(-1)!;
  assert.deepEqual([news.session, news.name, news.route], [numberOf(late), "late", "accelerated"]);
  assert.deepEqual([news.received, news.next], [0, 1]);
  bench.pass(1_000_000);
  assert.equal(early.joined.filter(({ name }) => name === "late").length, 1);
});

test("news wait a moment and are told together", () => {
  const bench = createBench();
  const watcher = bench.join();
  const before = watcher.frames("directory").length;
  for (let i = 0; i < 250; i++) bench.connect().sayHello({ name: `client ${i}` });
  bench.pass(19_999);
  assert.equal(watcher.frames("directory").length, before);
  bench.pass(1);
  assert.equal(watcher.frames("directory").length, before + 3);
  assert.equal(new Set(watcher.joined.map(({ session }) => session)).size, 251);
});

test("one that leaves before its arrival was told was never there", () => {
  const bench = createBench();
  const watcher = bench.join();
  const brief = bench.connect();
  brief.sayHello();
  const newcomer = bench.connect();
  newcomer.sayHello();
  brief.vanish();
  bench.pass(100_000);
  for (const peer of [watcher, newcomer]) {
    assert.ok(!peer.joined.some(({ session }) => session === 2));
    assert.deepEqual(peer.left, []);
  }
});

test("who leaves is told with the final counts; a bye extends them to what was sent", () => {
  const bench = createBench();
  const watcher = bench.join();
  const polite = bench.join();
  const abrupt = bench.join();
  polite.say(message(1), message(2), message(4));
  abrupt.say(message(1), message(3));
  polite.sayBye(6);
  abrupt.vanish();
  bench.pass(20_000);
  assert.deepEqual(watcher.left, [
    { session: numberOf(polite), received: 3, next: 7, dropped: 0 },
    { session: numberOf(abrupt), received: 2, next: 4, dropped: 0 },
  ]);
  const { bye } = polite;
  assert.equal(bye!.reason, "done");
  assert.deepEqual(bye!.counts.origins.find(({ session }) => session === numberOf(polite)), {
    session: numberOf(polite),
    received: 3,
    next: 7,
    dropped: 0,
  });
  assert.deepEqual(bench.log.left.map(({ reason }) => reason), ["done", "connection closed"]);
  assert.ok(polite.link.ended);
});

test("clients that leave together learn one another's final counts", () => {
  const bench = createBench();
  const [a, b, c] = [bench.join(), bench.join(), bench.join()];
  a.send(3);
  b.send(2);
  a.sayBye(3);
  b.sayBye(2);
  c.sayBye(0);
  const finals = (peer: BenchPeer) => {
    const all = [...peer.left, ...peer.bye!.counts.origins];
    return new Map(all.map(({ session, received }) => [session, received]));
  };
  assert.equal(finals(b).get(numberOf(a)), 3);
  assert.equal(finals(a).get(numberOf(b)), 2);
  assert.equal(finals(c).get(numberOf(a)), 3);
  assert.equal(finals(c).get(numberOf(b)), 2);
  assert.equal(c.types.at(-1), "bye");
});

test("a client that comes back learns what the relay had of its last session", () => {
  const bench = createBench();
  const processId = new Uint8Array(16).fill(5);
  const before = bench.join({ processId });
  before.send(7);
  before.vanish();
  const previousSession = before.welcome!.sessionId;
  const after = bench.join({ processId, previousSession });
  assert.deepEqual(after.welcome!.previous, { received: 7, next: 8 });
  const spy = bench.join({ processId: new Uint8Array(16).fill(6), previousSession });
  assert.equal(spy.welcome!.previous, undefined);
});

test("a client that comes back while its old session looks alive takes that one's place", () => {
  const bench = createBench({ maxClients: 2 });
  const processId = new Uint8Array(16).fill(5);
  const watcher = bench.join();
  const before = bench.join({ processId });
  before.send(3);
  const previousSession = before.welcome!.sessionId;
  const after = bench.join({ processId, previousSession });
  assert.equal(before.bye!.reason, "replaced");
  assert.ok(before.link.ended);
  assert.deepEqual(after.welcome!.previous, { received: 3, next: 4 });
  assert.deepEqual(watcher.left.map(({ session }) => session), [numberOf(before)]);
  const spy = bench.connect();
  spy.sayHello({ previousSession: after.welcome!.sessionId });
  assert.equal(after.bye, undefined);
  assert.equal(bench.relay.sessions.size, 2);
});

test("what comes with a bye is nobody's, even where it is no frame", () => {
  const bench = createBench();
  const peer = bench.join();
  const bye = writeBye({ reason: "done", counts: { sent: 0, origins: [] }, text: "" });
  peer.say(bye, message(1), Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  assert.equal(peer.bye!.reason, "done");
  assert.ok(!peer.link.destroyed);
  assert.deepEqual(bench.log.strangers, []);
  assert.deepEqual(bench.log.messages, []);
});

test("what follows a bye is nobody's, whatever it is", () => {
  const bench = createBench();
  const watcher = bench.join();
  const peer = bench.join();
  peer.send();
  const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3);
  peer.sayBye(1);
  peer.say(message(2));
  peer.say(bytes);
  assert.equal(peer.bye!.reason, "done");
  assert.equal(peer.frames("bye").length, 1);
  assert.equal(watcher.messages.length, 1);
  assert.ok(!peer.link.destroyed);
  assert.deepEqual(bench.log.strangers, []);
});

test("a client that is not heard for three heartbeats is told so and gone", () => {
  const bench = createBench();
  const peer = bench.join();
  bench.pass(29_500_000);
  assert.equal(bench.relay.sessions.size, 1);
  bench.pass(1_000_000);
  assert.equal(bench.relay.sessions.size, 0);
  assert.equal(peer.bye!.reason, "silent");
  assert.ok(peer.link.ended);
  assert.match(bench.log.left[0]!.reason, /nothing heard for 30 s/);
  bench.pass(6_000_000);
  assert.ok(peer.link.destroyed);
  assert.equal(bench.relay.connections, 0);
});

test("a relay that slept itself takes nobody for silent before it has read what they sent", () => {
  const bench = createBench();
  const peer = bench.join();
  bench.sleep(60_000_000);
  bench.pass(100_000);
  peer.send();
  bench.pass(5_000_000);
  assert.equal(bench.relay.sessions.size, 1);
  bench.pass(31_000_000);
  assert.equal(bench.relay.sessions.size, 0);
});

test("a shutdown says bye to all with their counts, ends every link and takes nobody more", () => {
  const bench = createBench();
  const peers = [bench.join(), bench.join({ flow: 1 }), bench.join()];
  const greeting = bench.connect();
  const stuck = bench.join();
  stuck.link.takes = false;
  peers[0]!.send(2);
  bench.relay.shutdown();
  for (const peer of peers) {
    assert.equal(peer.bye!.reason, "shutdown");
    assert.ok(peer.link.ended);
    assert.ok(peer.bye!.counts.origins.some(({ session }) => session === numberOf(peer)));
  }
  assert.ok(greeting.link.ended);
  const late = bench.connect();
  assert.equal(late.bye!.reason, "shutdown");
  assert.ok(late.link.ended);
  assert.equal(bench.relay.sessions.size, 0);
  assert.ok(!stuck.link.ended);
  for (const peer of [...peers, greeting, late]) peer.vanish();
  assert.equal(bench.relay.connections, 1);
  bench.pass(6_000_000);
  assert.ok(stuck.link.destroyed);
  assert.equal(bench.relay.connections, 0);
  assert.deepEqual(bench.log.strangers, []);
});

test("a link that takes its bye late is ended after it", () => {
  const bench = createBench();
  const other = bench.join();
  const peer = bench.join();
  peer.link.takes = false;
  other.send(2);
  peer.sayBye(0);
  assert.ok(!peer.link.ended);
  peer.takeAll();
  assert.equal(peer.types.at(-1), "bye");
  assert.ok(peer.link.ended);
});

test("a thousand clients come, send, see one another and leave in bounded memory and time", () => {
  const bench = createBench();
  const peers = Array.from({ length: 1000 }, () => bench.connect());
  peers.forEach((peer, index) => {
    const processId = new Uint8Array(16);
    new DataView(processId.buffer).setUint32(0, index + 1);
    peer.sayHello({ processId });
  });
  bench.pass(20_000);
  assert.equal(bench.relay.sessions.size, 1000);
  for (const peer of [peers[0]!, peers[999]!]) {
    assert.equal(new Set(peer.joined.map(({ session }) => session)).size, 1000);
    assert.ok(peer.slices.length <= 12, `${peer.slices.length} frames`);
  }
  peers[0]!.send();
  assert.equal(bench.log.relayed[0]!.receivers, 999);
  bench.pass(10_250_000);
  for (const peer of peers.slice(500)) peer.vanish();
  bench.pass(20_000);
  assert.equal(peers[0]!.left.length, 500);
  for (const peer of peers.slice(0, 500)) peer.sayBye(0);
  for (const peer of peers.slice(0, 500)) peer.vanish();
  bench.pass(250_000);
  assert.equal(bench.relay.connections, 0);
});
