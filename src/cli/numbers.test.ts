import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatAge,
  formatCount,
  formatCountOf,
  formatElapsed,
  formatMs,
  formatPercent,
  formatRate,
  formatSignedMs,
  formatSpan,
} from "./numbers.ts";

test("milliseconds have about four significant digits and never more than 0.1 µs", () => {
  const cases: [number, string][] = [
    [0, "0.0000"],
    [0.00004, "0.0000"],
    [0.0421, "0.0421"],
    [0.99994, "0.9999"],
    [0.99996, "1.000"],
    [1.234, "1.234"],
    [9.9996, "10.00"],
    [12.344, "12.34"],
    [99.996, "100.0"],
    [123.44, "123.4"],
    [999.96, "1,000"],
    [1234.5, "1,235"],
    [-4.29, "−4.290"],
    [-0.00001, "0.0000"],
    [1.5e14, "1.50e+14"],
    [NaN, "–"],
    [Infinity, "–"],
  ];
  for (const [ms, text] of cases) assert.equal(formatMs(ms), text);
});

test("differences carry their sign", () => {
  assert.equal(formatSignedMs(1.5), "+1.500");
  assert.equal(formatSignedMs(-12.5), "−12.50");
  assert.equal(formatSignedMs(0), "0.0000");
  assert.equal(formatSignedMs(0.00001), "0.0000");
});

test("counts have thousands separators", () => {
  assert.equal(formatCount(0), "0");
  assert.equal(formatCount(999), "999");
  assert.equal(formatCount(1000), "1,000");
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(formatCount(1e15), "1.00e+15");
  assert.equal(formatCount(NaN), "–");
  assert.equal(formatCountOf(1, "pair"), "1 pair");
  assert.equal(formatCountOf(1200, "pair"), "1,200 pairs");
});

test("a small loss is never written as none", () => {
  assert.equal(formatPercent(0, 100), "0.00");
  assert.equal(formatPercent(1, 1_000_000), "<0.01");
  assert.equal(formatPercent(12, 1240), "0.97");
  assert.equal(formatPercent(1, 8), "12.5");
  assert.equal(formatPercent(5, 5), "100.0");
  assert.equal(formatPercent(0, 0), "0.00");
});

test("rates and elapsed times are short", () => {
  assert.equal(formatRate(0.25), "0.25");
  assert.equal(formatRate(9.999), "10.0");
  assert.equal(formatRate(12.5), "12.5");
  assert.equal(formatRate(1250.4), "1,250");
  assert.equal(formatRate(NaN), "–");
  assert.equal(formatElapsed(7.9), "0:07");
  assert.equal(formatElapsed(754), "12:34");
  assert.equal(formatElapsed(3723), "1:02:03");
});

test("ages are told roughly, in the unit that suits them", () => {
  const cases: [number, string][] = [
    [0, "<1 s"],
    [0.99, "<1 s"],
    [1.4, "1 s"],
    [119.4, "119 s"],
    [119.6, "2 min"],
    [754, "13 min"],
    [3 * 3600, "3 h"],
    [4 * 86_400, "4 d"],
    [NaN, "–"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatAge(seconds), text);
});

test("a length of time keeps its fractions, and is in minutes or hours where it is long", () => {
  const cases: [seconds: number, text: string][] = [
    [0.5, "0.5 s"],
    [90, "90 s"],
    [150, "2.5 min"],
    [7200, "2 h"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatSpan(seconds), text);
});
