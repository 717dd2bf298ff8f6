import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BURST_EXCHANGES,
  type ClockEstimator,
  type ClockEvent,
  createClockEstimator,
} from "./clock-estimator.ts";
import { systemInterval } from "./clock-system-interval.ts";
import type { ClockExchange } from "./clock-window.ts";

const BEGIN_US = 170_000_000e6;

/** An exchange that the local end began at `atUs`, with the peer's clock ahead by `offsetUs`. */
function asked(atUs: number, offsetUs: number, upUs = 100, downUs = 100): ClockExchange {
  return {
    localSentUs: atUs,
    peerReceivedUs: atUs + upUs + offsetUs,
    peerSentUs: atUs + upUs + offsetUs,
    localReceivedUs: atUs + upUs + downUs,
  };
}

/** An exchange that the peer began at the local time `atUs`. */
function answered(atUs: number, offsetUs: number, upUs = 100, downUs = 100): ClockExchange {
  return {
    peerSentUs: atUs + offsetUs,
    localReceivedUs: atUs + upUs,
    localSentUs: atUs + upUs,
    peerReceivedUs: atUs + upUs + downUs + offsetUs,
  };
}

/** Exchanges of so long a time that a step before them counts as over; returns its end. */
function settle(
  estimator: ClockEstimator,
  exchangeAt: (atUs: number) => ClockExchange,
  fromUs: number,
): number {
  for (let index = 0; index <= BURST_EXCHANGES; index++) {
    const atUs = fromUs + (index * 1.1e6) / BURST_EXCHANGES;
    assert.ok(Number.isNaN(estimator.estimateAt(atUs).errorUs));
    assert.equal(estimator.addExchange(exchangeAt(atUs), 0, atUs + 200), undefined);
  }
  return fromUs + 1.1e6 + 200;
}

/** An interval of ±`halfUs` around `middleUs`, as two hosts would tell it. */
function systemAround(middleUs: number, halfUs: number) {
  const half = { boundUs: halfUs / 2 - 1, anchorErrorUs: 1 };
  return systemInterval({ ...half, wallShiftUs: middleUs }, { ...half, wallShiftUs: 0 });
}

test("before any exchange nothing is corrected and the bound is unknown", () => {
  const estimator = createClockEstimator("auto");
  estimator.setSystemInterval(systemAround(0, 100), BEGIN_US);
  assert.deepEqual(estimator.estimateAt(BEGIN_US), {
    offsetUs: 0,
    errorUs: Number.NaN,
    method: "none",
  });
  assert.equal(estimator.wantsBurst, true);
});

test("either end estimates the offset, with half the round trip as bound", () => {
  for (const exchange of [asked, answered]) {
    const estimator = createClockEstimator("estimate");
    estimator.addExchange(exchange(BEGIN_US, 5_000_000), 0, BEGIN_US + 200);
    const { offsetUs, errorUs, method } = estimator.estimateAt(BEGIN_US + 200);
    assert.equal(method, "estimate");
    assert.ok(Math.abs(offsetUs - 5_000_000) < 0.1, `${offsetUs}`);
    assert.ok(errorUs >= 100 && errorUs < 101, `${errorUs}`);
  }
});

test("offset and drift are predicted between exchanges", () => {
  const estimator = createClockEstimator("estimate");
  const offsetAt = (atUs: number) => 2e6 + 80e-6 * (atUs - BEGIN_US);
  for (let atUs = BEGIN_US; atUs <= BEGIN_US + 30e6; atUs += 1e6) {
    estimator.addExchange(asked(atUs, offsetAt(atUs)), 0, atUs + 200);
  }
  const laterUs = BEGIN_US + 32e6;
  const { offsetUs, errorUs } = estimator.estimateAt(laterUs);
  assert.ok(Math.abs(offsetUs - offsetAt(laterUs)) < 2, `${offsetUs - offsetAt(laterUs)}`);
  assert.ok(errorUs > 900 && errorUs < 1300, `${errorUs}`);
});

