/**
 * Simulated worlds in which no clock steps. `CLOCK_WORLDS` sets how many of each kind are run,
 * `CLOCK_WORLDS_SEED` where their seeds begin; the figures are printed as diagnostics.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { RELATIVE_RATE_LIMIT } from "./clock-window.ts";
import { anyConnection, figures, percentile } from "./simulation/clock-suite.ts";
import { type ClockHop, createClockWorld } from "./simulation/clock-world.ts";
import { createRandom } from "./simulation/random.ts";

const WORLDS = Number(process.env["CLOCK_WORLDS"] ?? 150);
const FIRST_SEED = Number(process.env["CLOCK_WORLDS_SEED"] ?? 1);

/** Readings are rounded to 0.03 µs, and a figure is made of four. */
const ROUNDING_US = 0.15;

function seeds(): number[] {
  return Array.from({ length: WORLDS }, (_, index) => FIRST_SEED + index);
}
test("the bound holds in every sample, whatever the routes, for clocks within 500 ppm", (t) => {
  const errorsUs: number[] = [];
  let greatestShare = 0;
  for (const seed of seeds()) {
    const random = createRandom(seed);
    // A third of the worlds are at the limit of the assumption.
    const ppm = random.chance(0.3) ? 249.8 : random.between(0, 150);
    const sim = createClockWorld({
      seed,
      client: { offsetUs: random.between(-10e6, 10e6), driftPpm: random.chance(0.5) ? ppm : -ppm },
      server: { offsetUs: 0, driftPpm: random.chance(0.5) ? ppm : -ppm },
      connections: Array.from(
        { length: 1 + Math.floor(random.between(0, 3)) },
        () => anyConnection(random),
      ),
    });
    const sample = () => {
      for (const side of [sim.client, sim.server]) {
        const { offsetUs, errorUs, method } = side.estimator.estimateAt(side.clock.nowUs());
        if (side.exchanges === 0) {
          assert.deepEqual([method, errorUs], ["none", Number.NaN]);
          continue;
        }
        const wrongUs = Math.abs(offsetUs - side.trueOffsetUs());
        assert.equal(method, "estimate");
        assert.ok(wrongUs <= errorUs, `seed ${seed}: ${wrongUs} µs wrong, bound ${errorUs} µs`);
        greatestShare = Math.max(greatestShare, wrongUs / errorUs);
        errorsUs.push(wrongUs);
      }
      if (random.chance(0.01)) {
        // The drift changes as temperature does, within the assumption.
        sim.client.clock.setDriftPpm(random.between(-200, 200));
      }
      sim.world.after(random.exponential(100e3), sample);
    };
    sim.world.after(0, sample);
    sim.world.run(60e6);
    assert.deepEqual([sim.client.events, sim.server.events], [[], []], `seed ${seed}`);
    assert.ok(sim.server.exchanges > 10, `seed ${seed}: ${sim.server.exchanges} exchanges`);
  }
  t.diagnostic(`${errorsUs.length} samples in ${WORLDS} worlds: ${figures(errorsUs)} µs wrong`);
  t.diagnostic(`greatest |error| / bound: ${greatestShare.toFixed(3)}`);
});

test("on symmetric routes the estimate is close, long before the bound is", (t) => {
  const p95sUs: number[] = [];
  const jitterShares: number[] = [];
  for (const seed of seeds()) {
    const random = createRandom(seed);
    const way = {
      delayUs: random.between(200, 50e3),
      jitterUs: random.between(5, 500),
      delivery: "stream",
    } as const;
    const sim = createClockWorld({
      seed,
      client: { offsetUs: 5e6, driftPpm: random.between(-100, 100) },
      server: { offsetUs: 0, driftPpm: random.between(-20, 20) },
      connections: [{ up: way, down: way }],
    });
    const errorsUs: number[] = [];
    for (let trueUs = 10e6; trueUs < 60e6; trueUs += 50e3) {
      sim.world.at(trueUs, () => {
        const { offsetUs } = sim.client.estimator.estimateAt(sim.client.clock.nowUs());
        errorsUs.push(Math.abs(offsetUs - sim.client.trueOffsetUs()));
      });
    }
    sim.world.run(60e6);
    const p95Us = percentile(errorsUs, 0.95);
    p95sUs.push(p95Us);
    jitterShares.push(p95Us / way.jitterUs);
  }
  t.diagnostic(`p95 of a world after 10 s: ${figures(p95sUs)} µs`);
  t.diagnostic(
    `the same / mean queueing of a way: p95 ${percentile(jitterShares, 0.95).toFixed(2)}`,
  );
  assert.ok(percentile(jitterShares, 0.5) <= 0.3, `${percentile(jitterShares, 0.5)}`);
  assert.ok(percentile(jitterShares, 0.95) <= 0.7, `${percentile(jitterShares, 0.95)}`);
});

