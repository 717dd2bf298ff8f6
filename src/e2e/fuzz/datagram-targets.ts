/** What comes over UDP: to a server's door, and to a client. */
import assert from "node:assert/strict";
import {
  CHALLENGE_DATAGRAM_BYTES,
  COOKIE_BYTES,
  type Endpoint,
  isSessionDatagram,
  NONCE_BYTES,
  plainHeader,
  readSetUp,
  tokenOf,
  writeAck,
  writeChallenge,
  writeClose,
  writeControl,
  writeCookie,
  writeOpen,
  writeRequest,
} from "../../relay/datagram.ts";
import { createDatagramClient } from "../../relay/datagram-client.ts";
import { COOKIE_LIFE_US } from "../../relay/datagram-cookie.ts";
import { createDatagramDoor } from "../../relay/datagram-door.ts";
import { writeHeartbeat } from "../../relay/heartbeat.ts";
import { writeHello } from "../../relay/hello.ts";
import type { RelayOptions } from "../../relay/relay.ts";
import { writeWelcome } from "../../relay/welcome.ts";
import { createFixedBytes, createStepClock } from "./fake-link.ts";
import { concat, joinDatagrams, splitDatagrams } from "./pieces.ts";
import { aHello, aMessage, aWelcome, COUNTS } from "./samples.ts";
import { createTestRelay } from "./session-targets.ts";
import type { Target } from "./target.ts";

const MOST_BYTES = 8192;
const NONCE = new Uint8Array(NONCE_BYTES).fill(0x80);
const TOKEN = tokenOf(NONCE);
const HELLO = writeHello(aHello);
const GIVEN = 8;

/** A cookie of the fuzzer's server, whose secret and hash are no secrets, at any time. */
const cookie = new Uint8Array(COOKIE_BYTES);
const endpoint = (port: number): Endpoint => ({ address: "192.0.2.1", port });
const format = ({ address, port }: Endpoint): string => `${address}:${port}`;

const plain = (frame: Uint8Array): Uint8Array => concat([plainHeader(TOKEN), frame]);

/** One by one: what is said of them when a session is set up reads as it was written. */
const setUp: Target = {
  name: "datagram",
  shape: "bytes",
  mostBytes: 2000,
  seeds: () => [
    ...[writeRequest(NONCE), writeCookie(NONCE, cookie), writeOpen(NONCE, cookie, HELLO)],
    ...[writeAck(TOKEN, 1), writeClose(TOKEN), writeControl(TOKEN, 1, true, HELLO)],
    ...[writeChallenge("challenge", TOKEN, NONCE.slice(8)), plain(aMessage(1, 1, 16))],
  ],
  run(input) {
    if (isSessionDatagram(input)) return true;
    const said = readSetUp(input);
    if (said === undefined) return false;
    assert.equal(said.nonce.byteLength, NONCE_BYTES);
    if (said.kind === "request") {
      // So that a forged sender costs more than what is sent to him.
      assert.ok(input.byteLength > writeCookie(said.nonce, cookie).byteLength);
      return true;
    }
    const again = said.kind === "cookie"
      ? writeCookie(said.nonce, said.cookie)
      : writeOpen(said.nonce, said.cookie, said.hello);
    // What is reserved may hold anything.
    again[1] = input[1]!;
    assert.deepEqual(again, Uint8Array.from(input));
    return true;
  },
};

/** Each datagram comes from the port that the size's last bit tells: sessions change address. */
const door: Target = {
  name: "door",
  shape: "datagrams",
  mostBytes: MOST_BYTES,
  seeds: () => {
    const open = writeOpen(NONCE, cookie, HELLO);
    const control = (number: number, frame: Uint8Array) =>
      writeControl(TOKEN, number, false, frame);
    return [
      [writeRequest(NONCE), open, plain(aMessage(1, 1, 16)), writeAck(TOKEN, 1), writeClose(TOKEN)],
      [open, control(1, writeHeartbeat(COUNTS)), plain(aMessage(1, 1, 17)), control(3, HELLO)],
      [open, writeControl(TOKEN, 1, true, HELLO.subarray(0, 20)), writeAck(TOKEN, 2)],
      [open, writeChallenge("challenge", TOKEN, NONCE.slice(8)), plain(aMessage(1, 2, 16))],
      [plain(HELLO), writeChallenge("response", TOKEN, new Uint8Array(8).fill(0x81))],
    ].map(joinDatagrams);
  },
  run(input) {
    const world = createDoorWorld();
    const { door, relay } = world;
    for (const datagram of splitDatagrams(input)) world.take(datagram);
    const isTaken = relay.sessions.size > 0;
    assert.ok(relay.sessions.size <= door.peers, `${relay.sessions.size} of ${door.peers}`);
    world.fallSilent();
    assert.deepEqual([door.peers, relay.sessions.size, relay.connections], [0, 0, 0]);
    return isTaken;
  },
};

