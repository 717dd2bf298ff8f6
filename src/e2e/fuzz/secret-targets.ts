/** Ends that prove a token: whatever comes from who does not know it, nothing of it counts. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  announceMac,
  COOKIE_BYTES,
  MAC_BYTES,
  NONCE_BYTES,
  plainHeader,
  tokenOf,
  writeAck,
  writeControl,
  writeOpen,
} from "../../relay/datagram.ts";
import { writeHeartbeat } from "../../relay/heartbeat.ts";
import { writeHello } from "../../relay/hello.ts";
import {
  clientProof,
  type Hmac,
  PROOF_NONCE_BYTES,
  readChallengeFrame,
  readProof,
  sessionMacs,
  writeChallengeFrame,
  writeProof,
} from "../../relay/proof.ts";
import { createDoorWorld } from "./datagram-targets.ts";
import { createFakeLink, createStepClock } from "./fake-link.ts";
import { codec } from "./frame-targets.ts";
import { concat, joinDatagrams, splitDatagrams, splitInput } from "./pieces.ts";
import { aHello, aMessage, COUNTS } from "./samples.ts";
import { createTestRelay } from "./session-targets.ts";
import type { Target } from "./target.ts";

const MOST_BYTES = 4096;
const TOKEN = new Uint8Array(32).fill(0x5a);
const CLIENT_NONCE = new Uint8Array(PROOF_NONCE_BYTES).fill(0x11);
/** Of the first connection of a test relay. */
const RELAY_NONCE = new Uint8Array(PROOF_NONCE_BYTES).fill(0x80);

const hmac: Hmac = (key) => (parts) => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};
const secrets = { tokens: () => [TOKEN], hmac };

const HELLO = writeHello({ ...aHello, nonce: CLIENT_NONCE });
const PROOF = writeProof(clientProof(hmac(TOKEN), HELLO, writeChallengeFrame(RELAY_NONCE)));
const MACS = sessionMacs(hmac, TOKEN, CLIENT_NONCE, RELAY_NONCE);

const has = (input: Uint8Array, part: Uint8Array): boolean =>
  Buffer.from(input).includes(Buffer.from(part));

/** A session is only for who sends the one hello that the proof is of: all of it but its flags. */
function checkProof(input: Uint8Array, sessions: number): void {
  if (sessions > 0) {
    assert.ok(has(input, HELLO) && has(input, PROOF.subarray(6)), "a session without a proof");
  }
}

const stream: Target = {
  name: "proof-stream",
  shape: "frames",
  mostBytes: MOST_BYTES,
  seeds: () => [
    concat([HELLO, PROOF, aMessage(1, 1, 16), writeHeartbeat(COUNTS)]),
    concat([writeHello(aHello), PROOF]),
    concat([HELLO, HELLO, PROOF]),
    writeHello({ ...aHello, probe: true }),
  ],
  run(input) {
    const { nowUs, leap } = createStepClock();
    const relay = createTestRelay(nowUs, {}, secrets);
    const { link } = createFakeLink("tcp");
    const events = relay.accept(link);
    let most = 0;
    for (const frame of splitInput("frames", input)) {
      events.data(frame.slice());
      leap(20_000);
      relay.tick();
      most = Math.max(most, relay.sessions.size);
      if (relay.connections === 0) break;
    }
    checkProof(input, most);
    return most > 0;
  },
};

/** Of a proven session, with its MAC at the end. */
function signed(datagram: Uint8Array): Uint8Array {
  announceMac(datagram);
  return concat([datagram, MACS.client([datagram]).subarray(0, MAC_BYTES)]);
}

function isSigned(datagram: Uint8Array): boolean {
  const mac = MACS.client([datagram.subarray(0, -MAC_BYTES)]).subarray(0, MAC_BYTES);
  return has(datagram.subarray(-MAC_BYTES), mac);
}

const datagrams: Target = {
  name: "proof-datagrams",
  shape: "datagrams",
  mostBytes: MOST_BYTES,
  seeds: () => {
    const nonce = new Uint8Array(NONCE_BYTES).fill(0x80);
    const token = tokenOf(nonce);
    const open = writeOpen(nonce, new Uint8Array(COOKIE_BYTES), HELLO);
    const proof = writeControl(token, 1, false, PROOF);
    const message = (sequence: number) => concat([plainHeader(token), aMessage(1, sequence, 16)]);
    return [
      [open, signed(proof.slice()), signed(writeAck(token, 2)), signed(message(1))],
      [open, proof, message(1), signed(message(2)), signed(message(2))],
    ].map(joinDatagrams);
  },
  run(input) {
    const world = createDoorWorld(secrets);
    let received = 0;
    let [wereSigned, most] = [0, 0];
    for (const datagram of splitDatagrams(input)) {
      if (isSigned(datagram)) wereSigned++;
      world.take(datagram);
      most = Math.max(most, world.relay.sessions.size);
      for (const { tracker } of world.relay.sessions) received = tracker.received;
      assert.ok(received <= wereSigned, `${received} messages, ${wereSigned} datagrams with a MAC`);
    }
    checkProof(input, most);
    return received > 0;
  },
};

export const secretTargets: Target[] = [
  codec("challenge", [RELAY_NONCE], readChallengeFrame, writeChallengeFrame),
  codec("proof", [new Uint8Array(32).fill(7)], readProof, writeProof),
  stream,
  datagrams,
];
