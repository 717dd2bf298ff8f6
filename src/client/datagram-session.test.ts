// Sessions over datagrams that get lost, doubled, reordered and forged, in a simulated world.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DatagramKind,
  PLAIN_HEADER_BYTES,
  writeClose,
  writeControl,
  writeRequest,
} from "../relay/datagram.ts";
import { writeBye } from "../relay/bye.ts";
import { hopOffset, readHopSentUs, readSequence } from "../relay/data-frame.ts";
import { FrameType } from "../relay/frame.ts";
import { toHex } from "../relay/hex.ts";
import type { LinkOptions } from "../relay/simulation/sim-link.ts";
import { createSessionWorld, type SessionWorld, type WorldSession } from "./session-world.ts";

const SECOND = 1_000_000;
const idOf = ({ client }: WorldSession): string => toHex(client.welcome!.sessionId);

function way(upUs: number, downUs: number, faults: Partial<LinkOptions> = {}) {
  const datagrams = { jitterUs: 3_000, ...faults, delivery: "datagram" as const };
  return { up: { ...datagrams, delayUs: upUs }, down: { ...datagrams, delayUs: downUs } };
}

/** The distinct of `sequences` from `first` on, below `end`. */
function distinct(sequences: readonly number[], first: number, end: number): Set<number> {
  return new Set(sequences.filter((sequence) => sequence >= first && sequence < end));
}

/** Loss, doubles and order are those that the ways really gave. */
function assertCounted({ relayed }: SessionWorld, receiver: WorldSession, origin: WorldSession) {
  const id = idOf(origin);
  const known = receiver === origin ? receiver.client.self! : receiver.origins.get(id)!;
  const { start, latest, tracker } = known;
  const atRelay = distinct(relayed.get(id)!, start.next, latest.next);
  const got = receiver.received.get(id) ?? [];
  const here = distinct(got, start.next, latest.next);
  const what = `${origin.client.hello.name} at ${receiver.client.hello.name}`;
  assert.equal(known.up, latest.next - start.next - atRelay.size, `up, ${what}`);
  assert.equal(known.down, atRelay.size - here.size, `down, ${what}`);
  assert.equal(tracker.received, here.size, `received, ${what}`);
  let highest = start.next - 1;
  let reordered = 0;
  const seen = new Set<number>();
  for (const sequence of got) {
    if (sequence < start.next || seen.has(sequence)) continue;
    seen.add(sequence);
    if (sequence < highest) reordered++;
    highest = Math.max(highest, sequence);
  }
  assert.equal(tracker.reordered, reordered, `reordered, ${what}`);
  const inSpan = got.filter((sequence) => sequence >= start.next).length;
  assert.equal(tracker.duplicates, inSpan - here.size, `duplicates, ${what}`);
}

function runMesh(seed: number, faults: Partial<LinkOptions>) {
  const sessions = createSessionWorld(seed);
  const { world, random } = sessions;
  const process = () =>
    sessions.addProcess({
      offsetUs: random.between(-5e6, 5e6),
      driftPpm: random.between(-150, 150),
    });
  const start = (session: WorldSession): WorldSession => {
    sessions.sendUntil(session, 15_000, 15 * SECOND);
    return session;
  };
  const [one, two, three, four] = [process(), process(), process(), process()];
  const direct = start(
    one.connect(way(5_000, 40_000, faults), { name: "one", route: "direct", echo: true }),
  );
  const other = start(
    one.connect(way(30_000, 8_000, faults), { name: "one", route: "other", echo: true }),
  );
  const stays = start(two.connect(way(1_000, 1_200, faults), { name: "two" }));
  const leaves = start(three.connect(way(70_000, 20_000, faults), { name: "three" }));
  const stream = { up: { delayUs: 9_000, delivery: "stream" as const } };
  const overTcp = start(two.connect({ ...stream, down: stream.up }, { name: "tcp" }));
  const made: { joins?: WorldSession } = {};
  world.at(5 * SECOND, () => {
    made.joins = start(four.connect(way(2_000, 90_000, faults), { name: "late" }));
  });
  world.at(9 * SECOND, () => leaves.client.leave());
  world.run(16 * SECOND);
  const last = [direct, other, stays, overTcp, made.joins!];
  for (const { client } of last) client.leave();
  world.run(25 * SECOND);
  return { sessions, everyone: [...last, leaves] };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`what is lost, doubled and reordered is told apart to the last message (seed ${seed})`, () => {
    const { sessions, everyone } = runMesh(seed, { loss: 0.03, duplication: 0.02 });
    assert.deepEqual(sessions.strangers, []);
    assert.equal(sessions.relay.connections, 0);
    assert.equal(sessions.network.door.peers, 0);
    for (const session of everyone) {
      assert.ok(session.client.sent > 100, `${session.client.sent} sent`);
      assert.equal(session.end?.byRelay, true, session.end?.reason);
    }
    let lost = 0;
    for (const receiver of everyone) {
      for (const origin of everyone) {
        if (receiver === origin && !origin.client.hello.echo) continue;
        if (receiver !== origin && !receiver.origins.has(idOf(origin))) continue;
        assertCounted(sessions, receiver, origin);
        lost += receiver === origin ? 0 : receiver.origins.get(idOf(origin))!.up;
      }
    }
    assert.ok(lost > 50, `${lost} lost on the way up`);
  });
}