/** A server's door before a relay, whose cookies anybody can make. */
export function createDoorWorld(secrets?: RelayOptions["secrets"]) {
  const { nowUs, leap } = createStepClock();
  const relay = createTestRelay(nowUs, {}, secrets);
  let sentBytes = 0;
  let gotBytes = 0;
  let opened = 0;
  const door = createDatagramDoor({
    send: (slices) => void (sentBytes += concat(slices).byteLength),
    accept: relay.accept,
    mac: () => new Uint8Array(32),
    randomBytes: createFixedBytes(),
    ...{ nowUs, wake() {}, format, moved() {} },
  });
  const tick = (us: number): void => {
    leap(us);
    door.tick();
    relay.tick();
  };
  return {
    door,
    relay,
    take(datagram: Uint8Array): void {
      const own = datagram.slice();
      // The time that a cookie was given at is of now, as its maker knows no other.
      if (readSetUp(own)?.kind === "open" && own.at(24) === 0) {
        new DataView(own.buffer).setFloat64(NONCE_BYTES + GIVEN, nowUs(), true);
        opened++;
      }
      gotBytes += own.byteLength;
      door.take(own, endpoint(50_000 + own.byteLength % 2));
      assert.ok(door.peers <= opened, "nobody without a cookie has a session");
      if (opened === 0) assert.ok(sentBytes <= gotBytes, `${sentBytes} bytes for ${gotBytes}`);
      tick(20_000);
    },
    /** So long that all ends that was begun. */
    fallSilent(): void {
      for (let times = 0; times < 60; times++) tick(COOKIE_LIFE_US / 10);
    },
  };
}

/** A client that asked for a cookie, and what comes to it then. */
const toClient: Target = {
  name: "datagram-client",
  shape: "datagrams",
  mostBytes: MOST_BYTES,
  seeds: () => {
    const control = (number: number, frame: Uint8Array) =>
      writeControl(TOKEN, number, false, frame);
    return [
      [writeCookie(NONCE, cookie), control(1, writeWelcome(aWelcome)), plain(aMessage(2, 1, 16))],
      [writeCookie(NONCE, cookie), control(2, HELLO), writeAck(TOKEN, 1), control(1, HELLO)],
      [writeCookie(NONCE, cookie), writeChallenge("challenge", TOKEN, NONCE.slice(8))],
      [writeClose(TOKEN), writeCookie(NONCE, cookie), plain(HELLO), writeClose(TOKEN)],
    ].map(joinDatagrams);
  },
  run(input) {
    const { nowUs, leap } = createStepClock();
    let [frames, bytes, isReached, isGone] = [0, 0, false, false];
    const client = createDatagramClient({
      server: endpoint(8080),
      send: (slices) => void (bytes += concat(slices).byteLength),
      randomBytes: createFixedBytes(),
      ...{ nowUs, wake() {}, format, gone: () => void (isGone = true) },
      reached: () => {
        isReached = true;
        client.adopt((link) => {
          link.write([HELLO]);
          return { data: () => void frames++, written() {}, closed() {} };
        });
      },
    });
    client.tick();
    const datagrams = splitDatagrams(input);
    for (const datagram of datagrams) {
      if (isGone) break;
      client.take(datagram.slice());
      leap(20_000);
      client.tick();
    }
    assert.ok(frames <= datagrams.length, `${frames} frames of ${datagrams.length} datagrams`);
    const most = input.byteLength + (datagrams.length + 4) * (CHALLENGE_DATAGRAM_BYTES + 200);
    assert.ok(bytes <= most, `${bytes} bytes for ${input.byteLength}`);
    return isReached && frames > 0;
  },
};

export const datagramTargets: Target[] = [setUp, door, toClient];
