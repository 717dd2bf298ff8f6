import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import type { FigureStream } from "./figure-stream.ts";
import { createFigures, type FigureSpec } from "./figures.ts";
import { noLoss } from "./loss.ts";

const HOP: FigureSpec = {
  key: "a::~::b",
  from: "a",
  to: "b",
  route: "direct",
  hops: 1,
  echo: false,
};
const PATH: FigureSpec = { ...HOP, key: "a::~::s<~>s::~::b", hops: 2 };

/** Messages with the given delays, in sequence from 0, corrected by an offset of 5 s. */
function recordAll(stream: FigureStream, delaysUs: readonly number[], first = 0): void {
  delaysUs.forEach((delayUs, i) =>
    stream.record(first + i, 128, delayUs + 5e6, delayUs, 20, delayUs + 7)
  );
}

test("a hop's summary tells count, rates, delays and error bound in ms", () => {
  const figures = createFigures(HOP);
  const stream = figures.open();
  recordAll(stream, [1000, 3000]);
  stream.record(2, 128, 5e6 + 2000, 2000, 40.04, NaN);
  const { hdr, ...summary } = figures.summarise(2);
  assert.deepEqual(summary, {
    ...HOP,
    count: 3,
    per_second: 1.5,
    bytes_per_second: 192,
    ...noLoss(),
    negative: 0,
    uncorrected: 0,
    ms: {
      min: 1,
      mean: 2,
      stddev: 0.8165,
      p50: summary.ms!.p50,
      p90: 3,
      p95: 3,
      p99: 3,
      p999: 3,
      max: 3,
    },
    // Three messages bound no percentile from above.
    confidence_ms: { p50: {}, p95: { low: summary.ms!.p50 }, p99: { low: summary.ms!.p50 } },
    error_ms: { p50: 0.02, max: 0.04 },
    ipdv_ms: {
      min: 1,
      mean: 1.5,
      stddev: 0.5,
      p50: summary.ipdv_ms!.p50,
      p90: 2,
      p95: 2,
      p99: 2,
      p999: 2,
      max: 2,
    },
    jitter_ms: 0.1797,
  });
  assert.ok(Math.abs(summary.ms!.p50 - 2) <= 0.001);
  assert.ok(Math.abs(summary.ipdv_ms!.p50 - 1) <= 0.005);
  assert.equal(decodeFromCompressedBase64(hdr!).totalCount, 3);
});

test("figures without a message have a count and a loss, and no delays", () => {
  const figures = createFigures(PATH);
  figures.open(() => ({ ...noLoss(), lost: 4, up: 3, down: 1 }));
  assert.deepEqual(figures.summarise(10), {
    ...PATH,
    count: 0,
    per_second: 0,
    bytes_per_second: 0,
    ...noLoss(),
    lost: 4,
    up: 3,
    down: 1,
    negative: 0,
    uncorrected: 0,
  });
  assert.equal(figures.summarise(0).per_second, 0);
});

test("a path has its elapsed time where it is known, a hop never", () => {
  const path = createFigures(PATH);
  const stream = path.open();
  recordAll(stream, [1000]);
  stream.record(1, 128, 1000, 1000, 20, NaN);
  assert.equal(path.summarise(1).elapsed_ms?.max, 1.007);
  assert.equal(path.summarise(1).elapsed_ms?.min, 1.007);
  const hop = createFigures(HOP);
  recordAll(hop.open(), [1000]);
  assert.equal(hop.summarise(1).elapsed_ms, undefined);
});

test("an unknown error bound stays out of the bounds, not out of the delays", () => {
  const figures = createFigures(HOP);
  figures.open().record(0, 128, 1000, 1000, NaN, NaN);
  assert.equal(figures.summarise(1).ms?.max, 1);
  assert.equal(figures.summarise(1).error_ms, undefined);
});

test("a message without correction counts, and varies, but has no delay", () => {
  const figures = createFigures(HOP);
  const stream = figures.open();
  stream.recordUncorrected(0, 100, 7000);
  stream.recordUncorrected(1, 100, 9000);
  const summary = figures.summarise(1);
  assert.equal(summary.count, 2);
  assert.equal(summary.uncorrected, 2);
  assert.equal(summary.bytes_per_second, 200);
  assert.equal(summary.ms, undefined);
  assert.equal(summary.hdr, undefined);
  assert.equal(summary.ipdv_ms?.max, 2);
});

test("delays below zero are counted and keep the exact minimum and mean", () => {
  const figures = createFigures(HOP);
  recordAll(figures.open(), [-30, 10, 50]);
  const { ms, negative } = figures.summarise(1);
  assert.equal(negative, 1);
  assert.deepEqual([ms?.min, ms?.mean, ms?.max], [-0.03, 0.01, 0.05]);
});

