import assert from "node:assert/strict";
import { test } from "node:test";
import { EPOCH_UNIX_MS } from "../relay/time.ts";
import { createClock } from "./clock.ts";

/** Unix microseconds at which the fake wall clock starts: off any tick. */
const START_UNIX_US = (EPOCH_UNIX_MS + 86_400_000 * 2000) * 1000 + 417.3;

/**
 * Clocks of a machine on which each reading takes `readingUs`. `wallUs` adds to the wall clock, as
 * a function of the monotonic time.
 */
function fakeMachine(readingUs: number, wallUs: (elapsedUs: number) => number = () => 0) {
  let elapsedUs = 12_345.678;
  const wallUnixUs = () => START_UNIX_US + elapsedUs + wallUs(elapsedUs);
  return {
    sources: {
      monotonicMs: () => (elapsedUs += readingUs) / 1000,
      wallMs: () => {
        elapsedUs += readingUs;
        return Math.floor(wallUnixUs() / 1000);
      },
    },
    elapsedUs: () => elapsedUs,
    wait: (us: number) => (elapsedUs += us),
    /** The wall clock, exactly, in µs since 2020. */
    exactWallUs: () => wallUnixUs() - EPOCH_UNIX_MS * 1000,
  };
}

test("the anchor is within its error of a wall clock that shows whole milliseconds", () => {
  for (const readingUs of [0.035, 0.07, 0.4, 3]) {
    const machine = fakeMachine(readingUs);
    const clock = createClock(machine.sources);
    const offUs = Math.abs(clock.nowUs() - machine.exactWallUs());
    assert.ok(
      offUs <= clock.anchorErrorUs + 0.1,
      `${offUs} µs off, ${clock.anchorErrorUs} claimed`,
    );
    assert.ok(clock.anchorErrorUs <= 3 * readingUs, `${clock.anchorErrorUs} at ${readingUs}`);
  }
});

test("anchoring ends on a machine too slow for the bracket, and says what it has", () => {
  const machine = fakeMachine(400);
  const startUs = machine.elapsedUs();
  const clock = createClock(machine.sources);
  assert.ok(machine.elapsedUs() - startUs < 302_000);
  assert.ok(clock.anchorErrorUs > 1 && clock.anchorErrorUs < 800, `${clock.anchorErrorUs}`);
  assert.ok(Math.abs(clock.nowUs() - machine.exactWallUs()) <= clock.anchorErrorUs + 0.1);
});

test("anchoring does not count the time in which others had the processor", () => {
  const machine = fakeMachine(0.1);
  const { monotonicMs } = machine.sources;
  let readings = 0;
  // Others have it for 9.7 ms of each 9.9: the first tick that is seen is one after 70 ms.
  const clock = createClock({
    ...machine.sources,
    monotonicMs() {
      if (++readings % 1000 === 0) machine.wait(9_700);
      return monotonicMs();
    },
  });
  assert.ok(clock.anchorErrorUs < 0.5, `${clock.anchorErrorUs}`);
});

test("a step of the wall clock while anchoring does not spoil the anchor", () => {
  const machine = fakeMachine(0.05, (elapsedUs) => elapsedUs > 12_800 ? 5_000_123 : 0);
  const clock = createClock(machine.sources);
  const offUs = Math.abs(clock.nowUs() - machine.exactWallUs());
  assert.ok(offUs <= clock.anchorErrorUs + 0.1, `${offUs} µs off`);
});

test("the hop clock goes on through a step of the wall clock", () => {
  let stepUs = 0;
  const machine = fakeMachine(0.05, () => stepUs);
  const clock = createClock(machine.sources);
  const beforeUs = clock.nowUs();
  stepUs = -3_600e6;
  machine.wait(1000);
  const passedUs = clock.nowUs() - beforeUs;
  assert.ok(Math.abs(passedUs - 1000) < 0.2, `${passedUs}`);
});

test("no shift is reported, and none but the anchor's error claimed, while the wall clock stands", () => {
  const machine = fakeMachine(0.05);
  const clock = createClock(machine.sources);
  for (let sample = 0; sample < 5000; sample++) {
    machine.wait(997.3);
    assert.equal(clock.wallShiftUs(), 0);
  }
  assert.ok(clock.wallShiftErrorUs() <= clock.anchorErrorUs);
});

test("a step of the wall clock is reported at once, and ever more sharply", () => {
  for (const stepUs of [5e6, -3e6, 1500, -1200]) {
    let shiftUs = 0;
    const machine = fakeMachine(0.05, () => shiftUs);
    const clock = createClock(machine.sources);
    machine.wait(1e6);
    shiftUs = stepUs;
    for (let sample = 0; sample < 300; sample++) {
      machine.wait(100_037.1);
      const reportedUs = clock.wallShiftUs();
      const offUs = Math.abs(reportedUs - stepUs);
      assert.ok(offUs <= clock.wallShiftErrorUs() + 0.3, `${reportedUs} for ${stepUs}`);
    }
    assert.ok(clock.wallShiftErrorUs() < 30, `${clock.wallShiftErrorUs()}`);
  }
});

test("a wall clock slewed at 400 ppm is followed within the error that is claimed", () => {
  const machine = fakeMachine(0.05, (elapsedUs) => Math.max(0, elapsedUs - 1e6) * 400e-6);
  const clock = createClock(machine.sources);
  for (let sample = 0; sample < 3000; sample++) {
    machine.wait(100_037.1);
    const reportedUs = clock.wallShiftUs();
    if (sample < 100) continue; // Until it moved twice, a slew looks like a step.
    const trueUs = machine.exactWallUs() - clock.nowUs();
    const claimedUs = clock.wallShiftErrorUs();
    assert.ok(Math.abs(reportedUs - trueUs) <= claimedUs + 0.3, `${reportedUs} for ${trueUs}`);
    assert.ok(claimedUs <= 600, `${claimedUs}`);
  }
});

test("the real clock never goes back and is anchored to the real wall clock", () => {
  const clock = createClock();
  let lastUs = clock.nowUs();
  for (let reading = 0; reading < 10_000; reading++) {
    const nowUs = clock.nowUs();
    assert.ok(nowUs >= lastUs);
    lastUs = nowUs;
  }
  assert.ok(clock.anchorErrorUs > 0 && clock.anchorErrorUs <= 500, `${clock.anchorErrorUs}`);
  assert.ok(Math.abs(clock.wallShiftUs()) < 60e6);
});
