import assert from "node:assert/strict";
import { test } from "node:test";
import { writeBye } from "./bye.ts";
import { dataFrameBytes, HOP_SLOTS } from "./data-frame.ts";
import {
  announceMac,
  DatagramKind,
  type Endpoint,
  hasMac,
  isSessionDatagram,
  MAC_BYTES,
  plainHeader,
  unfragmentedPayloadBytes,
  writeAck,
  writeChallenge,
  writeClose,
  writeControl,
} from "./datagram.ts";
import { createDatagramPeer } from "./datagram-peer.ts";
import { FrameType } from "./frame.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import type { Mac } from "./proof.ts";

const token = new Uint8Array(8).fill(5);
const here: Endpoint = { address: "192.0.2.1", port: 1 };
const SECOND = 1_000_000;
const bye = writeBye({ reason: "done", counts: { sent: 0, origins: [] }, text: "" });

/** A peer in time that passes when it is told to, and what came of it. */
function createTest() {
  let atUs = 0;
  let dueUs = Infinity;
  const sent: { bytes: Uint8Array; to: Endpoint }[] = [];
  const closed: (string | undefined)[] = [];
  const data: Uint8Array[] = [];
  let gone = 0;
  let malformed = 0;
  let drawn = 0;
  const peer = createDatagramPeer({
    token,
    endpoint: here,
    send: (slices, to) => {
      const bytes = Uint8Array.from(slices.flatMap((slice) => [...slice]));
      sent.push({ bytes, to: { ...to } });
    },
    randomBytes: (count) => new Uint8Array(count).fill(++drawn),
    nowUs: () => atUs,
    wake: (_, us) => dueUs = Math.min(dueUs, us),
    format: ({ address, port }) => `${address}:${port}`,
    moved() {},
    malformed: () => malformed++,
    gone: () => gone++,
  });
  peer.listen({
    data: (chunk) => data.push(chunk),
    written() {},
    closed: (error) => closed.push(error?.message),
  });
  return {
    peer,
    sent,
    closed,
    data,
    kinds: () => sent.map(({ bytes }) => bytes[0]),
    get malformed() {
      return malformed;
    },
    get gone() {
      return gone;
    },
    pass(us: number) {
      const untilUs = atUs + us;
      while (dueUs <= untilUs) {
        atUs = Math.max(atUs, dueUs);
        dueUs = Infinity;
        dueUs = Math.min(dueUs, peer.tick(atUs));
      }
      atUs = untilUs;
    },
  };
}

test("a sign that the other end has gone is believed only if it does not answer", () => {
  const test = createTest();
  test.peer.doubt("refused");
  test.pass(SECOND / 10);
  assert.deepEqual(test.kinds(), [DatagramKind.challenge]);
  test.peer.take(writeChallenge("response", token, new Uint8Array(8).fill(1)), here);
  test.pass(10 * SECOND);
  assert.deepEqual(test.closed, []);
  test.peer.doubt("refused");
  test.pass(10 * SECOND);
  assert.deepEqual(test.closed, ["refused"]);
  assert.equal(test.gone, 1);
});

test("what is ended waits for its last acknowledgement, but not for ever", () => {
  const heard = createTest();
  heard.peer.link.write([bye]);
  heard.peer.link.end();
  heard.pass(100);
  assert.equal(heard.gone, 0);
  heard.peer.take(writeAck(token, 1), here);
  heard.pass(100);
  assert.deepEqual([heard.closed, heard.gone], [[undefined], 1]);

  const unheard = createTest();
  unheard.peer.link.write([bye]);
  unheard.peer.link.end();
  unheard.pass(10 * SECOND);
  assert.deepEqual([unheard.closed, unheard.gone], [[undefined], 1]);
  const times = unheard.sent.length;
  assert.ok(times > 2, `${times} times`);
});

test("what is not a frame, or stands in the wrong kind of datagram, is counted and left", () => {
  const test = createTest();
  const heartbeat = writeHeartbeat({ sent: 0, origins: [] });
  const header = plainHeader(token);
  for (const frame of [heartbeat, bye, heartbeat.with(4, 4).with(0, 1), Uint8Array.of(1, 2)]) {
    test.peer.take(Uint8Array.of(...header, ...frame), here);
  }
  assert.deepEqual([test.malformed, test.data.length], [4, 0]);
  test.peer.take(Uint8Array.of(...header, ...heartbeat.with(4, 4)), here);
  assert.deepEqual([test.malformed, test.data.length], [4, 1]);
});

test("nothing goes to a new address but a challenge, at most one in 50 ms", () => {
  const test = createTest();
  const there = { address: "192.0.2.1", port: 2 };
  for (let i = 0; i < 10; i++) {
    test.peer.take(Uint8Array.of(...plainHeader(token), ...new Uint8Array(20)), there);
    test.pass(10_000);
  }
  test.peer.link.write([bye]);
  const toThere = test.sent.filter(({ to }) => to.port === 2);
  assert.deepEqual(toThere.map(({ bytes }) => bytes[0]), [
    DatagramKind.challenge,
    DatagramKind.challenge,
  ]);
  // The answer to another challenge, or from a third address, proves nothing.
  test.peer.take(writeChallenge("response", token, new Uint8Array(8).fill(1)), there);
  test.peer.take(writeChallenge("response", token, new Uint8Array(8).fill(2)), {
    ...there,
    port: 3,
  });
  assert.equal(test.peer.endpoint.port, 1);
  test.peer.take(writeChallenge("response", token, new Uint8Array(8).fill(2)), there);
  assert.equal(test.peer.endpoint.port, 2);
  assert.equal(test.peer.link.peer, "192.0.2.1:2");
});

