import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeTime, withFakeTime } from "./fake-time.ts";
import { createTicker } from "./ticker.ts";

/** A ticker whose ticks are noted, ms after its start; each asks for what `next` returns. */
function createNoted(time: FakeTime, next: () => number) {
  const startUs = time.nowUs();
  const ticksMs: number[] = [];
  const ticker = createTicker(time.nowUs, () => {
    ticksMs.push(Math.round((time.nowUs() - startUs) / 1000));
    return next();
  });
  return { startUs, ticksMs, ticker };
}

test("a ticker calls when it was last told to, by what each call returns", () =>
  withFakeTime((time) => {
    const { startUs, ticksMs, ticker } = createNoted(time, () => time.nowUs() + 100_000);
    ticker.wake(startUs + 10_000);
    time.advance(350_000);
    assert.deepEqual(ticksMs, [10, 110, 210, 310]);
  }));

test("a wake that comes sooner than what is planned takes its place, a later one does not", () =>
  withFakeTime((time) => {
    const { startUs, ticksMs, ticker } = createNoted(time, () => Infinity);
    ticker.wake(startUs + 50_000);
    ticker.wake(startUs + 20_000);
    ticker.wake(startUs + 80_000);
    time.advance(1_000_000);
    assert.deepEqual(ticksMs, [20]);
  }));

test("a wake during a tick counts beside what the tick returns", () =>
  withFakeTime((time) => {
    let isFirst = true;
    const { startUs, ticksMs, ticker } = createNoted(time, () => {
      if (!isFirst) return Infinity;
      isFirst = false;
      ticker.wake(startUs + 30_000);
      return startUs + 90_000;
    });
    ticker.wake(startUs + 10_000);
    time.advance(1_000_000);
    assert.deepEqual(ticksMs, [10, 30]);
  }));

test("a ticker that is overdue calls at once, and one with nothing due rests", () =>
  withFakeTime((time) => {
    const { startUs, ticksMs, ticker } = createNoted(time, () => Infinity);
    ticker.wake(startUs - 1e6);
    time.advance(2000);
    assert.deepEqual(ticksMs, [1]);
    assert.equal(time.waiting, 0);
  }));

test("a stopped ticker calls no more, also when it is stopped by its own tick", () =>
  withFakeTime((time) => {
    const outside = createNoted(time, () => Infinity);
    outside.ticker.wake(outside.startUs + 10_000);
    outside.ticker.stop();
    const inside = createNoted(time, () => {
      inside.ticker.stop();
      return time.nowUs() + 1000;
    });
    inside.ticker.wake(inside.startUs + 10_000);
    time.advance(1_000_000);
    outside.ticker.wake(time.nowUs());
    time.advance(1_000_000);
    assert.deepEqual(outside.ticksMs, []);
    assert.deepEqual(inside.ticksMs, [10]);
  }));