test("a burst's jitter makes no drift", () => {
  const estimator = createClockEstimator("estimate");
  for (let index = 0; index < 8; index++) {
    // Across the end of a second, so that there are two points for a line.
    const atUs = BEGIN_US - 1300 + index * 300;
    estimator.addExchange(asked(atUs, 0, 100 + index * 5, 100), 0, atUs + 300);
  }
  const { offsetUs } = estimator.estimateAt(BEGIN_US + 1e6);
  assert.ok(Math.abs(offsetUs) < 50, `${offsetUs}`);
  assert.equal(BURST_EXCHANGES, 8);
  assert.equal(estimator.wantsBurst, false);
});

test("the connection with the shorter round trip predicts, all of them bound", () => {
  const estimator = createClockEstimator("estimate");
  let atUs = BEGIN_US;
  for (let index = 0; index < 20; index++, atUs += 1e6) {
    estimator.addExchange(asked(atUs, 0, 10_000, 60_000), 7, atUs + 70_000);
    estimator.addExchange(asked(atUs + 1e5, 0, 20_000, 20_000), 9, atUs + 140_000);
  }
  atUs -= 1e6 - 140_000;
  const { offsetUs, errorUs } = estimator.estimateAt(atUs);
  assert.ok(Math.abs(offsetUs) < 1, `${offsetUs}`);
  // Above the estimate the direct way bounds by its 10 ms, below the accelerated one by its 20 ms.
  assert.ok(errorUs > 19_999 && errorUs < 20_100, `${errorUs}`);
});

test("a connection hardly shorter than the predicting one does not take over", () => {
  const estimator = createClockEstimator("estimate");
  estimator.addExchange(asked(BEGIN_US, 0, 20_000, 20_000), 1, BEGIN_US + 40_000);
  estimator.addExchange(asked(BEGIN_US + 1e5, 0, 30_000, 9000), 2, BEGIN_US + 139_000);
  assert.ok(Math.abs(estimator.estimateAt(BEGIN_US + 139_000).offsetUs) < 1);
  estimator.addExchange(asked(BEGIN_US + 2e5, 0, 10_000, 5000), 3, BEGIN_US + 215_000);
  assert.ok(estimator.estimateAt(BEGIN_US + 215_000).offsetUs > 2000);
});

test("a connection that fell silent leaves the prediction to another", () => {
  const estimator = createClockEstimator("estimate");
  estimator.addExchange(asked(BEGIN_US, 0, 1000, 1000), 1, BEGIN_US + 2000);
  let atUs = BEGIN_US;
  for (let index = 0; index < 30; index++) {
    atUs += 1e6;
    estimator.addExchange(asked(atUs, 300 * index, 1500, 1500), 2, atUs + 3000);
  }
  const { offsetUs } = estimator.estimateAt(atUs + 3000);
  assert.ok(Math.abs(offsetUs - 300 * 29) < 300, `${offsetUs}`);
});

test("many connections stay within the memory of four, and the shortest still predicts", () => {
  const estimator = createClockEstimator("estimate");
  for (let connection = 0; connection < 40; connection++) {
    const atUs = BEGIN_US + connection * 1e5;
    const downUs = connection === 33 ? 500 : 9000 + connection;
    estimator.addExchange(asked(atUs, 0, 500, downUs), connection, atUs + 500 + downUs);
  }
  assert.ok(Math.abs(estimator.estimateAt(BEGIN_US + 4e6).offsetUs) < 1);
});