test("where ways lose nothing, nothing counts as lost, however they reorder", () => {
  const { sessions, everyone } = runMesh(7, { jitterUs: 20_000 });
  let reordered = 0;
  for (const receiver of everyone) {
    assert.equal(receiver.client.unknown, 0);
    for (const origin of receiver.origins.values()) {
      assert.ok(
        origin.up === 0 && origin.down === 0,
        `${origin.name} at ${receiver.client.hello.name}: ${origin.up} up, ${origin.down} down`,
      );
      reordered += origin.tracker.reordered;
    }
  }
  assert.ok(reordered > 1000, `${reordered} reordered`);
  assert.ok(
    sessions.hops.every(({ correctedUs, trueUs, errorUs }) =>
      Number.isNaN(errorUs) || Math.abs(correctedUs - trueUs) <= errorUs + 0.2
    ),
  );
});

/** One client that has opened, and a second of messages behind it. */
function openOne(seed = 1, faults: Partial<LinkOptions> = {}, untilUs = 2 * SECOND) {
  const sessions = createSessionWorld(seed);
  const process = sessions.addProcess({ offsetUs: 1000, driftPpm: 10 });
  const session = process.connect(way(10_000, 10_000, { jitterUs: 0, ...faults }), { echo: true });
  sessions.sendUntil(session, 5_000, 20 * SECOND);
  sessions.world.run(untilUs);
  assert.equal(session.client.state, "open");
  return { sessions, session, world: sessions.world, network: sessions.network };
}

