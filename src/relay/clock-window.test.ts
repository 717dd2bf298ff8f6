import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ClockExchange,
  createClockWindow,
  middleOffsetUs,
  RELATIVE_RATE_LIMIT,
  roundTripUs,
  WINDOW_US,
} from "./clock-window.ts";
import { createRandom } from "./simulation/random.ts";

const BEGIN_US = 170_000_000e6;

/** An exchange begun at `atUs` by the local end, whose peer's clock is ahead by `offsetUs`. */
function exchangeAt(atUs: number, offsetUs: number, upUs: number, downUs: number): ClockExchange {
  return {
    localSentUs: atUs,
    peerReceivedUs: atUs + upUs + offsetUs,
    peerSentUs: atUs + upUs + 30 + offsetUs,
    localReceivedUs: atUs + upUs + 30 + downUs,
  };
}

/** The same exchange as the peer's end reads it. */
function asAnswered(exchange: ClockExchange): ClockExchange {
  return {
    localSentUs: exchange.peerSentUs,
    peerReceivedUs: exchange.localReceivedUs,
    peerSentUs: exchange.localSentUs,
    localReceivedUs: exchange.peerReceivedUs,
  };
}

test("both ends read the same round trip and opposite offsets from one exchange", () => {
  const exchange = exchangeAt(BEGIN_US, 5000, 100, 300);
  assert.equal(roundTripUs(exchange), 400);
  assert.equal(roundTripUs(asAnswered(exchange)), 400);
  assert.equal(middleOffsetUs(exchange), 4900);
  assert.equal(middleOffsetUs(asAnswered(exchange)), -4900);
});

test("nothing is proven before the first exchange and ten minutes after the last", () => {
  const window = createClockWindow();
  assert.deepEqual([window.lowerAt(BEGIN_US), window.upperAt(BEGIN_US)], [-Infinity, Infinity]);
  window.add(exchangeAt(BEGIN_US, 5000, 100, 300), BEGIN_US + 430);
  assert.ok(window.upperAt(BEGIN_US + WINDOW_US) < Infinity);
  assert.equal(window.upperAt(BEGIN_US + 431 + WINDOW_US), Infinity);
  assert.equal(window.lowerAt(BEGIN_US + 431 + WINDOW_US), -Infinity);
});

test("one exchange proves the offset to its two delays, and 500 ppm of its age more", () => {
  for (const side of ["asked", "answered"]) {
    const asked = exchangeAt(BEGIN_US, 5000, 100, 300);
    const exchange = side === "asked" ? asked : asAnswered(asked);
    const [offsetUs, aboveUs, belowUs] = side === "asked" ? [5000, 100, 300] : [-5000, 300, 100];
    const window = createClockWindow();
    window.add(exchange, BEGIN_US + 10_000);
    const { localSentUs, localReceivedUs } = exchange;
    for (const ageUs of [10_000, 1e6, 100e6]) {
      const upperUs = window.upperAt(localSentUs + ageUs) - offsetUs;
      const lowerUs = window.lowerAt(localReceivedUs + ageUs) - offsetUs;
      assert.ok(Math.abs(upperUs - aboveUs - 500e-6 * ageUs) < 0.5, `${side}: ${upperUs}`);
      assert.ok(Math.abs(lowerUs + belowUs + 500e-6 * ageUs) < 0.5, `${side}: ${lowerUs}`);
    }
  }
});

test("the window is the intersection of its exchanges, within what their spacing costs", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = createRandom(seed);
    const window = createClockWindow();
    const kept: { exchange: ClockExchange; addedUs: number }[] = [];
    const driftPpm = random.between(-480, 480);
    let atUs = BEGIN_US;
    let addedUs = BEGIN_US;
    for (let count = 0; count < 1500; count++) {
      atUs += random.exponential(1e6);
      const offsetUs = driftPpm * 1e-6 * (atUs - BEGIN_US);
      const exchange = exchangeAt(
        atUs,
        offsetUs,
        random.exponential(1e4),
        random.exponential(1e4),
      );
      // Exchanges of several connections overlap; time itself does not go back.
      addedUs = Math.max(addedUs, exchange.localReceivedUs);
      window.add(exchange, addedUs);
      kept.push({ exchange, addedUs });
      const live = kept.filter((entry) => addedUs - entry.addedUs <= WINDOW_US);
      const upperUs = Math.min(
        ...live.map((entry) =>
          entry.exchange.peerReceivedUs - entry.exchange.localSentUs +
          RELATIVE_RATE_LIMIT * (addedUs - entry.exchange.localSentUs)
        ),
      );
      const claimedUs = window.upperAt(addedUs);
      assert.ok(claimedUs >= upperUs, `seed ${seed}: claims more than is proven`);
      // A limit left out was weaker than one kept, until ten seconds before the end of the window.
      const young = live.filter((entry) => addedUs - entry.addedUs <= WINDOW_US - 10e6);
      const sureUs = Math.min(
        ...young.map((entry) =>
          entry.exchange.peerReceivedUs - entry.exchange.localSentUs +
          RELATIVE_RATE_LIMIT * (addedUs - entry.exchange.localSentUs)
        ),
      );
      assert.ok(claimedUs <= sureUs + 0.5, `seed ${seed}: ${claimedUs} but ${sureUs} is proven`);
    }
  }
});

test("before its newest exchange a window claims no more than that exchange and the rates prove", () => {
  const window = createClockWindow();
  window.add(exchangeAt(BEGIN_US, 0, 50, 50), BEGIN_US + 100);
  window.add(exchangeAt(BEGIN_US + 1e6, 0, 50, 50), BEGIN_US + 1e6 + 100);
  for (const agoUs of [1e5, 3e5, 1e6]) {
    const atUs = BEGIN_US + 1e6 - agoUs;
    assert.ok(window.upperAt(atUs) >= 50 + RELATIVE_RATE_LIMIT * agoUs, `${agoUs} µs before`);
    assert.ok(window.lowerAt(atUs) <= -50 - RELATIVE_RATE_LIMIT * agoUs, `${agoUs} µs before`);
  }
});
