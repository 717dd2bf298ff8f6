import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeFromCompressedBase64, type JsHistogram } from "hdr-histogram-js";
import { Histogram, LARGEST_US, nearestRank } from "./histogram.ts";

const SEED = { seed: 20_200_101, numRuns: 150 };

function histogramOf(values: readonly number[], digits: 2 | 3 = 3): Histogram {
  const histogram = new Histogram(digits);
  for (const value of values) histogram.record(value);
  return histogram;
}

function exactPercentile(values: readonly number[], quantile: number): number {
  return values.toSorted((a, b) => a - b)[nearestRank(quantile, values.length) - 1]!;
}

/** Delays as networks give them: over many orders of magnitude, with tails. */
const delaysUs = fc.array(
  fc.oneof(
    fc.double({ min: 0, max: 300, noNaN: true }),
    fc.double({ min: 0, max: 20, noNaN: true }).map((power) => Math.exp(power)),
    fc.integer({ min: 0, max: 400_000_000 }),
  ),
  { minLength: 1, maxLength: 400 },
);

for (const [digits, tolerance] of [[3, 0.0005], [2, 0.005]] as const) {
  test(`percentiles of ${digits} digits stay within half a bucket of an exact sort`, () => {
    fc.assert(
      fc.property(delaysUs, fc.double({ min: 0, max: 1, noNaN: true }), (values, any) => {
        const histogram = histogramOf(values, digits);
        for (const quantile of [any, 0, 0.5, 0.95, 0.99, 1]) {
          const exact = exactPercentile(values, quantile);
          const found = histogram.percentile(quantile);
          const allowed = Math.max(0.0501, exact * tolerance);
          assert.ok(Math.abs(found - exact) <= allowed, `p${quantile}: ${found}, exact ${exact}`);
        }
      }),
      SEED,
    );
  });
}

test("percentiles asked together equal those asked one by one", () => {
  fc.assert(
    fc.property(delaysUs, (values) => {
      const histogram = histogramOf(values);
      const quantiles = [0, 0.1, 0.1, 0.5, 0.9, 0.999, 1];
      assert.deepEqual(
        histogram.percentiles(quantiles),
        quantiles.map((quantile) => histogram.percentile(quantile)),
      );
    }),
    SEED,
  );
});

test("the rank of a share is exact where its product with the count is a whole number", () => {
  for (let count = 1; count <= 1000; count++) {
    for (let percent = 1; percent <= 100; percent++) {
      assert.equal(nearestRank(percent / 100, count), Math.ceil((percent * count) / 100));
    }
  }
});

test("the lowest and the highest percentile are the exact extremes", () => {
  const histogram = histogramOf([123_456.7, 123_456.8]);
  assert.equal(histogram.percentile(0.5), 123_456.7);
  assert.equal(histogram.percentile(1), 123_456.8);
  assert.equal(histogram.percentile(0.999), 123_456.8);
  assert.equal(histogramOf([123_456.7]).percentile(0), 123_456.7);
});

test("extremes, mean and deviation are exact, values below zero included", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (values) => {
        const histogram = histogramOf(values);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) /
          values.length;
        assert.equal(histogram.count, values.length);
        assert.equal(histogram.min, Math.min(...values));
        assert.equal(histogram.max, Math.max(...values));
        assert.equal(histogram.negative, values.filter((value) => value < 0).length);
        assert.ok(Math.abs(histogram.mean - mean) <= 1e-6, `${histogram.mean}, exact ${mean}`);
        const deviation = Math.sqrt(variance);
        assert.ok(Math.abs(histogram.stddev - deviation) <= 1e-5, `stddev, exact ${deviation}`);
      },
    ),
    SEED,
  );
});

test("a small deviation survives a million values far from zero", () => {
  const histogram = new Histogram(3);
  for (let i = 0; i < 1_000_000; i++) histogram.record(1e10 + (i & 1));
  assert.ok(Math.abs(histogram.stddev - 0.5) < 1e-6, `stddev ${histogram.stddev}`);
});

