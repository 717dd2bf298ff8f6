import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSequenceTracker } from "./sequence.ts";

/** The same by plain sets. */
function createModel(first: number) {
  const arrived = new Set<number>();
  const outside = new Set<number>();
  let highest = first - 1;
  let knownNext = first;
  const model = {
    first,
    duplicates: 0,
    reordered: 0,
    get received() {
      return arrived.size;
    },
    get next() {
      return knownNext;
    },
    get outside() {
      return outside.size;
    },
    receivedBelow: (end: number) => [...arrived].filter((sequence) => sequence < end).length,
    accept(sequence: number) {
      if (sequence < first) {
        outside.add(sequence);
        return "outside";
      }
      if (arrived.has(sequence)) {
        model.duplicates++;
        return "duplicate";
      }
      arrived.add(sequence);
      if (sequence < highest) {
        model.reordered++;
        return "reordered";
      }
      highest = sequence;
      knownNext = Math.max(knownNext, highest + 1);
      return "new";
    },
    extendTo(next: number) {
      knownNext = Math.max(knownNext, next);
    },
  };
  return model;
}

const FIELDS = ["first", "next", "received", "duplicates", "reordered", "outside"] as const;

test("so many in a row from the next one on, or beyond it, are each new", () => {
  const tracker = createSequenceTracker(1);
  assert.equal(tracker.accept(1, 3), "new");
  assert.equal(tracker.accept(6, 2), "new");
  assert.deepEqual([tracker.received, tracker.next, tracker.receivedBelow(7)], [5, 8, 4]);
  assert.deepEqual([3, 4, 7].map((sequence) => tracker.accept(sequence)), [
    "duplicate",
    "reordered",
    "duplicate",
  ]);
});

test("arrivals in any order, with gaps, repeats and announcements, count as by plain sets", () => {
  const event = fc.oneof(
    { weight: 9, arbitrary: fc.record({ accept: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ extendTo: fc.integer({ min: 1, max: 70 }) }) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.array(event, { maxLength: 120 }), (
      first,
      events,
    ) => {
      const tracker = createSequenceTracker(first);
      const model = createModel(first);
      for (const each of events) {
        if ("accept" in each) {
          assert.equal(tracker.accept(each.accept), model.accept(each.accept));
        } else {
          tracker.extendTo(each.extendTo);
          model.extendTo(each.extendTo);
        }
        for (const field of FIELDS) assert.equal(tracker[field], model[field], field);
      }
      for (let end = first; end < 75; end++) {
        assert.equal(tracker.receivedBelow(end), model.receivedBelow(end), `below ${end}`);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a stream in order, a gap within it and its late filling are told apart", () => {
  const tracker = createSequenceTracker(1);
  const arrivals = [1, 2, 5, 4, 4, 6, 3, 0].map((sequence) => tracker.accept(sequence));
  assert.deepEqual(arrivals, [
    "new",
    "new",
    "new",
    "reordered",
    "duplicate",
    "new",
    "reordered",
    "outside",
  ]);
  assert.equal(tracker.next - tracker.first - tracker.received, 0);
});

test("a message that was announced before it came is reordered only by what came before it", () => {
  const tracker = createSequenceTracker(1);
  tracker.accept(1);
  tracker.extendTo(5);
  assert.deepEqual([2, 4, 3].map((sequence) => tracker.accept(sequence)), [
    "new",
    "new",
    "reordered",
  ]);
});

test("of more gaps than are remembered the newest stay, and what fills an older one is double", () => {
  const tracker = createSequenceTracker(1);
  const gaps = 3000;
  for (let gap = 1; gap <= gaps; gap++) tracker.accept(2 * gap);
  assert.equal(tracker.accept(1), "duplicate");
  assert.equal(tracker.accept(2 * gaps - 1), "reordered");
  assert.equal(tracker.accept(2 * gaps - 2 * 1000 + 1), "reordered");
  assert.equal(tracker.received, gaps + 2);
  // Lost are those that never arrived, and the one that was forgotten.
  assert.equal(tracker.next - tracker.first - tracker.received, gaps - 2);
  assert.equal(tracker.receivedBelow(2 * gaps), gaps + 1);
});

test("a peer that claims the highest of numbers costs one gap", () => {
  const tracker = createSequenceTracker(1);
  assert.equal(tracker.accept(Number.MAX_SAFE_INTEGER), "new");
  assert.equal(tracker.accept(12_345), "reordered");
  assert.equal(tracker.received, 2);
});