test("a contradiction drops the window, tells so once, and leaves all unknown until it is over", () => {
  const stepUs = 5e6;
  for (const exchange of [asked, answered]) {
    const estimator = createClockEstimator("auto");
    let atUs = BEGIN_US;
    for (let index = 0; index < 10; index++, atUs += 1e5) {
      assert.equal(estimator.addExchange(exchange(atUs, 1000), 0, atUs + 200), undefined);
    }
    const event = estimator.addExchange(exchange(atUs, 1000 + stepUs), 0, atUs + 200);
    assert.equal(event?.kind, "stepped");
    assert.ok(event.kind === "stepped" && Math.abs(event.byUs - stepUs) < 1000, `${event.byUs}`);
    assert.equal(estimator.wantsBurst, true);
    const between = { ...estimator.estimateAt(atUs + 200) };
    assert.ok(Math.abs(between.offsetUs - 1000) < 1, "the last estimate stays");
    assert.deepEqual([between.errorUs, between.method], [Number.NaN, "estimate"]);

    // One that began before the step was noticed proves nothing.
    const straddling = exchange(atUs + 50, 1000, 100, 1000);
    assert.equal(estimator.addExchange(straddling, 0, atUs + 1150), undefined);
    assert.ok(Number.isNaN(estimator.estimateAt(atUs + 1150).errorUs));

    const settled = settle(estimator, (us) => exchange(us, 1000 + stepUs), atUs + 2000);
    const after = estimator.estimateAt(settled);
    assert.ok(Math.abs(after.offsetUs - stepUs - 1000) < 1, `${after.offsetUs}`);
    assert.ok(after.errorUs < 101);
  }
});

test("steps in a row leave the last estimate that was known", () => {
  const estimator = createClockEstimator("estimate");
  estimator.addExchange(asked(BEGIN_US, 1000), 0, BEGIN_US + 200);
  let atUs = BEGIN_US + 1e6;
  assert.equal(estimator.addExchange(asked(atUs, 9e6), 0, atUs + 200)?.kind, "stepped");
  // The peer's clock stepped while this one was under way: it contradicts itself.
  atUs += 1000;
  const torn = { ...asked(atUs, 9e6), peerSentUs: atUs + 20e6 };
  assert.equal(estimator.addExchange(torn, 0, atUs + 200), undefined, "told once");
  const { offsetUs, errorUs } = estimator.estimateAt(atUs + 200);
  assert.ok(Math.abs(offsetUs - 1000) < 1, `${offsetUs}`);
  assert.equal(errorUs, Number.NaN);
});

test("the peer's exchanges count again once one begun here has shown where its clock is", () => {
  const estimator = createClockEstimator("estimate");
  estimator.addExchange(asked(BEGIN_US, 0), 0, BEGIN_US + 200);
  const stepAtUs = BEGIN_US + 1e6;
  assert.equal(estimator.addExchange(asked(stepAtUs, 9e6), 0, stepAtUs + 200)?.kind, "stepped");
  estimator.addExchange(answered(stepAtUs + 500, 9e6), 1, stepAtUs + 700);
  assert.ok(Number.isNaN(estimator.estimateAt(stepAtUs + 700).errorUs));
  const settledUs = settle(estimator, (atUs) => asked(atUs, 9e6), stepAtUs + 1000);
  assert.ok(estimator.estimateAt(settledUs).errorUs >= 100);
  estimator.addExchange(answered(settledUs, 9e6, 50, 50), 1, settledUs + 100);
  assert.ok(estimator.estimateAt(settledUs + 100).errorUs < 60);
});

test("a clock that goes on running off is not believed between its contradictions", () => {
  const estimator = createClockEstimator("estimate");
  const slewedUs = (atUs: number) => 0.08 * (atUs - BEGIN_US);
  let told = 0;
  for (let atUs = BEGIN_US; atUs < BEGIN_US + 5e6; atUs += 1e5) {
    if (estimator.addExchange(asked(atUs, slewedUs(atUs)), 0, atUs + 200)) told++;
    const { errorUs } = estimator.estimateAt(atUs + 200);
    assert.ok(Number.isNaN(errorUs) || atUs === BEGIN_US);
  }
  assert.equal(told, 1);
  const endUs = BEGIN_US + 5e6;
  const settledUs = settle(estimator, (atUs) => asked(atUs, 0.4e6), endUs + 1e5);
  const { offsetUs, errorUs } = estimator.estimateAt(settledUs);
  assert.ok(Math.abs(offsetUs - 0.4e6) <= errorUs && errorUs < 200, `${offsetUs} ± ${errorUs}`);
});

