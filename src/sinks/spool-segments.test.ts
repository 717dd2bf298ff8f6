import assert from "node:assert/strict";
import { test } from "node:test";
import { createSegment, createSegmentList } from "./spool-segments.ts";

test("since when a segment's records wait is known to a 64th, in little memory", () => {
  const segments = createSegmentList();
  const segment = createSegment(1, "1");
  segment.isOpen = true;
  segments.add(segment);
  const chunks = 10_000;
  for (let ms = 0; ms < chunks; ms++) {
    segments.grown(segment, { bytes: new Uint8Array(8), records: 1, firstMs: ms });
  }
  segments.ended(segment);
  assert.ok(segment.times.length <= 64);
  for (let ms = 0; ms < chunks; ms++) {
    const late = ms - segments.oldestMs();
    assert.ok(late >= 0 && late <= chunks / 64 + 1, `${late} at ${ms}`);
    segments.done(segments.taken(segment, 8, 1));
  }
  assert.ok(Number.isNaN(segments.oldestMs()));
  assert.equal(segments.waitingBytes, 0);
  assert.equal(segments.queued, 0);
  assert.deepEqual(segments.removeDone(), [segment]);
});
