// Sessions over datagrams whose ends have proven a token, on ways that are bad or hostile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { writeBye } from "../relay/bye.ts";
import { DatagramKind, hasMac, writeClose, writeControl } from "../relay/datagram.ts";
import { toHex } from "../relay/hex.ts";
import type { LinkOptions } from "../relay/simulation/sim-link.ts";
import { createSessionWorld, type WorldSession } from "./session-world.ts";

const SECOND = 1_000_000;
const token = new TextEncoder().encode("what only they know");
const bye = writeBye({ reason: "done", counts: { sent: 0, origins: [] }, text: "forged" });
const attacker = { address: "203.0.113.9", port: 666 };
const idOf = ({ client }: WorldSession): string => toHex(client.welcome!.sessionId);

function way(faults: Partial<LinkOptions> = {}) {
  const link = { delayUs: 10_000, jitterUs: 3_000, ...faults, delivery: "datagram" as const };
  return { up: link, down: link };
}

/** Two clients that prove the token, and send; run for a while. */
function runTwo(seed: number, faults: Partial<LinkOptions> = {}) {
  const sessions = createSessionWorld(seed, token);
  const start = (name: string): WorldSession => {
    const process = sessions.addProcess({ offsetUs: 1e6, driftPpm: 20 });
    const session = process.connect(way(faults), { name });
    sessions.sendUntil(session, 20_000, 60 * SECOND);
    return session;
  };
  const two = [start("one"), start("two")] as const;
  sessions.world.run(10 * SECOND);
  return { ...sessions, two };
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`a handshake of which much is lost, doubled and reordered comes to its end (seed ${seed})`, () => {
    const { world, relay, network, two } = runTwo(seed, {
      loss: 0.2,
      duplication: 0.1,
      jitterUs: 30_000,
    });
    for (const { client } of two) assert.equal(client.state, "open");
    for (const { client } of two) client.leave();
    world.run(25 * SECOND);
    for (const session of two) assert.equal(session.end?.byRelay, true, session.end?.reason);
    const [one, other] = two;
    assert.ok(other.received.get(idOf(one))!.length > 100);
    assert.equal(relay.connections, 0);
    assert.equal(network.door.peers, 0);
  });
}

test("from the proof on each datagram is authenticated, and the token in none", () => {
  const { network, two } = runTwo(11);
  for (const { client } of two) assert.equal(client.state, "open");
  const { received, sent } = network.seen;
  const plain = [...received, ...sent].filter(({ bytes }) => bytes[0] === DatagramKind.plain);
  assert.ok(plain.length > 500);
  assert.ok(plain.every(({ bytes }) => hasMac(bytes)));
  // Only what goes before a proof goes without: the challenge, and that it and the proof arrived.
  const bare = [...received, ...sent].filter(({ bytes }) =>
    bytes[0]! >= DatagramKind.plain && !hasMac(bytes)
  );
  assert.ok(bare.length <= 8, `${bare.length}`);
  const text = new TextDecoder().decode(token);
  for (const { bytes } of [...received, ...sent]) {
    assert.ok(!new TextDecoder().decode(bytes).includes(text));
  }
});

test("datagrams that somebody sends again count as doubled, and have no other effect", () => {
  const { world, relay, network, relayed, two } = runTwo(12);
  const [one, other] = two;
  const before = new Set(relayed.get(idOf(one))).size;
  const sessions = [...relay.sessions];
  const sent = network.seen.sent.length;
  for (const { bytes } of [...network.seen.received]) network.receive(bytes.slice(), attacker);
  const distinct = new Set(relayed.get(idOf(one))).size;
  assert.equal(distinct, before);
  assert.deepEqual([...relay.sessions], sessions);
  assert.ok(sessions.every(({ tracker }) => tracker.duplicates > 100));
  // Whoever it is gets challenges, each for more bytes than it has, and never a message.
  const kinds = network.seen.sent.slice(sent).filter(({ endpoint }) => endpoint.port === 666)
    .map(({ bytes }) => bytes[0]);
  assert.ok(kinds.every((kind) => kind !== DatagramKind.plain && kind !== DatagramKind.control));
  world.run(15 * SECOND);
  assert.deepEqual(network.moves, []);
  for (const { client } of two) assert.equal(client.state, "open");
  assert.ok(other.received.get(idOf(one))!.length > before);
});

test("who sees all that travels, and has not the token, can neither end a session nor speak in it", () => {
  const { world, network, relayed, two } = runTwo(13);
  const [one] = two;
  const seen = network.seen.received.filter(({ bytes }) => bytes[0] === DatagramKind.plain);
  const sessionToken = seen[0]!.bytes.slice(4, 12);
  const { endpoint } = seen[0]!;
  const before = relayed.get(idOf(one))!.length;
  const strange = network.door.strange;
  const forged = [
    writeClose(sessionToken),
    ...Array.from({ length: 50 }, (_, i) => writeControl(sessionToken, i + 1, false, bye)),
    // What the server sent, sent back to it.
    ...network.seen.sent.filter(({ bytes }) => bytes[0] === DatagramKind.plain).slice(0, 50)
      .map(({ bytes }) => Uint8Array.of(...bytes.slice(0, 4), ...sessionToken, ...bytes.slice(12))),
    ...seen.slice(0, 50).map(({ bytes }) => bytes.with(40, bytes[40]! ^ 1)),
  ];
  for (const bytes of forged) network.receive(bytes.slice(), endpoint);
  assert.equal(relayed.get(idOf(one))!.length, before);
  assert.equal(network.door.strange - strange, forged.length);
  world.run(20 * SECOND);
  for (const { client } of two) assert.equal(client.state, "open");
});

test("a session that has proven itself goes on from another port", () => {
  const { world, network, two } = runTwo(14);
  const [one] = two;
  one.way!.rebind();
  world.run(12 * SECOND);
  assert.equal(network.moves.length, 1);
  assert.equal(one.client.state, "open");
});
