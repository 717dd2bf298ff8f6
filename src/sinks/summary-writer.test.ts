import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "../metrics/figure-set.ts";
import { toIso } from "../relay/time.ts";
import { createSummaryWriter } from "./summary-writer.ts";

test("each interval's records hold what happened in it, and stand one after another", () => {
  const lines: Record<string, unknown>[] = [];
  let nowUs = 5e9;
  const figures = createFigureSet();
  const endInterval = createSummaryWriter({
    figures,
    sink: { write: (line) => lines.push(JSON.parse(line)) },
    source: { reporter: "tester", region: null, zone: null, run: "aa" },
    nowUs: () => nowUs,
  });
  const spec = { key: "a::~::b", from: "a", to: "b", route: "direct", hops: 1, echo: false };
  const stream = figures.get(spec).open();
  const record = (sequence: number) => stream.record(sequence, 64, 1000, 1000, 5, NaN);

  for (let sequence = 1; sequence <= 20; sequence++) record(sequence);
  nowUs += 10e6;
  endInterval();
  nowUs += 10e6;
  endInterval();
  record(21);
  nowUs += 4e6;
  endInterval();

  const shown = lines.map(({ key, kind, count, per_second, interval_start, interval_end }) => ({
    key,
    kind,
    count,
    per_second,
    interval_start,
    interval_end,
  }));
  const common = { key: "a::~::b", kind: "summary" };
  // Nothing happened in the second interval: nothing is told of it.
  assert.deepEqual(shown, [
    {
      ...common,
      count: 20,
      per_second: 2,
      interval_start: toIso(5e9),
      interval_end: toIso(5e9 + 10e6),
    },
    {
      ...common,
      count: 1,
      per_second: 0.25,
      interval_start: toIso(5e9 + 20e6),
      interval_end: toIso(5e9 + 24e6),
    },
  ]);
});
