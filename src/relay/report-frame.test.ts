import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./protocol-error.ts";
import {
  MAX_REPORT_BYTES,
  MAX_REPORT_HOPS,
  type Report,
  REPORT_BUCKETS,
  type ReportedDifference,
  type ReportedKey,
  writeReports,
} from "./report-frame.ts";
import { readReport } from "./report-reading.ts";

const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(fields, { noNullPrototype: true });
const ms = fc.float({ min: -1e6, max: 1e6, noNaN: true });
const count = fc.maxSafeNat();
const change = fc.integer({ min: -(2 ** 51), max: 2 ** 51 });
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]|::~::|<~>/u.test(text));
const delays = fc.array(ms, { minLength: 9, maxLength: 9 });
const bound = fc.tuple(ms, ms).map(([a, b]) => {
  const [p50, max] = [Math.abs(a), Math.abs(b)].sort((x, y) => x - y) as [number, number];
  return { p50, max };
});
const interval = fc.tuple(ms, ms).map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }));
const buckets = fc.uniqueArray(fc.integer({ min: 0, max: REPORT_BUCKETS - 1 }), { maxLength: 40 })
  .map((list) => list.sort((a, b) => a - b).flatMap((bucket) => [bucket, 1 + (bucket % 300)]));

const key: fc.Arbitrary<ReportedKey> = fc.tuple(
  plain({
    nodes: fc.array(name, { minLength: 2, maxLength: MAX_REPORT_HOPS + 1 }),
    route: fc.oneof(name, fc.constant("")),
    echo: fc.boolean(),
    told: fc.boolean(),
    count,
    up: change,
    down: change,
    dropped: count,
    duplicates: count,
    reordered: count,
    negative: count,
    uncorrected: count,
  }),
  fc.option(fc.tuple(delays, ms), { nil: undefined }),
  fc.option(bound, { nil: undefined }),
  fc.option(fc.tuple(ms, ms, ms, ms, buckets), { nil: undefined }),
  fc.option(ms.map(Math.abs), { nil: undefined }),
  change,
).map(([base, figures, errorMs, span, spanErrorMs, lost]) => ({
  ...base,
  ...(figures && { delays: figures[0], jitterMs: figures[1] }),
  ...(errorMs && { errorMs }),
  span: {
    ms: 1000,
    count: 1_000_000,
    lost,
    ...(span && {
      delays: { p50: span[0], p95: span[1], p99: span[2], max: span[3], buckets: span[4] },
    }),
    ...(spanErrorMs !== undefined && { errorMs: spanErrorMs }),
  },
}));

const difference: fc.Arbitrary<ReportedDifference> = fc.tuple(
  plain({ a: name, b: name, from: name, to: name, pairs: count }),
  fc.option(delays, { nil: undefined }),
  fc.option(bound, { nil: undefined }),
  fc.option(interval, { nil: undefined }),
  fc.option(delays, { nil: undefined }),
  fc.option(interval, { nil: undefined }),
).map(([base, oneWay, errorMs, oneWayMedian, roundTrip, roundTripMedian]) => ({
  ...base,
  ...(oneWay && { oneWay }),
  ...(errorMs && { errorMs }),
  ...(oneWayMedian && { oneWayMedian }),
  ...(roundTrip && { roundTrip }),
  ...(roundTripMedian && { roundTripMedian }),
}));

const report: fc.Arbitrary<Report> = plain({
  keys: fc.array(key, { maxLength: 12 }),
  differences: fc.array(difference, { maxLength: 4 }),
});

test("a report reads as it was written, however many frames it takes", () => {
  fc.assert(fc.property(report, (written) => {
    const frames = writeReports(written);
    const read = frames.map(readReport);
    assert.deepEqual({
      keys: read.flatMap(({ keys }) => keys),
      differences: read.flatMap(({ differences }) => differences),
    }, written);
  }));
});

test("a long report is cut into frames of at most 16 KiB, each whole in itself", () => {
  const [one] = fc.sample(key, { numRuns: 1, seed: 7 });
  const keys = Array.from({ length: 1000 }, (_, i) => ({ ...one!, route: `route-${i}` }));
  const frames = writeReports({ keys, differences: [] });
  assert.ok(frames.length > 3);
  assert.ok(frames.every(({ byteLength }) => byteLength <= MAX_REPORT_BYTES));
  assert.deepEqual(frames.flatMap((frame) => readReport(frame).keys), keys);
});

test("nothing to tell is no frame", () => {
  assert.deepEqual(writeReports({ keys: [], differences: [] }), []);
});

test("whatever bytes come, a report is read or refused as a breach of the protocol", () => {
  const mangled = fc.tuple(report, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([written, changes]) => {
      const bytes = writeReports(written)[0]?.slice() ?? new Uint8Array(10);
      for (const [at, byte] of changes) bytes[6 + at % (bytes.byteLength - 6)] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(
      fc.oneof(mangled, fc.uint8Array({ minLength: 6, maxLength: 300 })),
      (bytes) => {
        try {
          const { keys } = readReport(bytes);
          for (const { span } of keys) {
            for (const value of span.delays?.buckets ?? []) assert.ok(Number.isSafeInteger(value));
          }
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${error}`);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

const base: ReportedKey = {
  nodes: ["a", "b"],
  route: "r",
  echo: false,
  told: false,
  count: 1,
  up: 0,
  down: 0,
  dropped: 0,
  duplicates: 0,
  reordered: 0,
  negative: 0,
  uncorrected: 0,
  span: { ms: 1, count: 1, lost: 0 },
};

const readKey = (key: Partial<ReportedKey>) =>
  readReport(writeReports({ keys: [{ ...base, ...key }], differences: [] })[0]!);

for (
  const [what, key, fault] of [
    ["a name that would join keys", { nodes: ["a", "b::~::c"] }, /name breaks its rules/],
    ["a control character in a name", { nodes: ["a", "\x1b[2J"] }, /name breaks its rules/],
    ["a node without a name", { nodes: ["a", ""] }, /without a name/],
    ["too long a path", { nodes: Array(8).fill("a") }, /7 hops/],
    ["a delay that is none", { delays: Array(9).fill(NaN), jitterMs: 0 }, /out of range/],
    ["an infinite bound", { errorMs: { p50: 0, max: Infinity } }, /out of range/],
    [
      "more delays than messages",
      {
        span: {
          ms: 1,
          count: 1,
          lost: 0,
          delays: { p50: 1, p95: 1, p99: 1, max: 1, buckets: [5, 2] },
        },
      },
      /another number/,
    ],
    [
      "a bucket beyond the last",
      {
        span: {
          ms: 1,
          count: 1,
          lost: 0,
          delays: { p50: 1, p95: 1, p99: 1, max: 1, buckets: [REPORT_BUCKETS, 1] },
        },
      },
      /too far/,
    ],
  ] as [string, Partial<ReportedKey>, RegExp][]
) {
  test(`${what} in a report is refused`, () => {
    assert.throws(
      () => readKey(key),
      (error: Error) => error instanceof ProtocolError && fault.test(error.message),
    );
  });
}
