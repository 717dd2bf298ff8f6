import assert from "node:assert/strict";
import { test } from "node:test";
import { readClockFrame, writeClockFrame } from "../relay/clock-frame.ts";
import { createProcessPairs } from "../relay/process-pairs.ts";
import { createClockExchange } from "./clock-exchange.ts";

const RTT_US = 1000;
const unknownHost = { boundUs: NaN, anchorErrorUs: 0, wallShiftUs: 0 };

/** An exchange with a relay that answers at once and wants `soonestMs` between exchanges. */
function exchangeWith(soonestMs: number) {
  const pair = createProcessPairs("estimate").take(new Uint8Array(16));
  const asked: number[] = [];
  let nowUs = 0;
  const exchange = createClockExchange({
    pair,
    connection: 1,
    startUs: nowUs,
    nowUs: () => nowUs,
    random: () => 0.5,
    hostClock: () => unknownHost,
    send(frame) {
      const clock = readClockFrame(frame);
      if (clock.phase !== 1) return;
      asked.push(nowUs);
      const t2Us = nowUs + RTT_US / 2;
      const answer = { ...clock, phase: 2 as const, soonestMs, t2Us, t3Us: t2Us };
      answers.push(writeClockFrame(answer));
    },
    rtt: () => {},
    noticed: () => {},
  });
  const answers: Uint8Array[] = [];
  return {
    exchange,
    asked,
    /** Lets time pass from event to event until `isOver`. */
    run(isOver: () => boolean) {
      while (!isOver()) {
        nowUs = Math.max(nowUs, exchange.dueUs);
        exchange.poll(nowUs);
        nowUs += RTT_US;
        for (const answer of answers.splice(0)) exchange.answered(answer, nowUs);
      }
      return nowUs;
    },
  };
}

test("a crowded relay's wish for fewer exchanges does not delay the first burst", () => {
  const { exchange, run } = exchangeWith(1000);
  const openUs = run(() => !exchange.bursting);
  assert.ok(openUs < 50_000, `the first burst took ${openUs / 1000} ms`);
});

test("after the first burst exchanges are no more frequent than the relay wants", () => {
  const { exchange, asked, run } = exchangeWith(1000);
  run(() => !exchange.bursting);
  const before = asked.length;
  run(() => asked.length >= before + 4);
  const gaps = asked.slice(before + 1).map((atUs, i) => atUs - asked[before + i]!);
  assert.ok(gaps.every((gapUs) => gapUs >= 990_000), `gaps of ${gaps} µs`);
});

test("an answer to what was not asked, before the session or ahead of it, is refused", () => {
  const { exchange, asked, run } = exchangeWith(1000);
  const endUs = run(() => !exchange.bursting);
  const answer = (t1Us: number) =>
    writeClockFrame({
      ...{ phase: 2, exchange: 1, soonestMs: 0, t1Us, t2Us: 0, t3Us: 0, t4Us: 0 },
      ...{ errorUs: NaN, wallShiftUs: 0 },
    });
  for (const t1Us of [asked[0]! - 1, endUs + 1, 1e16]) {
    assert.throws(() => exchange.answered(answer(t1Us), endUs), /what was not asked/);
  }
});