test("timestamps that are no numbers are ignored", () => {
  const estimator = createClockEstimator("estimate");
  const exchange = { ...asked(BEGIN_US, 0), peerSentUs: Number.NaN };
  assert.equal(estimator.addExchange(exchange, 0, BEGIN_US + 200), undefined);
  assert.equal(estimator.estimateAt(BEGIN_US + 200).method, "none");
});

test("synchronized system clocks show the asymmetry that exchanges cannot", () => {
  const estimator = createClockEstimator("auto");
  estimator.setSystemInterval(systemAround(0, 500), BEGIN_US);
  estimator.addExchange(asked(BEGIN_US, 0, 10_000, 60_000), 0, BEGIN_US + 70_000);
  const { offsetUs, errorUs, method } = estimator.estimateAt(BEGIN_US + 70_000);
  assert.ok(Math.abs(offsetUs) <= 510 && errorUs <= 1020, `${offsetUs} ± ${errorUs}`);
  assert.equal(method, "estimate");
});

test("without a bound on one side, or news of it for 30 s, only exchanges count", () => {
  const known = { boundUs: 100, anchorErrorUs: 0.2, wallShiftUs: 0 };
  const unknown = { ...known, boundUs: Number.NaN };
  const estimator = createClockEstimator("auto");
  const exchange = asked(BEGIN_US, 0, 10_000, 60_000);
  estimator.addExchange(exchange, 0, BEGIN_US + 70_000);
  for (const interval of [systemInterval(known, unknown), systemInterval(unknown, known)]) {
    estimator.setSystemInterval(interval, BEGIN_US + 70_000);
    assert.ok(estimator.estimateAt(BEGIN_US + 70_000).errorUs > 34_000);
  }
  estimator.setSystemInterval(systemInterval(known, known), BEGIN_US + 70_000);
  assert.ok(estimator.estimateAt(BEGIN_US + 70_000).errorUs < 500);
  assert.ok(estimator.estimateAt(BEGIN_US + 30.08e6).errorUs > 34_000);
});

test("a system interval that exchanges disprove is dropped, told once, and tried after 60 s", () => {
  const estimator = createClockEstimator("auto");
  const events: ClockEvent["kind"][] = [];
  let atUs = BEGIN_US;
  const goOn = (seconds: number, systemUs: number) => {
    for (let second = 0; second < seconds; second++, atUs += 1e6) {
      for (
        const event of [
          estimator.setSystemInterval(systemAround(systemUs, 500), atUs),
          estimator.addExchange(asked(atUs, 0), 0, atUs + 200),
        ]
      ) {
        if (event) events.push(event.kind);
      }
      const { offsetUs, errorUs } = estimator.estimateAt(atUs + 200);
      assert.ok(Math.abs(offsetUs) <= errorUs, `${offsetUs} ± ${errorUs}`);
    }
  };
  goOn(5, 0);
  assert.deepEqual(events, []);
  goOn(150, 40_000);
  assert.deepEqual(events, ["system-dropped"]);
  goOn(100, 0);
  assert.deepEqual(events, ["system-dropped", "system-restored"]);
  goOn(10, -40_000);
  assert.deepEqual(events, ["system-dropped", "system-restored", "system-dropped"]);
});

test("in system mode nothing is corrected, and the bound reaches to the interval's farther end", () => {
  const estimator = createClockEstimator("system");
  assert.deepEqual(estimator.estimateAt(BEGIN_US), {
    offsetUs: 0,
    errorUs: Number.NaN,
    method: "system",
  });
  estimator.addExchange(asked(BEGIN_US, 5e6), 0, BEGIN_US + 200);
  const local = { boundUs: 300, anchorErrorUs: 1, wallShiftUs: 2000 };
  const peer = { boundUs: 100, anchorErrorUs: 2, wallShiftUs: -500 };
  estimator.setSystemInterval(systemInterval(local, peer), BEGIN_US + 200);
  const { offsetUs, errorUs, method } = estimator.estimateAt(BEGIN_US + 200);
  assert.deepEqual([offsetUs, errorUs, method], [0, 2500 + 403, "system"]);
  assert.equal(estimator.wantsBurst, false);
});