test("variation compares neighbours in sequence of one session only", () => {
  const figures = createFigures(HOP);
  const one = figures.open();
  const other = figures.open();
  const record = (stream: FigureStream, sequence: number, delayUs: number) =>
    stream.record(sequence, 16, delayUs, delayUs, 1, NaN);
  record(one, 5, 1000);
  record(other, 6, 900_000); // of another session: no neighbour of 5
  record(one, 7, 5000); // 6 is missing
  record(one, 8, 5300); // a pair with 7
  record(other, 7, 900_100); // a pair with the other session's 6
  const { ipdv_ms: ipdv } = figures.summarise(1);
  assert.deepEqual([ipdv?.min, ipdv?.mean, ipdv?.max], [0.1, 0.2, 0.3]);
});

test("a message that comes late is compared with both its neighbours, and the newest stays newest", () => {
  const figures = createFigures(HOP);
  const stream = figures.open();
  const record = (sequence: number, delayUs: number) =>
    stream.record(sequence, 16, delayUs, delayUs, 1, NaN);
  record(1, 1000);
  record(3, 5000);
  record(2, 1700); // 0.7 after 1, 3.3 before 3
  record(4, 5100); // 0.1 after 3
  const { ipdv_ms: ipdv } = figures.summarise(1);
  assert.deepEqual([ipdv?.min, ipdv?.max], [0.1, 3.3]);
  assert.ok(Math.abs(ipdv!.mean - 4.1 / 3) < 1e-4);
});

test("two messages in the wrong order have a variation and a jitter", () => {
  const figures = createFigures(HOP);
  const stream = figures.open();
  for (const [sequence, delayUs] of [[0, 0], [2, 2600], [1, 1000]] as const) {
    stream.record(sequence, 16, delayUs, delayUs, 1, NaN);
  }
  const { ipdv_ms: ipdv, jitter_ms: jitter } = figures.summarise(1);
  assert.deepEqual([ipdv?.min, ipdv?.max, jitter], [1, 1.6, 0.1586]);
});

test("variation is that of all neighbours that came, in whatever order and however many are lost", () => {
  const message = fc.record({
    delayUs: fc.integer({ min: 0, max: 100_000 }),
    isLost: fc.boolean(),
    // Overtaken by fewer than the window knows.
    heldBy: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 2, maxLength: 600 }), (messages) => {
      const figures = createFigures(HOP);
      const stream = figures.open();
      const came = messages.map((one, sequence) => ({ ...one, sequence }))
        .filter(({ isLost }) => !isLost);
      const order = came.toSorted((a, b) => a.sequence + a.heldBy - b.sequence - b.heldBy);
      for (const { sequence, delayUs } of order) stream.record(sequence, 16, delayUs, 1, 1, NaN);
      const variationsMs = came.flatMap(({ sequence, delayUs }, i) => {
        const before = came[i - 1];
        if (before?.sequence !== sequence - 1) return [];
        return [Math.abs(delayUs - before.delayUs) / 1000];
      });
      const { ipdv_ms: ipdv } = figures.summarise(1);
      if (variationsMs.length === 0) return assert.equal(ipdv, undefined);
      const sum = variationsMs.reduce((a, b) => a + b);
      assert.equal(ipdv?.min, Math.min(...variationsMs));
      assert.equal(ipdv.max, Math.max(...variationsMs));
      assert.ok(Math.abs(ipdv.mean - sum / variationsMs.length) <= 0.0001);
    }),
    { seed: 3393, numRuns: 200 },
  );
});

test("a message that comes later than the window reaches back is counted and not compared", () => {
  const figures = createFigures(HOP);
  const stream = figures.open();
  const record = (sequence: number) => stream.record(sequence, 16, 1000, 1000, 1, NaN);
  for (const sequence of [0, 2, 1000, 1]) record(sequence);
  assert.equal(figures.summarise(1).count, 4);
  assert.equal(figures.summarise(1).ipdv_ms, undefined);
});

test("jitter follows RFC 3550 for one session, whatever the offset of the clocks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 2, maxLength: 100 }),
      fc.integer({ min: -1e12, max: 1e12 }),
      (delaysUs, offsetUs) => {
        const figures = createFigures(HOP);
        const stream = figures.open();
        delaysUs.forEach((delayUs, i) => stream.record(i, 16, delayUs + offsetUs, 1, 1, NaN));
        let jitterUs = 0;
        for (let i = 1; i < delaysUs.length; i++) {
          jitterUs += (Math.abs(delaysUs[i]! - delaysUs[i - 1]!) - jitterUs) / 16;
        }
        const found = figures.summarise(1).jitter_ms!;
        assert.ok(Math.abs(found - jitterUs / 1000) <= 0.0002, `${found}, exact ${jitterUs}`);
      },
    ),
    { seed: 3550, numRuns: 100 },
  );
});

