import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { delayFigures } from "./delays.ts";
import { nearestRank } from "./histogram.ts";
import { createSignedHistogram } from "./signed-histogram.ts";

const QUANTILES = [0, 0.1, 0.25, 0.5, 0.5, 0.75, 0.9, 0.99, 1];

test("figures of differences match an exact sort on both sides of zero", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.double({ min: -1e6, max: 1e6, noNaN: true }),
          fc.double({ min: -100, max: 100, noNaN: true }),
        ),
        { minLength: 1, maxLength: 300 },
      ),
      (values) => {
        const histogram = createSignedHistogram(3);
        for (const value of values) histogram.record(value);
        const sorted = values.toSorted((a, b) => a - b);
        histogram.percentiles(QUANTILES).forEach((found, i) => {
          const exact = sorted[nearestRank(QUANTILES[i]!, sorted.length) - 1]!;
          const allowed = Math.max(0.0501, Math.abs(exact) * 0.0005);
          assert.ok(Math.abs(found - exact) <= allowed, `${found}, exact ${exact}`);
        });
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) /
          values.length;
        assert.equal(histogram.count, values.length);
        assert.equal(histogram.min, sorted[0]);
        assert.equal(histogram.max, sorted.at(-1));
        assert.ok(Math.abs(histogram.mean - mean) < 1e-6, `mean, exact ${mean}`);
        assert.ok(Math.abs(histogram.stddev - Math.sqrt(variance)) < 1e-5, `exact ${variance}`);
      },
    ),
    { seed: 7679, numRuns: 200 },
  );
});

test("differences of one sign have their extremes on that side", () => {
  const faster = createSignedHistogram(3);
  for (const value of [-3000, -1000, -2000]) faster.record(value);
  const figures = delayFigures(faster);
  assert.deepEqual(
    [figures?.min, figures?.mean, figures?.stddev, figures?.p999, figures?.max],
    [-3, -2, 0.8165, -1, -1],
  );
});

test("no differences have no figures", () => {
  const histogram = createSignedHistogram(3);
  assert.deepEqual(histogram.percentiles([0.5]), [NaN]);
  assert.equal(delayFigures(histogram), undefined);
});
