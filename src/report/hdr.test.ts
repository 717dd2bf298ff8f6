import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { Histogram } from "../metrics/histogram.ts";
import { decodeHistogram } from "./hdr.ts";

test("a histogram that was written and read has the same counters", () => {
  const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 100 });
  fc.assert(fc.property(values, fc.constantFrom(2 as const, 3 as const), (all, digits) => {
    const histogram = new Histogram(digits);
    for (const value of all) histogram.record(value);
    const read = new Histogram(digits);
    for (const { valueUs, count } of decodeHistogram(histogram.encode())) {
      read.record(valueUs, count);
    }
    assert.equal(read.encode(), histogram.encode());
  }));
});

test("histograms of the reference library are read", () => {
  const reference = build({ numberOfSignificantValueDigits: 3, highestTrackableValue: 1e9 });
  const written = [1, 2047, 2048, 5000, 123_456, 1e8];
  for (const value of written) reference.recordValue(value);
  const read = decodeHistogram(encodeIntoCompressedBase64(reference));
  assert.equal(read.length, written.length);
  for (const [index, { valueUs, count }] of read.entries()) {
    assert.equal(count, 1);
    assert.ok(Math.abs(valueUs * 10 - written[index]!) <= written[index]! / 1000, `${valueUs}`);
  }
});

test("what is no histogram is refused, whatever it is", () => {
  const good = Buffer.from(new Histogram(3).encode(), "base64");
  const broken = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const changed = Buffer.from(good);
      changed[at] = byte;
      return changed.toString("base64");
    }),
  );
  fc.assert(fc.property(broken, (text) => {
    try {
      decodeHistogram(text);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }));
});

test("counters of values that no histogram has, or too many of them, are refused", () => {
  const plain = inflateSync(Buffer.from(new Histogram(3).encode(), "base64").subarray(8));
  const withCounters = (...counters: number[]): string => {
    const whole = Buffer.concat([plain.subarray(0, 40), Uint8Array.from(counters)]);
    whole.writeInt32BE(counters.length, 4);
    const deflated = deflateSync(whole);
    const head = Buffer.alloc(8);
    head.writeInt32BE(0x1c849314, 0);
    head.writeInt32BE(deflated.length, 4);
    return Buffer.concat([head, deflated]).toString("base64");
  };
  const zeros = [0xff, 0xff, 0xff, 0x7f];
  const many = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f];
  assert.deepEqual(decodeHistogram(withCounters(2)), [{ valueUs: 0, count: 1 }]);
  assert.throws(() => decodeHistogram(withCounters(...zeros, 2)), /a value is too large/);
  assert.throws(() => decodeHistogram(withCounters(...many, ...many)), /a counter is too large/);
  assert.throws(() => decodeHistogram(withCounters(...Array(2 << 20).fill(2))), RangeError);
});