test("jitter of several sessions is their mean by pairs, those that ended included", () => {
  const figures = createFigures(HOP);
  const one = figures.open();
  recordAll(one, [0, 1600, 0, 1600]); // 3 pairs of 1600 µs: 100, 193.75, 281.64
  one.close();
  recordAll(figures.open(), [0, 320]); // 1 pair: 20
  assert.equal(figures.summarise(1).jitter_ms, 0.2162);
});

test("loss is the sum over sessions, live while they last and kept when they end", () => {
  const figures = createFigures(HOP);
  let up = 1;
  const one = figures.open(() => ({ ...noLoss(), lost: up, up, duplicates: 7 }));
  figures.open(() => ({ ...noLoss(), lost: 10, down: 10, dropped: 9, reordered: 2 }));
  assert.equal(figures.summarise(1).lost, 11);
  up = 5;
  one.close();
  up = 100;
  one.close();
  const { lost, up: lostUp, down, dropped, duplicates, reordered } = figures.summarise(1);
  assert.deepEqual([lost, lostUp, down, dropped, duplicates, reordered], [15, 5, 10, 9, 7, 2]);
});

test("an interval has what came since the last rotation, the total goes on", () => {
  const figures = createFigures(PATH);
  let lost = 2;
  const stream = figures.open(() => ({ ...noLoss(), lost, up: lost }));
  recordAll(stream, [1000, 2000]);
  stream.recordUncorrected(2, 128, 5e6 + 2000);
  const first = figures.rotate(10);
  assert.deepEqual([first.count, first.lost, first.uncorrected], [3, 2, 1]);
  assert.deepEqual([first.ms?.max, first.ipdv_ms?.max, first.per_second], [2, 1, 0.3]);

  lost = 1;
  recordAll(stream, [9000], 3);
  const second = figures.rotate(10);
  assert.deepEqual([second.count, second.lost, second.uncorrected], [1, -1, 0]);
  assert.deepEqual([second.ms?.min, second.ipdv_ms?.min], [9, 7]);
  assert.equal(decodeFromCompressedBase64(second.hdr!).totalCount, 1);

  const silent = figures.rotate(10);
  assert.deepEqual([silent.count, silent.lost, silent.ms], [0, 0, undefined]);

  recordAll(stream, [4000], 4);
  const whole = figures.summarise(20);
  assert.deepEqual([whole.count, whole.lost, whole.uncorrected], [5, 1, 1]);
  assert.deepEqual([whole.ms?.min, whole.ms?.mean, whole.ms?.max], [1, 4, 9]);
  assert.equal(whole.elapsed_ms?.max, 9.007);
  assert.equal(decodeFromCompressedBase64(whole.hdr!).totalCount, 4);
});

test("figures that are rotated sum up to those that are not", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.double({ min: -10, max: 1e6, noNaN: true }), { maxLength: 30 }), {
        minLength: 1,
        maxLength: 8,
      }),
      (intervals) => {
        const rotated = createFigures(PATH);
        const plain = createFigures(PATH);
        const [intoRotated, intoPlain] = [rotated.open(), plain.open()];
        let next = 0;
        for (const delaysUs of intervals) {
          recordAll(intoRotated, delaysUs, next);
          recordAll(intoPlain, delaysUs, next);
          next += delaysUs.length;
          rotated.rotate(1);
        }
        const [ours, theirs] = [rotated.summarise(1), plain.summarise(1)];
        for (const figures of ["ms", "elapsed_ms", "ipdv_ms"] as const) {
          // The last digit of the moments may round to either side.
          for (const name of ["mean", "stddev"] as const) {
            const [one, other] = [ours[figures]?.[name] ?? 0, theirs[figures]?.[name] ?? 0];
            assert.ok(Math.abs(one - other) < 0.00015, `${figures} ${name}: ${one}, ${other}`);
            if (ours[figures] && theirs[figures]) ours[figures][name] = theirs[figures][name];
          }
        }
        assert.deepEqual(ours, theirs);
      },
    ),
    { seed: 42, numRuns: 100 },
  );
});

test("a summary for a view leaves the encoded histogram out", () => {
  const figures = createFigures(HOP);
  recordAll(figures.open(), [1000]);
  assert.equal(figures.summarise(1, false).hdr, undefined);
  assert.equal(figures.summarise(1, false).ms?.max, 1);
});
