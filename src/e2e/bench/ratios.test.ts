import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "./experiment.ts";
import { compare, judge, medians, type Outcome, spreadOf } from "./ratios.ts";

const ROW: Row = {
  what: "delivered",
  figure: "rate",
  unit: "messages/s",
  reference: "peer",
  budget: { of: "ratio", atLeast: 2 },
};
const rounds = (...rates: number[]): Outcome => ({ rounds: rates.map((rate) => ({ rate })) });

test("ratios are of the same round, their spread is over the rounds", () => {
  const outcomes = new Map([["ours", rounds(10, 40, 30)], ["peer", rounds(5, 10, 20)]]);
  const [ours, peer] = compare(ROW, outcomes).lines;
  assert.deepEqual(ours!.ratio, { median: 2, min: 1.5, max: 4 });
  assert.deepEqual(ours!.figure, { median: 30, min: 10, max: 40 });
  assert.equal(ours!.met, true);
  assert.equal(peer!.ratio, undefined);
  assert.equal(peer!.met, undefined);
});

test("a budget that is broken tells by what share of it", () => {
  assert.deepEqual(judge({ of: "figure", atMost: 50 }, 75), { met: false, missedBy: 0.5 });
  assert.deepEqual(judge({ of: "figure", atLeast: 4 }, 3), { met: false, missedBy: 0.25 });
  assert.deepEqual(judge({ of: "figure", atMost: 0 }, 1), { met: false, missedBy: Infinity });
});

test("a budget is met at its limit", () => {
  assert.deepEqual(judge({ of: "figure", atMost: 50 }, 50), { met: true, missedBy: 0 });
  assert.deepEqual(judge({ of: "figure", atLeast: 4 }, 4), { met: true, missedBy: 0 });
});

test("a budget with two ends is broken at either", () => {
  const budget = { of: "ratio", atLeast: 0.99, atMost: 1.01 } as const;
  assert.equal(judge(budget, 0.98).met, false);
  assert.equal(judge(budget, 1).met, true);
  assert.equal(judge(budget, 1.02).met, false);
});

test("without its peer a ratio is neither met nor broken", () => {
  const outcomes = new Map<string, Outcome>([
    ["ours", rounds(10)],
    ["peer", { missing: "missing: peer is not installed" }],
  ]);
  const [ours, peer] = compare(ROW, outcomes).lines;
  assert.equal(ours!.figure!.median, 10);
  assert.equal(ours!.met, undefined);
  assert.equal(peer!.missing, "missing: peer is not installed");
});

test("a budget holds for all that are ours", () => {
  const row: Row = { ...ROW, ours: ["ours", "ours too"] };
  const outcomes = new Map([
    ["ours", rounds(10)],
    ["ours too", rounds(1)],
    ["peer", rounds(5)],
  ]);
  assert.deepEqual(compare(row, outcomes).lines.map(({ met }) => met), [true, false, undefined]);
});

test("contestants that lack a figure are left out of its row", () => {
  const outcomes = new Map<string, Outcome>([["ours", rounds(1)], ["peer", { rounds: [{}] }]]);
  assert.deepEqual(compare(ROW, outcomes).lines.map(({ contestant }) => contestant), ["ours"]);
});

test("of an even number of values the median lies between the middle two", () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  assert.throws(() => spreadOf([]), RangeError);
  assert.deepEqual(medians([{ a: 1, b: 5 }, { a: 3 }, { a: 2 }]), { a: 2, b: 5 });
});
