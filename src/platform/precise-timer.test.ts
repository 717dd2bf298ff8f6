import assert from "node:assert/strict";
import { test } from "node:test";
import { withFakeTime } from "./fake-time.ts";
import { createPreciseTimer } from "./precise-timer.ts";

test("a precise timer calls once, at most one turn of the event loop after its time", () =>
  withFakeTime((time) => {
    const lateUs: number[] = [];
    let dueUs = 0;
    const timer = createPreciseTimer(time.nowUs, () => lateUs.push(time.nowUs() - dueUs));
    for (const aheadUs of [10, 999, 1499, 1501, 1999, 2345.6, 47_111, 3_600_000_000]) {
      dueUs = time.nowUs() + aheadUs;
      timer.at(dueUs);
      time.advance(aheadUs + 5000);
      const late = lateUs.splice(0);
      assert.equal(late.length, 1, `${aheadUs} µs ahead`);
      assert.ok(late[0]! >= 0 && late[0]! <= 20, `${late[0]} µs late, ${aheadUs} µs ahead`);
    }
    assert.equal(time.waiting, 0);
  }));

test("a precise timer never calls before the call that sets it has returned", () =>
  withFakeTime((time) => {
    let depth = 0;
    let calls = 0;
    const timer = createPreciseTimer(time.nowUs, () => {
      assert.equal(depth, 0);
      depth++;
      if (++calls < 10_000) timer.at(time.nowUs() - 1);
      depth--;
    });
    timer.at(time.nowUs());
    assert.equal(calls, 0);
    time.advance(1_000_000);
    assert.equal(calls, 10_000);
  }));

test("a precise timer that is set anew forgets its time before", () =>
  withFakeTime((time) => {
    const calledUs: number[] = [];
    const startUs = time.nowUs();
    const timer = createPreciseTimer(time.nowUs, () => calledUs.push(time.nowUs() - startUs));
    timer.at(startUs + 1000);
    timer.at(startUs + 50_000);
    time.advance(100_000);
    assert.deepEqual(calledUs.map(Math.round), [50_000]);
  }));

test("a precise timer that is cancelled calls no more", () =>
  withFakeTime((time) => {
    const timer = createPreciseTimer(time.nowUs, () => assert.fail("called"));
    for (const aheadUs of [100, 100_000]) {
      timer.at(time.nowUs() + aheadUs);
      timer.cancel();
      assert.equal(time.waiting, 0);
      time.advance(1_000_000);
    }
  }));

test("a precise timer waits longer than the platform's timers can", () =>
  withFakeTime((time) => {
    const fortyDaysUs = 40 * 86_400 * 1e6;
    const startUs = time.nowUs();
    let calledUs = NaN;
    const timer = createPreciseTimer(time.nowUs, () => calledUs = time.nowUs());
    timer.at(startUs + fortyDaysUs);
    time.advance(fortyDaysUs + 1000);
    assert.ok(calledUs - startUs >= fortyDaysUs);
  }));
