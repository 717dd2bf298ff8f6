import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "./figure-set.ts";
import { createKeyMetrics } from "./key-metrics.ts";
import { createKeyNews } from "./key-news.ts";

function createWorld() {
  const figures = createFigureSet();
  const news = createKeyNews(figures);
  const metrics = createKeyMetrics();
  let sequence = 0;
  const loss = { lost: 0, up: 0, down: 0, dropped: 0, duplicates: 0, reordered: 0 };
  return {
    loss,
    record(from: string, ms: number) {
      const spec = { key: `${from}::~::b`, from, to: "b", route: "r", hops: 1, echo: false };
      figures.get(spec).open(() => ({ ...loss })).record(++sequence, 1, 0, ms * 1000, 100, NaN);
    },
    text() {
      for (const one of news(1000)) metrics.take(one);
      for (const _ of metrics.refresh());
      return [...metrics.write("prometheus")].join("");
    },
  };
}

const valueOf = (text: string, line: string): number => {
  const found = text.split("\n").find((one) => one.startsWith(`${line} `));
  assert.ok(found, `${line} is missing in\n${text}`);
  return Number(found.slice(line.length));
};

test("a histogram counts what is at most each bound, and all of it", () => {
  const world = createWorld();
  for (const ms of [0.02, 3, 3, 40, 700, 20_000]) world.record("a", ms);
  const text = world.text();
  const bucket = (le: string) =>
    valueOf(text, `performance_delay_seconds_bucket{from="a",to="b",route="r",le="${le}"}`);
  assert.deepEqual(
    ["0.00005", "0.0025", "0.005", "0.05", "0.5", "0.75", "10.0", "+Inf"].map(bucket),
    [1, 1, 3, 4, 4, 5, 5, 6],
  );
  assert.equal(valueOf(text, 'performance_delay_seconds_count{from="a",to="b",route="r"}'), 6);
  const sum = valueOf(text, 'performance_delay_seconds_sum{from="a",to="b",route="r"}');
  assert.ok(Math.abs(sum - 20.74602) < 1e-9, `${sum}`);
});

test("counters never fall: not by a loss that is taken back, nor by a delay below zero", () => {
  const world = createWorld();
  const lost = 'performance_lost_up_total{from="a",to="b",route="r"}';
  const sum = 'performance_delay_seconds_sum{from="a",to="b",route="r"}';
  world.loss.lost = world.loss.up = 5;
  world.record("a", 10);
  assert.equal(valueOf(world.text(), lost), 5);
  world.loss.lost = world.loss.up = 3;
  world.record("a", -4);
  const text = world.text();
  assert.equal(valueOf(text, sum), 0.01);
});

test("keys beyond a thousand are added up as other, and keep their place", () => {
  const world = createWorld();
  for (let i = 0; i < 1200; i++) world.record(`a${i}`, 1);
  const text = world.text();
  const messages = text.split("\n").filter((line) =>
    line.startsWith("performance_messages_total{")
  );
  assert.equal(messages.length, 1001);
  const other = '{from="other",to="other",route="other"}';
  assert.equal(valueOf(text, `performance_messages_total${other}`), 200);
  assert.equal(valueOf(text, `performance_delay_seconds_count${other}`), 200);
  world.record("a1100", 1);
  world.record("a5", 1);
  const later = world.text();
  assert.equal(valueOf(later, `performance_messages_total${other}`), 201);
  assert.equal(valueOf(later, 'performance_messages_total{from="a5",to="b",route="r"}'), 2);
});