test("a value below zero counts as zero in the buckets", () => {
  const histogram = histogramOf([-50, -40, 10, 20]);
  assert.equal(histogram.negative, 2);
  assert.equal(histogram.percentile(0.5), 0);
  assert.equal(histogram.percentile(0.75), 10);
  assert.equal(histogram.min, -50);
});

test("a value beyond the largest counts as that in the buckets alone", () => {
  const histogram = histogramOf([LARGEST_US * 3, LARGEST_US * 4]);
  assert.equal(histogram.max, LARGEST_US * 4);
  assert.equal(histogram.mean, LARGEST_US * 3.5);
  assert.equal(histogram.percentile(0.5), LARGEST_US * 3);
  const decoded = decodeFromCompressedBase64(histogram.encode());
  assert.equal(decoded.totalCount, 2);
  assert.ok(Math.abs(decoded.maxValue / (LARGEST_US * 10) - 1) < 0.001);
});

test("a value that is not finite is refused and leaves no trace", () => {
  const histogram = histogramOf([5]);
  for (const value of [NaN, Infinity, -Infinity]) {
    assert.throws(() => histogram.record(value), RangeError);
  }
  assert.equal(histogram.count, 1);
  assert.equal(histogram.mean, 5);
});

test("an empty histogram has no figures and encodes to no values", () => {
  const histogram = new Histogram(3);
  assert.deepEqual(
    [histogram.count, histogram.min, histogram.max, histogram.mean, histogram.stddev],
    [0, NaN, NaN, NaN, NaN],
  );
  assert.deepEqual(histogram.percentiles([0.5, 1]), [NaN, NaN]);
  assert.equal(decodeFromCompressedBase64(histogram.encode()).totalCount, 0);
});

test("a value recorded several times at once equals as many records", () => {
  const once = histogramOf([100, 250_000, 250_000, 250_000]);
  const atOnce = histogramOf([100]);
  atOnce.record(250_000, 3);
  assert.equal(atOnce.count, 4);
  assert.equal(atOnce.percentile(0.5), once.percentile(0.5));
  assert.ok(Math.abs(atOnce.mean - once.mean) < 1e-9);
  assert.ok(Math.abs(atOnce.stddev - once.stddev) < 1e-6);
});

test("counts beyond 32 bits stay exact", () => {
  const histogram = histogramOf([100]);
  histogram.record(200, 5_000_000_000);
  histogram.record(200, 1);
  histogram.record(300, 4_999_999_999);
  assert.equal(histogram.count, 10_000_000_001);
  assert.equal(histogram.percentile(0.5), 200);
  assert.equal(histogram.percentile(0.51), 300);
  const merged = histogramOf([1]);
  merged.add(histogram);
  assert.equal(merged.count, 10_000_000_002);
  assert.equal(merged.percentile(0.51), 300);
});

test("merging equals recording everything in one", () => {
  fc.assert(
    fc.property(delaysUs, delaysUs, fc.integer({ min: 1, max: 100 }), (left, right, below) => {
      const values = [...right, -below];
      const merged = histogramOf(left);
      merged.add(histogramOf(values));
      merged.add(new Histogram(3));
      const whole = histogramOf([...left, ...values]);
      assert.equal(merged.encode(), whole.encode());
      assert.deepEqual(
        [merged.count, merged.min, merged.max, merged.negative],
        [whole.count, whole.min, whole.max, whole.negative],
      );
      assert.ok(Math.abs(merged.mean - whole.mean) <= 1e-9 * (1 + Math.abs(whole.mean)));
      assert.ok(Math.abs(merged.stddev - whole.stddev) <= 1e-9 * (1 + whole.stddev));
    }),
    SEED,
  );
  assert.throws(() => new Histogram(3).add(new Histogram(2)), RangeError);
});

