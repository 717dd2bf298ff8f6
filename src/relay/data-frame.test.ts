import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  beginHop,
  ClockMethod,
  dataFrameBytes,
  dataFrameFault,
  finishHop,
  hopOffset,
  payloadOffset,
  readHopCount,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
  readOrigin,
  readPayloadBytes,
  readSequence,
  stampOrigin,
  stampSent,
  writeDataFrame,
} from "./data-frame.ts";
import { MAX_SEQUENCE } from "./frame.ts";

interface Message {
  flags: number;
  hopSlots: number;
  origin: number;
  sequence: number;
  intendedUs: number;
  payloadBytes: number;
}

const message: fc.Arbitrary<Message> = fc.record({
  flags: fc.integer({ min: 0, max: 3 }),
  hopSlots: fc.integer({ min: 1, max: 6 }),
  origin: fc.integer({ min: 0, max: 0xffff_ffff }),
  sequence: fc.integer({ min: 1, max: MAX_SEQUENCE }),
  intendedUs: fc.double({ min: -9e15, max: 9e15, noNaN: true }),
  payloadBytes: fc.nat(300),
});

/** A message as its sender writes it, at `at` of a larger buffer full of other bytes. */
function written(value: Message, at = 0): { bytes: Uint8Array; view: DataView; length: number } {
  const length = dataFrameBytes(value.hopSlots, value.payloadBytes);
  const bytes = new Uint8Array(at + length + 9).fill(0xa5);
  const view = new DataView(bytes.buffer);
  writeDataFrame(view, at, value);
  beginHop(view, at);
  stampSent(view, at, value.intendedUs + 1);
  return { bytes, view, length };
}

test("stamping changes no byte but those of the hops and the origin", () => {
  fc.assert(fc.property(message, fc.nat(40), (value, at) => {
    const { bytes, view, length } = written(value, at);
    const before = bytes.slice();
    stampOrigin(view, at, 77);
    finishHop(view, at, 1e14, -3.5, 2.5, ClockMethod.estimate);
    const hops = readHopCount(view, at);
    if (hops < value.hopSlots) {
      beginHop(view, at);
      stampSent(view, at, 2e14);
      assert.equal(readHopSentUs(view, hopOffset(at, hops)), 2e14);
      assert.equal(readHopReceivedUs(view, hopOffset(at, hops)), 0);
    }
    assert.equal(dataFrameFault(view, at, length), undefined);
    assert.equal(readOrigin(view, at), 77);
    assert.equal(readSequence(view, at), value.sequence);
    assert.equal(readHopReceivedUs(view, hopOffset(at, 0)), 1e14);
    assert.equal(readHopErrorUs(view, hopOffset(at, 0)), 2.5);
    assert.equal(readHopMethod(view, hopOffset(at, 0)), "estimate");
    const payloadAt = payloadOffset(view, at);
    assert.equal(payloadAt + value.payloadBytes, at + length);
    assert.deepEqual(bytes.subarray(0, at), before.subarray(0, at));
    assert.deepEqual(bytes.subarray(payloadAt), before.subarray(payloadAt));
    for (const kept of [at + 4, at + 5, at + 6, at + 12, at + 16, at + 24]) {
      assert.equal(bytes[kept], before[kept], `byte ${kept - at}`);
    }
  }));
});

test("a frame that passes the check has all its fields within its length", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
  let refused = 0;
  fc.assert(
    fc.property(message, changes, fc.integer({ min: -3, max: 3 }), (value, places, more) => {
      const { bytes, view, length } = written(value);
      for (const [at, byte] of places) bytes[at % length] = byte;
      if (dataFrameFault(view, 0, length + more) !== undefined) {
        refused++;
        return;
      }
      const hops = readHopCount(view, 0);
      assert.ok(hops >= 1 && hopOffset(0, hops) <= payloadOffset(view, 0));
      assert.equal(payloadOffset(view, 0) + readPayloadBytes(view, 0), length + more);
      assert.ok(Number.isSafeInteger(readSequence(view, 0)) && readSequence(view, 0) >= 1);
      assert.ok(Number.isFinite(readHopSentUs(view, hopOffset(0, hops - 1))));
    }),
    { numRuns: 1000 },
  );
  assert.ok(refused > 100, `${refused} refused`);
});

test("any bytes are a message or are refused, however short", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 200 }), (bytes) => {
      const fault = dataFrameFault(new DataView(bytes.buffer), 0, bytes.byteLength);
      if (fault !== undefined) assert.match(fault, /^data: /);
    }),
    { numRuns: 1000 },
  );
});

const refusals: [what: string, change: (view: DataView) => void][] = [
  ["no hop begun", (view) => view.setUint8(7, 0)],
  ["more hops than slots", (view) => view.setUint8(7, 3)],
  ["a payload that is longer than the frame", (view) => view.setUint32(12, 0xffff_ffff, true)],
  ["more slots than fit", (view) => view.setUint8(6, 255)],
  ["sequence 0", (view) => view.setFloat64(16, 0, true)],
  ["half a sequence", (view) => view.setFloat64(16, 1.5, true)],
  ["a sequence that is no number", (view) => view.setFloat64(16, NaN, true)],
  ["a sequence beyond whole numbers", (view) => view.setFloat64(16, 2 ** 53, true)],
  ["a sequence without a next one", (view) => view.setFloat64(16, 2 ** 53 - 1, true)],
  ["an intended time that is absurd", (view) => view.setFloat64(24, 1e300, true)],
  ["a send time that is absurd", (view) => view.setFloat64(32, -1.79e308, true)],
  ["an intended time that is no number", (view) => view.setFloat64(24, NaN, true)],
  ["an infinite send time", (view) => view.setFloat64(32, -Infinity, true)],
];
for (const [what, change] of refusals) {
  test(`a message with ${what} is refused`, () => {
    const [value] = fc.sample(message, { numRuns: 1, seed: 1 });
    const { view, length } = written({ ...value!, hopSlots: 2 });
    assert.equal(dataFrameFault(view, 0, length), undefined);
    change(view);
    assert.match(dataFrameFault(view, 0, length)!, /^data: /);
  });
}

const wrongHops: [what: string, change: (view: DataView) => void][] = [
  ["a send time", (view) => view.setFloat64(32, 1e300, true)],
  ["a reception", (view) => view.setFloat64(40, NaN, true)],
  ["a correction", (view) => view.setFloat64(48, -Infinity, true)],
  ["an error bound", (view) => view.setFloat32(56, Infinity, true)],
  ["an error bound below zero", (view) => view.setFloat32(56, -1, true)],
];
for (const [what, change] of wrongHops) {
  test(`a message whose finished hop has ${what} that cannot be is refused`, () => {
    const [value] = fc.sample(message, { numRuns: 1, seed: 1 });
    const { view, length } = written({ ...value!, hopSlots: 2 });
    finishHop(view, 0, 1, 0, NaN, ClockMethod.none);
    beginHop(view, 0);
    stampSent(view, 0, 2);
    assert.equal(dataFrameFault(view, 0, length), undefined);
    change(view);
    assert.match(dataFrameFault(view, 0, length)!, /^data: /);
  });
}

test("an unknown error bound stays unknown, and a method of a later version reads as none", () => {
  const [value] = fc.sample(message, { numRuns: 1, seed: 1 });
  const { view } = written(value!);
  finishHop(view, 0, 1, 0, NaN, 9);
  assert.ok(Number.isNaN(readHopErrorUs(view, hopOffset(0, 0))));
  assert.equal(readHopMethod(view, hopOffset(0, 0)), "none");
});
