import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createWriter } from "./bytes.ts";
import { CONTROL_DATAGRAM_BYTES, DatagramKind, readNumber } from "./datagram.ts";
import { createControlReceiver, createControlSender } from "./datagram-control.ts";
import { FrameType } from "./frame.ts";
import { createRandom } from "./simulation/random.ts";
import { createSimLink } from "./simulation/sim-link.ts";
import { createWorld } from "./simulation/world.ts";

const token = new Uint8Array(8).fill(5);

function frame(bytes: number, fill: number): Uint8Array {
  const writer = createWriter(FrameType.directory, 0);
  writer.bytes(new Uint8Array(bytes - 6).fill(fill));
  return writer.finish();
}

/** A sender and a receiver with ways of loss, doubling and changed order between them. */
function createTest(
  seed: number,
  options: { loss: number; duplication: number; delayUs?: number },
) {
  const world = createWorld();
  const random = createRandom(seed);
  const way = { delayUs: 20_000, jitterUs: 8_000, delivery: "datagram" as const, ...options };
  const delivered: Uint8Array[] = [];
  const sizes: number[] = [];
  const up = createSimLink<Uint8Array>(world, random, way, (datagram) => {
    assert.equal(datagram[0], DatagramKind.control);
    sizes.push(datagram.byteLength);
    assert.ok(receiver.take(datagram));
  });
  const down = createSimLink<Uint8Array>(world, random, way, (datagram) => {
    assert.equal(datagram[0], DatagramKind.ack);
    sender.acknowledged(readNumber(datagram), world.trueUs);
    plan();
  });
  const sender = createControlSender(token, up.send);
  const receiver = createControlReceiver(token, {
    send: down.send,
    deliver: (bytes) => delivered.push(bytes.slice()),
  });
  let cancel = (): void => {};
  function plan(): void {
    cancel();
    const dueUs = sender.tick(world.trueUs);
    if (dueUs < Infinity) cancel = world.at(dueUs, plan);
  }
  return {
    world,
    sender,
    delivered,
    sizes,
    up,
    send(bytes: Uint8Array) {
      sender.send(bytes, world.trueUs);
      plan();
    },
  };
}

test("frames of any size arrive whole, once and in order, whatever the way loses and doubles", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 6, max: 30_000 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.double({ min: 0, max: 0.2, noNaN: true }),
      (sizes, seed, loss) => {
        const { world, send, delivered, sender, ...rest } = createTest(seed, {
          loss,
          duplication: 0.1,
        });
        const frames = sizes.map((size, index) => frame(size, index));
        for (const each of frames) send(each);
        world.run(Infinity);
        assert.equal(sender.failure, undefined);
        assert.deepEqual(delivered, frames);
        assert.ok(sender.isIdle);
        assert.ok(Math.max(...rest.sizes) <= CONTROL_DATAGRAM_BYTES);
      },
    ),
    { numRuns: 100, seed: 6 },
  );
});

test("nothing is sent twice where nothing is lost", () => {
  const { world, send, delivered, sender } = createTest(1, { loss: 0, duplication: 0 });
  for (let i = 0; i < 20; i++) send(frame(3000, i));
  world.run(Infinity);
  assert.equal(delivered.length, 20);
  assert.equal(sender.resent, 0);
});

for (const delayMs of [60, 150, 300, 420, 600, 800]) {
  test(`over a way of 2 × ${delayMs} ms only the first is sent again, if any, then the round trip is known`, () => {
    const delayUs = delayMs * 1000;
    const { world, send, delivered, sender } = createTest(1, { loss: 0, duplication: 0, delayUs });
    const resent: number[] = [];
    for (let i = 0; i < 20; i++) {
      send(frame(100, i));
      world.run(world.trueUs + 3_000_000);
      resent.push(sender.resent);
    }
    assert.equal(delivered.length, 20);
    assert.ok(resent[0]! <= 2 * delayMs / 250, `the first ${resent[0]} times`);
    assert.equal(resent.at(-1), resent[0]);
  });
}