test("a histogram that was reset equals a new one", () => {
  const used = histogramOf([1, 1000, 1e7, -4]);
  used.reset();
  assert.deepEqual([used.count, used.negative, used.min, used.max], [0, 0, NaN, NaN]);
  for (const value of [3, 70_000]) used.record(value);
  const fresh = histogramOf([3, 70_000]);
  assert.equal(used.encode(), fresh.encode());
  assert.deepEqual([used.mean, used.stddev], [fresh.mean, fresh.stddev]);
});

for (const digits of [2, 3] as const) {
  test(`other HdrHistogram tools read the same counts and percentiles, ${digits} digits`, () => {
    fc.assert(
      fc.property(delaysUs, (values) => {
        const histogram = histogramOf(values, digits);
        const decoded = decodeFromCompressedBase64(histogram.encode()) as JsHistogram;
        const units = values.map((value) => Math.floor(value * 10 + 0.5));
        assert.equal(decoded.numberOfSignificantValueDigits, digits);
        assert.equal(decoded.totalCount, values.length);
        assert.equal(decoded.maxValue, decoded.highestEquivalentValue(Math.max(...units)));
        for (const unit of units) {
          const index = decoded.countsArrayIndex(unit);
          const alike = units.filter((other) => decoded.countsArrayIndex(other) === index);
          assert.equal(decoded.getCountAtIndex(index), alike.length);
        }
        for (const percent of [1, 10, 50, 90, 95, 99]) {
          const exact = exactPercentile(units, percent / 100);
          assert.equal(
            decoded.getValueAtPercentile(percent),
            decoded.highestEquivalentValue(exact),
          );
          const ours = histogram.percentile(percent / 100) * 10;
          const step = decoded.sizeOfEquivalentValueRange(exact);
          assert.ok(Math.abs(ours - exact) <= step / 2 + 0.5001, `${ours}, theirs ${exact}`);
        }
      }),
      SEED,
    );
  });
}

test("values that repeat one another are all counted, whenever somebody looks between them", () => {
  const readers: ((histogram: Histogram) => number)[] = [
    (histogram) => histogram.count,
    (histogram) => histogram.negative,
    (histogram) => histogram.min,
    (histogram) => histogram.max,
    (histogram) => histogram.mean,
    (histogram) => histogram.stddev,
    (histogram) => histogram.percentile(0.5),
    (histogram) => {
      let sum = 0;
      histogram.eachBucket((valueUs, count) => sum += valueUs * count);
      return sum;
    },
    (histogram) => {
      const copy = new Histogram(3);
      copy.add(histogram);
      copy.add(histogram);
      return copy.count;
    },
    (histogram) => decodeFromCompressedBase64(histogram.encode()).totalCount,
  ];
  const runs = fc.array(
    fc.tuple(fc.constantFrom(-3, 0, 5, 70_000), fc.integer({ min: 1, max: 4 })),
    { minLength: 1, maxLength: 12 },
  );
  const looks = fc.array(fc.integer({ min: 0, max: readers.length - 1 }), { maxLength: 12 });
  fc.assert(
    fc.property(runs, looks, (values, seen) => {
      const lookedAt = new Histogram(3);
      const sorted: number[] = [];
      values.forEach(([valueUs, times], index) => {
        for (let i = 0; i < times; i++) lookedAt.record(valueUs);
        if (seen[index] !== undefined) readers[seen[index]]!(lookedAt);
        sorted.push(...Array<number>(times).fill(valueUs));
      });
      const order = sorted.toSorted((a, b) => a - b);
      const unseen = new Histogram(3);
      for (const valueUs of order) unseen.record(valueUs);
      for (const reader of readers) {
        const [found, wanted] = [reader(lookedAt), reader(unseen)];
        assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.abs(wanted) + 1e-6, String(reader));
      }
      const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
      assert.ok(Math.abs(lookedAt.mean - mean) < 1e-6);
      assert.equal(lookedAt.count, sorted.length);
      assert.equal(lookedAt.min, order[0]);
      assert.equal(lookedAt.max, order.at(-1));
      lookedAt.reset();
      assert.equal(lookedAt.count, 0);
      lookedAt.record(5);
      assert.equal(lookedAt.mean, 5);
    }),
    SEED,
  );
});