test("what is too short to pay for a challenge gets none", () => {
  const test = createTest();
  test.peer.take(writeAck(token, 0), { address: "192.0.2.1", port: 2 });
  assert.deepEqual(test.kinds(), []);
});

test("a close ends the link once; what comes afterwards is not taken", () => {
  const test = createTest();
  test.peer.take(writeClose(token), here);
  test.peer.take(writeClose(token), here);
  test.pass(SECOND);
  assert.equal(test.closed.length, 1);
  test.peer.link.write([bye]);
  assert.deepEqual(test.kinds(), []);
});

const macOf = (key: number): Mac => (parts) => {
  let sum = key;
  for (const part of parts) for (const byte of part) sum = (sum * 31 + byte) % 251;
  return new Uint8Array(32).fill(sum);
};
const [ours, theirs] = [macOf(1), macOf(2)];

/** A datagram as the other end sends it, once the ends are proven. */
function withMac(datagram: Uint8Array, mac = theirs): Uint8Array {
  const bytes = datagram.slice();
  announceMac(bytes);
  return Uint8Array.of(...bytes, ...mac([bytes]).subarray(0, MAC_BYTES));
}

const writeControlBye = writeControl(token, 1, false, bye);
const clockFrame = Uint8Array.of(6, 0, 0, 0, 5, 0);
const plain = Uint8Array.of(...plainHeader(token), ...clockFrame);

test("of a proven session every datagram carries a MAC of its own direction", () => {
  const test = createTest();
  test.peer.link.secure!({ send: ours, receive: theirs }, true);
  test.peer.link.write([clockFrame]);
  test.peer.link.write([bye]);
  for (const { bytes } of test.sent) {
    assert.ok(hasMac(bytes));
    const body = bytes.subarray(0, -MAC_BYTES);
    assert.deepEqual(bytes.subarray(-MAC_BYTES), ours([body]).subarray(0, MAC_BYTES));
  }
  assert.equal(test.sent.length, 2);
  test.peer.take(withMac(plain), here);
  assert.deepEqual(test.data, [clockFrame]);
});

test("the largest payload that travels whole fills a packet, its MAC included", () => {
  // Of 1,500 bytes, without the headers of IPv6 and UDP.
  const packetBytes = 1500 - 48;
  for (const hasToken of [false, true]) {
    const test = createTest();
    if (hasToken) test.peer.link.secure!({ send: ours, receive: theirs }, true);
    const frame = new Uint8Array(dataFrameBytes(HOP_SLOTS, unfragmentedPayloadBytes(hasToken)));
    new DataView(frame.buffer).setUint32(0, frame.byteLength, true);
    frame[4] = FrameType.data;
    test.peer.link.write([frame]);
    assert.deepEqual(test.sent.map(({ bytes }) => bytes.byteLength), [packetBytes]);
  }
});

test("of a proven session nothing without a right MAC has any effect", () => {
  const test = createTest();
  test.peer.link.secure!({ send: ours, receive: theirs }, true);
  const away: Endpoint = { address: "192.0.2.9", port: 9 };
  const good = withMac(plain);
  const forged = [
    plain,
    withMac(plain, ours),
    ...[...good.keys()].slice(12).map((at) => good.with(at, good[at]! ^ 1)),
    writeControlBye,
    writeAck(token, 1),
    withMac(writeClose(token), ours),
  ];
  for (const datagram of forged) assert.ok(test.peer.take(datagram, away));
  assert.deepEqual([test.data, test.sent, test.closed], [[], [], []]);
  assert.equal(test.malformed, forged.length);
});

test("a close that anyone could have sent is only a reason to ask", () => {
  const test = createTest();
  test.peer.link.secure!({ send: ours, receive: theirs }, true);
  test.peer.take(writeClose(token), here);
  test.pass(10_000);
  assert.deepEqual(test.kinds(), [DatagramKind.challenge]);
  test.peer.take(withMac(plain), here);
  test.pass(5 * SECOND);
  assert.deepEqual(test.closed, []);
  test.peer.take(writeClose(token), here);
  test.pass(5 * SECOND);
  assert.deepEqual(test.closed, ["the other end does not know this session"]);
});

test("until the other end has proven itself it may still say why it does not", () => {
  const test = createTest();
  test.peer.link.secure!({ send: ours, receive: theirs }, false);
  test.peer.take(plain, here);
  assert.deepEqual(test.data, []);
  test.peer.take(writeControlBye, here);
  assert.deepEqual(test.data, [bye]);
  test.peer.take(withMac(plain), here);
  assert.equal(test.data.length, 2);
  test.peer.take(writeControl(token, 2, false, bye), here);
  assert.equal(test.data.length, 2, "from then on nothing without a MAC is taken");
});

test("a control datagram that is longer than any that an end makes is none", () => {
  const part = (bytes: number) => writeControl(token, 2, true, new Uint8Array(bytes));
  assert.ok(isSessionDatagram(part(1184)));
  assert.ok(!isSessionDatagram(part(1185)));
  const secured = Uint8Array.of(...part(1184), ...new Uint8Array(MAC_BYTES));
  announceMac(secured);
  assert.ok(isSessionDatagram(secured));
});
