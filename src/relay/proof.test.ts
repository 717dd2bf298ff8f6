import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { writeHello } from "./hello.ts";
import { toHex } from "./hex.ts";
import {
  areEqual,
  clientProof,
  type Hmac,
  readChallengeFrame,
  relayProof,
  sessionMacs,
  writeProof,
} from "./proof.ts";
import { type BenchPeer, createBench } from "./simulation/relay-bench.ts";

const utf8 = new TextEncoder();
const hmac: Hmac = (key) => (parts) => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
};
const token = utf8.encode("a token for test vectors");
const clientNonce = Uint8Array.from({ length: 16 }, (_, i) => 0xc0 + i);
const relayNonce = Uint8Array.from({ length: 16 }, (_, i) => 0xd0 + i);

/** The handshake that is written out in the vectors, as bytes. */
function vectorsOf(...frames: string[]): Uint8Array[] {
  const vectors: { frame: string; about: string; fields: [string, string][] }[] = JSON.parse(
    readFileSync(new URL("vectors/frames.json", import.meta.url), "utf8"),
  );
  return frames.map((frame) => {
    const { fields } = vectors.find((each) =>
      each.frame === frame && /token|client/.test(each.about)
    )!;
    const hex = fields.map(([digits]) => digits).join("");
    return Uint8Array.from(hex.match(/../g)!, (digits) => Number.parseInt(digits, 16));
  });
}

test("both proofs are those of the vectors", () => {
  const [hello, challenge, proof, welcome] = vectorsOf("hello", "challenge", "proof", "welcome");
  const mac = hmac(token);
  assert.equal(toHex(writeProof(clientProof(mac, hello!, challenge!))), toHex(proof!));
  const proven = relayProof(mac, hello!, challenge!, proof!, welcome!);
  assert.equal(toHex(proven), toHex(welcome!.subarray(-32)));
});

test("each direction's datagrams have a key of their own, by HKDF from token and nonces", () => {
  const macs = sessionMacs(hmac, token, clientNonce, relayNonce);
  const datagram = utf8.encode("any datagram");
  for (const end of ["client", "relay"] as const) {
    const salt = new Uint8Array([...clientNonce, ...relayNonce]);
    const info = utf8.encode(`performance-tester 1 ${end} datagrams`);
    const key = new Uint8Array(hkdfSync("sha256", token, salt, info, 32));
    assert.equal(toHex(macs[end]([datagram])), toHex(hmac(key)([datagram])));
  }
  const ack = Uint8Array.of(6, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 5, 0, 0, 0);
  const half = (mac: Uint8Array): string => toHex(mac.subarray(0, 16));
  assert.equal(half(macs.client([ack])), "5e742384e53491ed885488a11073c364");
  assert.equal(half(macs.relay([ack])), "68a80b5be23bf77c80948e383f8c2149");
});

test("bytes are equal only where each of them is, and there are as many", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.ok(areEqual(bytes, bytes.slice()));
  for (let i = 0; i < 3; i++) assert.ok(!areEqual(bytes, bytes.with(i, 9)));
  assert.ok(!areEqual(bytes, bytes.subarray(0, 2)) && !areEqual(bytes.subarray(0, 2), bytes));
});

const tokens = ["a first token", "a second token"].map((text) => utf8.encode(text));

/** A relay that asks for a token, and which random bits it draws is told by the count of draws. */
const createLocked = () => createBench({ secrets: { tokens: () => tokens, hmac } });

const said = {
  probe: false,
  echo: false,
  processId: new Uint8Array(16).fill(1),
  previousSession: new Uint8Array(8),
  maxPayloadBytes: 65_536,
  flow: 0,
  mode: "paced" as const,
  name: "client",
  route: "direct",
  prefix: "",
  nonce: clientNonce,
};

/** Answers the challenge that `peer` has got. */
function prove(peer: BenchPeer, key: Uint8Array, hello = writeHello(said)): Uint8Array {
  const [challenge] = peer.frames("challenge");
  return writeProof(clientProof(hmac(key), hello, challenge!));
}

