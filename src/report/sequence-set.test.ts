import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSequenceSet } from "./sequence-set.ts";

const SEQUENCES = fc.array(
  fc.oneof(fc.nat(200), fc.nat(200_000), fc.integer({ min: 0, max: 2 ** 53 - 1 })),
  { maxLength: 200 },
);

test("a set of sequences is what a set of numbers is", () => {
  fc.assert(fc.property(SEQUENCES, fc.nat(300), fc.nat(300), (sequences, one, other) => {
    const set = createSequenceSet();
    const plain = new Set<number>();
    for (const sequence of sequences) {
      assert.equal(set.add(sequence), !plain.has(sequence));
      plain.add(sequence);
    }
    const sorted = [...plain].sort((a, b) => a - b);
    assert.equal(set.size, plain.size);
    assert.deepEqual([set.first, set.last], [sorted[0] ?? NaN, sorted.at(-1) ?? NaN]);
    assert.ok(sequences.every((sequence) => set.has(sequence)));
    assert.equal(set.has(one), plain.has(one));
    const gaps = sorted.slice(1).map((after, index) => [sorted[index]!, after])
      .filter(([before, after]) => after! - before! > 1);
    assert.deepEqual([...set.gaps()], gaps);
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    const between = sorted.filter((sequence) => sequence > low && sequence < high).length;
    assert.equal(set.countBetween(low, high), between);
  }));
});

test("a long run of sequences has no gap, and one that is missing is the only one", () => {
  const set = createSequenceSet();
  for (let sequence = 1; sequence <= 100_000; sequence++) {
    if (sequence !== 65_536) set.add(sequence);
  }
  assert.deepEqual([...set.gaps()], [[65_535, 65_537]]);
});
