import assert from "node:assert/strict";
import { test } from "node:test";
import { createClockSchedule } from "./clock-schedule.ts";
import { createRandom } from "./simulation/random.ts";

const BEGIN_US = 170_000_000e6;

/** A schedule whose requests come back after `rttUs`, but for those that `isLost`. */
function runSchedule(
  { rttUs, forUs, soonestUs = 0, isLost = () => false }: {
    rttUs: number;
    forUs: number;
    soonestUs?: number;
    isLost?: (request: number) => boolean;
  },
) {
  const schedule = createClockSchedule(BEGIN_US, createRandom(1).next);
  const sentUs: number[] = [];
  let burstEndUs = Number.NaN;
  let answerUs = Infinity;
  for (let nowUs = BEGIN_US; nowUs < BEGIN_US + forUs;) {
    if (answerUs <= nowUs) {
      schedule.answered(nowUs, rttUs, soonestUs);
      answerUs = Infinity;
    }
    if (schedule.poll(nowUs)) {
      if (!isLost(sentUs.length)) answerUs = nowUs + rttUs;
      sentUs.push(nowUs - BEGIN_US);
    }
    if (!schedule.bursting && Number.isNaN(burstEndUs)) burstEndUs = nowUs - BEGIN_US;
    assert.ok(schedule.dueUs > nowUs, "always waits for something in the future");
    nowUs = Math.min(schedule.dueUs, answerUs);
  }
  const steady = sentUs.filter((us) => us > burstEndUs);
  const gaps = steady.slice(1).map((us, index) => us - steady[index]!);
  return { schedule, sentUs, burstEndUs, gaps };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("a burst of eight goes out first, each as soon as the one before has returned", () => {
  const { sentUs, burstEndUs } = runSchedule({ rttUs: 5000, forUs: 1e6 });
  assert.deepEqual(sentUs.slice(0, 8), [0, 1, 2, 3, 4, 5, 6, 7].map((index) => index * 5000));
  assert.equal(burstEndUs, 40_000);
});

test("steady exchanges follow in threes every ten round trips, 100 ms to 2 s, never in step", () => {
  for (const [rttUs, expectedUs] of [[50, 100e3], [30e3, 300e3], [400e3, 2e6]] as const) {
    const { gaps: all } = runSchedule({ rttUs, forUs: 300e6 });
    const firstLong = all.findIndex((gapUs) => gapUs > 2 * rttUs);
    const gaps = all.slice(firstLong).filter((_, index) => index % 3 === 0);
    const within = all.slice(firstLong).filter((_, index) => index % 3 !== 0);
    // To the f64's step.
    assert.ok(within.every((gapUs) => Math.abs(gapUs - rttUs) < 0.1), `at ${rttUs}`);
    const gapUs = mean(gaps) - rttUs;
    assert.ok(Math.abs(gapUs / expectedUs - 1) < 0.03, `${gapUs} at ${rttUs}`);
    assert.ok(Math.max(...gaps) - Math.min(...gaps) > 0.1 * expectedUs);
    assert.ok(Math.max(...gaps) - rttUs <= 1.1 * expectedUs);
  }
});

test("a lost exchange ends its group", () => {
  const rttUs = 1000;
  const { sentUs } = runSchedule({ rttUs, forUs: 20e6, isLost: (request) => request === 9 });
  assert.equal(sentUs[9]! - sentUs[8]!, rttUs);
  assert.ok(sentUs[10]! - sentUs[9]! > 250e3);
  assert.deepEqual([sentUs[11]! - sentUs[10]!, sentUs[12]! - sentUs[11]!], [rttUs, rttUs]);
});

test("the peer can ask for fewer, in a burst too", () => {
  const { sentUs, gaps } = runSchedule({ rttUs: 1000, soonestUs: 1.5e6, forUs: 100e6 });
  assert.ok(sentUs.slice(2).every((us, index) => us - sentUs[index + 1]! >= 1.5e6));
  assert.ok(gaps.length > 0 && Math.max(...gaps) < 1.6e6);
});

test("a lost exchange is given up, counted, and the next one goes out", () => {
  const isLost = (request: number) => request === 2 || request === 20;
  const { schedule, sentUs } = runSchedule({ rttUs: 1000, forUs: 20e6, isLost });
  assert.equal(schedule.lost, 2);
  assert.equal(sentUs[3]! - sentUs[2]!, 200e3);
  assert.ok(sentUs[21]! - sentUs[20]! < 400e3);
});

test("a burst that nobody answers is over in a few seconds, and asking goes on", () => {
  const { schedule, sentUs, burstEndUs } = runSchedule({
    rttUs: 1000,
    forUs: 60e6,
    isLost: () => true,
  });
  assert.ok(burstEndUs <= 5e6, `${burstEndUs}`);
  assert.ok(schedule.lost > 10 && sentUs.length - schedule.lost <= 1);
});

test("a burst can be asked for again, while an answer is awaited too", () => {
  for (const awaited of [false, true]) {
    const { schedule } = runSchedule({ rttUs: 1000, forUs: 10e6 });
    let nowUs = awaited ? schedule.dueUs : BEGIN_US + 10e6;
    if (awaited) assert.equal(schedule.poll(nowUs), true);
    assert.equal(schedule.bursting, false);
    schedule.burst(nowUs);
    assert.equal(schedule.poll(nowUs), !awaited, "one request at a time");
    let answers = 0;
    while (schedule.bursting) {
      nowUs += 1000;
      schedule.answered(nowUs, 1000, 0);
      answers++;
      assert.equal(schedule.poll(nowUs), answers < 8, "the next one goes out at once");
    }
    assert.equal(answers, 8);
  }
});