for (const key of tokens) {
  test("who proves one of the tokens is welcomed, by a relay that proves it too", () => {
    const bench = createLocked();
    const peer = bench.connect();
    peer.say(writeHello(said));
    assert.deepEqual(peer.types, ["challenge"]);
    const proof = prove(peer, key);
    peer.say(proof);
    const [challenge] = peer.frames("challenge");
    const [welcome] = peer.frames("welcome");
    const expected = relayProof(hmac(key), writeHello(said), challenge!, proof, welcome!);
    assert.equal(toHex(peer.welcome!.proof!), toHex(expected));
    assert.equal(bench.log.joined.length, 1);
  });
}

test("a wrong token is refused, and nothing told of who is there", () => {
  const bench = createLocked();
  const peer = bench.connect();
  peer.say(writeHello(said));
  peer.say(prove(peer, utf8.encode("a wrong token")));
  assert.deepEqual(peer.types, ["challenge", "bye"]);
  assert.equal(peer.bye!.reason, "untrusted");
  assert.deepEqual(bench.log.refused, ["wrong token (--token-file)"]);
  assert.equal(bench.log.joined.length, 0);
});

test("a proof that was heard is of no use the next time, nor for another hello", () => {
  const bench = createLocked();
  const first = bench.connect();
  first.say(writeHello(said));
  const heard = prove(first, tokens[0]!);
  first.say(heard);
  const second = bench.connect();
  second.say(writeHello(said));
  second.say(heard);
  assert.equal(second.bye!.reason, "untrusted");
  const third = bench.connect();
  third.say(writeHello({ ...said, name: "somebody else" }));
  third.say(prove(third, tokens[0]!));
  assert.equal(third.bye!.reason, "untrusted");
});

test("what a relay proves cannot be sent back to it as a client's proof", () => {
  const bench = createLocked();
  const peer = bench.connect();
  peer.say(writeHello(said));
  const [challenge] = peer.frames("challenge");
  const nothing = new Uint8Array(0);
  const reflected = relayProof(hmac(tokens[0]!), writeHello(said), challenge!, nothing, nothing);
  peer.say(writeProof(reflected));
  assert.equal(peer.bye!.reason, "untrusted");
});

test("the challenge is another one each time", () => {
  const bench = createLocked();
  const nonces = [1, 2, 3].map(() => {
    const peer = bench.connect();
    peer.say(writeHello(said));
    return toHex(readChallengeFrame(peer.frames("challenge")[0]!));
  });
  assert.equal(new Set(nonces).size, 3);
});

test("who never proves anything is closed in time, however it drips", () => {
  const bench = createLocked();
  const peer = bench.connect();
  peer.say(writeHello(said));
  bench.pass(3_000_000);
  peer.say(prove(peer, tokens[0]!).subarray(0, 10));
  bench.pass(2_500_000);
  assert.ok(peer.link.destroyed);
  assert.deepEqual(bench.log.strangers, ["no hello"]);
});

test("anything but a proof after the challenge is a stranger's", () => {
  for (const frame of [writeHello(said), Uint8Array.of(6, 0, 0, 0, 10, 0)]) {
    const bench = createLocked();
    const peer = bench.connect();
    peer.say(writeHello(said));
    peer.say(frame);
    assert.equal(bench.log.strangers.length, 1);
    assert.ok(peer.link.destroyed);
  }
});

test("a client without a token is refused before anything else, a probe is answered", () => {
  const bench = createLocked();
  const { nonce: _, ...without } = said;
  const peer = bench.connect();
  peer.say(writeHello(without));
  assert.deepEqual(peer.types, ["bye"]);
  assert.equal(peer.bye!.text, "a token is required (--token-file)");
  const probe = bench.connect();
  probe.say(writeHello({ ...without, probe: true }));
  assert.equal(probe.welcome!.name, "");
});