test("on a loopback with its wall clock 5 s off and drifting 50 ppm, p95 is within 50 µs", (t) => {
  const errorsUs: number[] = [];
  for (const seed of seeds()) {
    const way = { delayUs: 25, jitterUs: 15, delivery: "stream" } as const;
    const sim = createClockWorld({
      seed,
      client: { offsetUs: 5e6, driftPpm: 50 },
      server: { offsetUs: 0, driftPpm: 0 },
      connections: [{ up: way, down: way }],
    });
    let bursting = true;
    for (let trueUs = 20e3; trueUs < 20e6; trueUs += 50e3) {
      sim.world.at(trueUs, () => {
        bursting &&= sim.server.estimator.wantsBurst;
        const { offsetUs, errorUs } = sim.server.estimator.estimateAt(sim.server.clock.nowUs());
        const wrongUs = Math.abs(offsetUs - sim.server.trueOffsetUs());
        assert.ok(wrongUs <= errorUs && errorUs < 500, `${wrongUs} of ${errorUs}`);
        errorsUs.push(wrongUs);
      });
    }
    sim.world.run(20e6);
    assert.equal(bursting, false, "the burst is over after 20 ms");
  }
  t.diagnostic(`${figures(errorsUs)} µs wrong`);
  assert.ok(percentile(errorsUs, 0.95) <= 50);
});

test("hops and differences of two routes are within their bounds, however asymmetric", (t) => {
  const p95sUs: number[] = [];
  let greatestShare = 0;
  for (const seed of seeds()) {
    const random = createRandom(seed);
    const delivery = "stream";
    const jitterUs = random.between(0, 3000);
    const congestion = { everyUs: 20e6, lastsUs: 2e6, peakUs: random.between(0, 30e3) };
    const sim = createClockWorld({
      seed,
      client: { offsetUs: -3e6, driftPpm: random.chance(0.5) ? 100 : -100 },
      server: { offsetUs: 0, driftPpm: random.chance(0.5) ? 100 : -100 },
      connections: [
        {
          up: { delayUs: random.between(1e3, 150e3), jitterUs, congestion, delivery },
          down: { delayUs: random.between(1e3, 150e3), jitterUs, delivery },
        },
        { up: { delayUs: 20e3, jitterUs, delivery }, down: { delayUs: 20e3, delivery } },
      ],
    });
    const waiting = new Map<number, ClockHop>();
    const errorsUs: number[] = [];
    const arrived = (hop: ClockHop) => {
      const msErrorUs = Math.abs(hop.correctedUs - hop.trueUs);
      // The delay is measured by a clock whose rate is off as well.
      const boundUs = hop.errorUs + RELATIVE_RATE_LIMIT * hop.trueUs;
      assert.ok(msErrorUs <= boundUs, `seed ${seed}: hop ${msErrorUs} wrong, bound ${boundUs}`);
      const other = waiting.get(hop.slot);
      if (!other) {
        waiting.set(hop.slot, hop);
        return;
      }
      waiting.delete(hop.slot);
      const wrongUs = Math.abs(hop.rawUs - other.rawUs - (hop.trueUs - other.trueUs));
      const gapBoundUs = RELATIVE_RATE_LIMIT * Math.abs(hop.receivedUs - other.receivedUs);
      assert.ok(wrongUs <= gapBoundUs + ROUNDING_US, `seed ${seed}: ${wrongUs} of ${gapBoundUs}`);
      greatestShare = Math.max(greatestShare, wrongUs / (gapBoundUs + ROUNDING_US));
      errorsUs.push(wrongUs);
    };
    for (let slot = 0; slot < 500; slot++) {
      sim.world.at(2e6 + slot * 100e3, () => sim.sendSlot(slot, arrived));
    }
    sim.world.run(60e6);
    assert.equal(errorsUs.length, 500);
    p95sUs.push(percentile(errorsUs, 0.95));
  }
  t.diagnostic(`difference, p95 of a world: ${figures(p95sUs)} µs; share ${greatestShare}`);
  assert.ok(percentile(p95sUs, 1) <= 20, figures(p95sUs));
});

test("a route that becomes longer for good moves no figure outside of its bound", () => {
  for (const seed of seeds().slice(0, 30)) {
    const random = createRandom(seed);
    const sim = createClockWorld({
      seed,
      client: { offsetUs: 2e6, driftPpm: random.between(-200, 200) },
      server: { offsetUs: 0, driftPpm: random.between(-200, 200) },
      connections: [anyConnection(random), anyConnection(random)],
    });
    sim.world.at(30e6, () => sim.changeConnection(0, { delayUs: 180e3 }, {}));
    sim.world.at(200e6, () => sim.changeConnection(1, {}, { delayUs: 150e3 }));
    for (let trueUs = 5e6; trueUs < 1000e6; trueUs += 1e6) {
      sim.world.at(trueUs, () => {
        const { offsetUs, errorUs } = sim.server.estimator.estimateAt(sim.server.clock.nowUs());
        const wrongUs = Math.abs(offsetUs - sim.server.trueOffsetUs());
        assert.ok(wrongUs <= errorUs, `seed ${seed}: ${wrongUs} µs wrong, bound ${errorUs} µs`);
      });
    }
    sim.world.run(1000e6);
    assert.deepEqual(sim.server.events, []);
  }
});