test("over a short way that loses every fifth, none waits for longer because others were lost", () => {
  const { world, send, sender } = createTest(7, { loss: 0.2, duplication: 0, delayUs: 500 });
  const exchanges = 10_000;
  let longestUs = 0;
  for (let i = 0; i < exchanges; i++) {
    const sentUs = world.trueUs;
    send(frame(100, 1));
    while (!sender.isIdle) world.run(world.trueUs + 1000);
    longestUs = Math.max(longestUs, world.trueUs - sentUs);
  }
  const meanUs = world.trueUs / exchanges;
  assert.ok(meanUs < 70_000, `${meanUs} µs in the mean`);
  assert.ok(longestUs < 3_000_000, `${longestUs} µs at most`);
});

test("a thousand entries of a directory are a few dozen datagrams under way at most", () => {
  const { world, send, delivered, sizes } = createTest(2, { loss: 0.02, duplication: 0 });
  const frames = Array.from({ length: 10 }, (_, index) => frame(8_000, index));
  for (const each of frames) send(each);
  world.run(25_000);
  assert.ok(sizes.length <= 10, `${sizes.length} before the first acknowledgement`);
  world.run(Infinity);
  assert.deepEqual(delivered, frames);
});

test("what nobody acknowledges is sent again twice a second, so that a handshake has many tries", () => {
  const { world, send, sender, up } = createTest(5, { loss: 0, duplication: 0 });
  up.cut();
  send(frame(100, 1));
  world.run(5_000_000);
  assert.ok(sender.resent >= 9 && sender.resent <= 12, `${sender.resent} times in 5 s`);
});

test("one that acknowledges nothing for 20 s is given up", () => {
  const { world, send, sender, up } = createTest(3, { loss: 0, duplication: 0 });
  up.cut();
  send(frame(100, 1));
  world.run(19_000_000);
  assert.equal(sender.failure, undefined);
  world.run(Infinity);
  assert.match(sender.failure!, /nothing acknowledged for 20 s/);
});

test("one that takes less than it is told is given up before that fills the memory", () => {
  const { send, sender, up } = createTest(4, { loss: 0, duplication: 0 });
  up.cut();
  for (let i = 0; i < 70; i++) send(frame(60_000, i));
  assert.match(sender.failure!, /stalled/);
});

test("what is not a frame, or one without an end, ends the session", () => {
  const ends = { send() {}, deliver: () => assert.fail("delivered") };
  let datagram: Uint8Array | undefined;
  const keep = (bytes: Uint8Array): void => {
    datagram ??= bytes;
  };
  createControlSender(token, keep).send(frame(100, 1).with(0, 99), 0);
  assert.equal(createControlReceiver(token, ends).take(datagram!), false);

  const parts: Uint8Array[] = [];
  const long = createControlSender(token, (bytes) => parts.push(bytes));
  long.send(new Uint8Array(70_000), 0);
  for (let n = 1; n <= 60; n++) long.acknowledged(n, n);
  const receiver = createControlReceiver(token, ends);
  assert.ok(parts.some((part) => !receiver.take(part)));
});

test("numbers far ahead of their time, and those that have been, are not kept", () => {
  const acks: number[] = [];
  const parts: Uint8Array[] = [];
  const sender = createControlSender(token, (bytes) => parts.push(bytes));
  sender.send(frame(6, 0), 0);
  const delivered: Uint8Array[] = [];
  const receiver = createControlReceiver(token, {
    send: (ack) => acks.push(readNumber(ack)),
    deliver: (bytes) => delivered.push(bytes),
  });
  const [first] = parts;
  receiver.take(first!.with(12, 200));
  receiver.take(first!);
  receiver.take(first!);
  assert.equal(delivered.length, 1);
  assert.deepEqual(acks, [0, 1, 1]);
});