test("a session tells when its newest message was stamped", () => {
  const { session, world, network } = openOne();
  const { client } = session;
  assert.equal(client.send(0, 100, false), true);
  const { sent, sentUs } = client;
  world.run(3 * SECOND);
  const stamps = network.seen.received.flatMap(({ bytes }) => {
    if (bytes[0] !== DatagramKind.plain || bytes[PLAIN_HEADER_BYTES + 4] !== FrameType.data) {
      return [];
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (readSequence(view, PLAIN_HEADER_BYTES) !== sent) return [];
    return [readHopSentUs(view, hopOffset(PLAIN_HEADER_BYTES, 0))];
  });
  assert.deepEqual(stamps, [sentUs]);
});

test("a session whose address changes goes on: nothing is lost but what was under way", () => {
  const { session, world, network } = openOne();
  const before = session.way!.endpoint;
  session.way!.rebind();
  const { port } = session.way!.endpoint;
  const sentBefore = network.seen.sent.length;
  world.run(4 * SECOND);
  assert.deepEqual(network.moves, [[before.port, port]]);
  // Asked first: until it has answered nothing else goes to the new address.
  const there = network.seen.sent.slice(sentBefore).filter(({ endpoint }) =>
    endpoint.port === port
  );
  assert.equal(there[0]!.bytes[0], DatagramKind.challenge);
  session.client.leave();
  world.run(6 * SECOND);
  assert.equal(session.end!.byRelay, true);
  const { up, down } = session.client.self!;
  assert.equal(up, 0);
  // Two ways of 10 ms, a message about every 5 ms.
  assert.ok(down > 0 && down <= 12, `${down} lost`);
});

test("a challenge that gets lost is sent again", () => {
  const { session, world, network } = openOne(3, { loss: 0.25 }, 6 * SECOND);
  session.way!.rebind();
  world.run(10 * SECOND);
  assert.equal(network.moves.length, 1);
  assert.equal(session.client.state, "open");
});

test("who does not see the traffic can neither put anything into a session nor end it", () => {
  const { session, world, sessions, network } = openOne();
  const honest = session.way!.endpoint;
  const bye = writeBye({ reason: "done", counts: { sent: 0, origins: [] }, text: "" });
  for (let guess = 0; guess < 2000; guess++) {
    const token = Uint8Array.from({ length: 8 }, () => Math.floor(sessions.random.next() * 256));
    for (const from of [honest, { address: "203.0.113.9", port: 9 }]) {
      network.receive(writeClose(token), from);
      network.receive(writeControl(token, 1 + guess % 30, false, bye), from);
    }
  }
  world.run(3 * SECOND);
  assert.equal(session.client.state, "open");
  assert.equal(sessions.relay.sessions.size, 1);
  assert.deepEqual(network.moves, []);
  assert.equal(network.door.strange, 8000);
});

test("what somebody recorded and sends again from elsewhere changes nothing", () => {
  const { session, world, network, sessions } = openOne();
  const attacker = { address: "203.0.113.9", port: 9 };
  const sentBefore = network.seen.sent.length;
  const recorded = [...network.seen.received];
  for (const { bytes } of recorded) network.receive(bytes.slice(), attacker);
  assert.equal(sessions.relay.sessions.size, 1);
  const toAttacker = network.seen.sent.slice(sentBefore).filter(({ endpoint }) =>
    endpoint.address === attacker.address
  );
  // A request has its cookie, which nobody there can use; a session's datagrams have a challenge.
  for (const { bytes } of toAttacker) {
    assert.ok(bytes[0] === DatagramKind.cookie || bytes[0] === DatagramKind.challenge);
  }
  world.run(3 * SECOND);
  assert.deepEqual(network.moves, []);
  assert.equal(session.client.state, "open");
  assert.equal(session.client.self!.up, 0);
});

test("what is recorded opens no second session, even from its own address", () => {
  const { session, world, network, sessions } = openOne();
  const from = session.way!.endpoint;
  const opens = network.seen.received.filter(({ bytes }) => bytes[0] === DatagramKind.open);
  assert.equal(opens.length, 1);
  for (let times = 0; times < 3; times++) network.receive(opens[0]!.bytes.slice(), from);
  assert.equal(sessions.relay.sessions.size, 1);
  session.client.leave();
  world.run(3 * SECOND);
  assert.equal(sessions.relay.sessions.size, 0);
  for (let times = 0; times < 3; times++) network.receive(opens[0]!.bytes.slice(), from);
  world.run(15 * SECOND);
  network.receive(opens[0]!.bytes.slice(), from);
  assert.equal(sessions.relay.sessions.size, 0);
  assert.equal(network.door.peers, 0);
});

test("nobody is sent more than came from his address, before he has proven to be there", () => {
  const { sessions, network } = openOne();
  const victim = { address: "198.51.100.7", port: 53 };
  let received = 0;
  const pieces = [
    ...network.seen.received.map(({ bytes }) => bytes),
    writeRequest(new Uint8Array(16)),
    ...Array.from({ length: 200 }, (_, size) => new Uint8Array(size).fill(size % 12)),
  ];
  const before = network.seen.sent.length;
  for (let i = 0; i < 5000; i++) {
    const piece = pieces[Math.floor(sessions.random.next() * pieces.length)]!;
    const bytes = piece.slice();
    if (sessions.random.chance(0.5) && bytes.byteLength > 0) {
      bytes[Math.floor(sessions.random.next() * bytes.byteLength)] = i;
    }
    received += bytes.byteLength;
    network.receive(bytes, victim);
    const sent = network.seen.sent.slice(before)
      .filter(({ endpoint }) => endpoint.address === victim.address)
      .reduce((sum, each) => sum + each.bytes.byteLength, 0);
    assert.ok(sent <= received, `${sent} bytes for ${received}`);
    if (i % 500 > 0) continue;
    network.seen.sent.length = before;
    received = 0;
  }
});

test("a server that has forgotten a session says so, and is believed by its token alone", () => {
  const { session, network, world } = openOne();
  const other = createSessionWorld(9);
  // The same datagram at a server that was started anew.
  const plain = network.seen.received.find(({ bytes }) => bytes[0] === DatagramKind.plain)!;
  other.network.receive(plain.bytes.slice(), plain.endpoint);
  const [answer] = other.network.seen.sent;
  assert.equal(answer!.bytes[0], DatagramKind.close);
  assert.ok(answer!.bytes.byteLength < plain.bytes.byteLength);
  assert.deepEqual(answer!.bytes.subarray(4, 12), plain.bytes.subarray(4, 12));
  other.network.receive(answer!.bytes.slice(), plain.endpoint);
  assert.equal(other.network.seen.sent.length, 1);
  world.run(3 * SECOND);
  assert.equal(session.client.state, "open");
});

test("both ends notice within half a minute that nothing comes any more", () => {
  const { session, network, world, sessions } = openOne();
  session.way!.rebind();
  network.door.close();
  const { received } = network.seen;
  received.length = 0;
  session.client.link.destroy();
  world.run(40 * SECOND);
  assert.equal(sessions.relay.sessions.size, 0);
});
