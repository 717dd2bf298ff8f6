import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FigureStream } from "./figure-stream.ts";
import { createFigures } from "./figures.ts";

interface Run {
  sequence: number;
  count: number;
  rawUs: number;
  errorUs: number;
  isCorrected: boolean;
}

function figuresOf(take: (stream: FigureStream) => void) {
  const spec = { key: "k", from: "a", to: "b", route: "direct", hops: 2, echo: false };
  const figures = createFigures(spec);
  take(figures.open());
  return figures.summarise(1);
}

function record(stream: FigureStream, { rawUs, errorUs, isCorrected }: Run, from: number, n = 1) {
  if (isCorrected) stream.record(from, 128, rawUs, rawUs - 300, errorUs, rawUs + 7, n);
  else stream.recordUncorrected(from, 128, rawUs, n);
}

test("runs have the figures of their messages one by one, in order, with gaps, or late", () => {
  const run = fc.record({
    sequence: fc.integer({ min: 0, max: 400 }),
    count: fc.integer({ min: 1, max: 40 }),
    rawUs: fc.integer({ min: 0, max: 2000 }),
    errorUs: fc.constantFrom(NaN, 5, 80),
    isCorrected: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 40 }), fc.boolean(), (drawn, inOrder) => {
      let next = 0;
      const runs = drawn.map((one): Run => {
        const sequence = inOrder ? next : one.sequence;
        next += one.count;
        return { ...one, sequence };
      });
      const inRuns = figuresOf((stream) => {
        for (const one of runs) record(stream, one, one.sequence, one.count);
      });
      const oneByOne = figuresOf((stream) => {
        for (const one of runs) {
          for (let i = 0; i < one.count; i++) record(stream, one, one.sequence + i);
        }
      });
      assert.deepEqual(inRuns, oneByOne);
    }),
    { seed: 3550, numRuns: 500 },
  );
});

test("the messages of a run are neighbours that vary by nothing, also of a run before it", () => {
  const { count, bytes_per_second, ipdv_ms, jitter_ms } = figuresOf((stream) => {
    stream.record(1, 100, 1000, 1000, 5, NaN, 2);
    stream.record(3, 100, 2600, 2600, 5, NaN, 3);
  });
  assert.deepEqual([count, bytes_per_second], [5, 500]);
  assert.deepEqual([ipdv_ms?.min, ipdv_ms?.mean, ipdv_ms?.max], [0, 0.4, 1.6]);
  // 1.6 / 16, then two differences of nothing.
  assert.equal(jitter_ms, 0.0879);
});
