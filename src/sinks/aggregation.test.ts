import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutLines, linesIn, MAX_RECORD_BYTES } from "./aggregation.ts";

const bytesOf = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(lines.join(""));
const line = (bytes: number): string => `${"x".repeat(bytes - 1)}\n`;

test("records hold whole lines, and joined they are the bytes given", () => {
  const lines = fc.array(fc.integer({ min: 1, max: 150_000 }).map(line), { maxLength: 8 });
  fc.assert(fc.property(lines, fc.boolean(), (lines, aggregate) => {
    const bytes = bytesOf(lines);
    const { records, tooLong } = cutLines(bytes, aggregate);
    assert.equal(tooLong, 0);
    assert.equal(Buffer.compare(Buffer.concat(records), bytes), 0);
    assert.equal(linesIn(records), lines.length);
    for (const record of records) {
      assert.equal(record.at(-1), 10);
      assert.equal(record.buffer, bytes.buffer, "no copy");
    }
    if (!aggregate) assert.equal(records.length, lines.length);
  }));
});

test("lines of 600 bytes fill four records of a quarter of a megabyte", () => {
  const { records } = cutLines(bytesOf(Array(416).fill(line(600))), true);
  assert.deepEqual(records.map(({ byteLength }) => byteLength), [63_600, 63_600, 63_600, 58_800]);
});

test("a line longer than Firehose takes is left out, whatever stands beside it", () => {
  for (const aggregate of [true, false]) {
    const lines = [line(10), line(MAX_RECORD_BYTES), line(MAX_RECORD_BYTES + 1), line(20)];
    const { records, tooLong } = cutLines(bytesOf(lines), aggregate);
    assert.equal(tooLong, 1);
    assert.deepEqual(records.map(({ byteLength }) => byteLength), [10, MAX_RECORD_BYTES, 20]);
  }
});
