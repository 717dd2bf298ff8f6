/**
 * Simulated worlds in which a clock steps or is slewed beyond the assumption. `CLOCK_WORLDS` and
 * `CLOCK_WORLDS_SEED` as in `clock-worlds.test.ts`.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { anyConnection, figures, percentile } from "./simulation/clock-suite.ts";
import { createClockWorld } from "./simulation/clock-world.ts";
import { createRandom } from "./simulation/random.ts";

const WORLDS = Number(process.env["CLOCK_WORLDS"] ?? 150);
const FIRST_SEED = Number(process.env["CLOCK_WORLDS_SEED"] ?? 1);

function seeds(): number[] {
  return Array.from({ length: WORLDS }, (_, index) => FIRST_SEED + index);
}
test("a step is noticed at the next exchanges, then unknown, then right again", (t) => {
  const noticedUs: number[] = [];
  const knownUs: number[] = [];
  let outside = 0;
  for (const seed of seeds()) {
    const random = createRandom(seed);
    const sim = createClockWorld({
      seed,
      client: { offsetUs: random.between(-5e6, 5e6), driftPpm: random.between(-100, 100) },
      server: { offsetUs: 0, driftPpm: random.between(-100, 100) },
      connections: Array.from(
        { length: 1 + Math.floor(random.between(0, 2)) },
        () => anyConnection(random),
      ),
    });
    const { client, server } = sim;
    const stepUs = random.between(20e6, 30e6);
    sim.world.at(stepUs, () => {
      // Far beyond any round trip here: less than one cannot be told from a change of the route.
      (random.chance(0.5) ? client : server).clock.step(random.between(1e6, 60e6));
    });
    const firstKnownUs = new Map<object, number>();
    const sample = () => {
      for (const side of [client, server]) {
        if (side.exchanges === 0) continue;
        const { offsetUs, errorUs } = side.estimator.estimateAt(side.clock.nowUs());
        const wrongUs = Math.abs(offsetUs - side.trueOffsetUs());
        const stepped = sim.world.trueUs > stepUs;
        const noticed = side.events.length > 0;
        if (stepped && !noticed) {
          outside++;
          assert.ok(wrongUs > errorUs, "the step is far outside of the bound");
          continue;
        }
        if (noticed && !firstKnownUs.has(side)) {
          if (Number.isNaN(errorUs)) continue;
          firstKnownUs.set(side, sim.world.trueUs);
        }
        assert.ok(wrongUs <= errorUs, `seed ${seed}: ${wrongUs} µs wrong, bound ${errorUs} µs`);
      }
      sim.world.after(random.exponential(50e3), sample);
    };
    sim.world.after(0, sample);
    sim.world.run(60e6);
    for (const side of [client, server]) {
      assert.ok(firstKnownUs.has(side), `seed ${seed}: never known again`);
      assert.deepEqual(side.events.map(({ event }) => event.kind), ["stepped"], `seed ${seed}`);
      noticedUs.push(side.events[0]!.trueUs - stepUs);
      knownUs.push(firstKnownUs.get(side)! - stepUs);
    }
  }
  t.diagnostic(`after a step: noticed ${figures(noticedUs.map((us) => us / 1000))} ms`);
  t.diagnostic(
    `known again ${figures(knownUs.map((us) => us / 1000))} ms; ${outside} samples wrong`,
  );
  assert.ok(percentile(noticedUs, 0.95) < 4e6, figures(noticedUs));
  assert.ok(percentile(knownUs, 0.95) < 5e6, figures(knownUs));
});

test("a slew beyond the assumption is noticed, and over soon after it ends", (t) => {
  const noticedUs: number[] = [];
  const outside = { before: 0, during: 0, after: 0, all: 0 };
  for (const seed of seeds()) {
    const random = createRandom(seed);
    const way = { delayUs: random.between(100, 5000), jitterUs: 50, delivery: "stream" } as const;
    const sim = createClockWorld({
      seed,
      client: { offsetUs: 1e6, driftPpm: 20 },
      server: { offsetUs: 0, driftPpm: -20 },
      connections: [{ up: way, down: way }],
    });
    const slewed = random.chance(0.5) ? sim.client : sim.server;
    const ppm = random.chance(0.5) ? 83_333 : -83_333;
    sim.world.at(10e6, () => slewed.clock.setDriftPpm(ppm));
    sim.world.at(14e6, () => slewed.clock.setDriftPpm(0));
    const sample = () => {
      for (const side of [sim.client, sim.server]) {
        const { offsetUs, errorUs } = side.estimator.estimateAt(side.clock.nowUs());
        if (Number.isNaN(errorUs)) continue;
        outside.all++;
        if (Math.abs(offsetUs - side.trueOffsetUs()) <= errorUs) continue;
        if (side.events.length === 0) outside.before++;
        else if (sim.world.trueUs < 14e6) outside.during++;
        else outside.after++;
      }
      if (sim.world.trueUs < 20e6) sim.world.after(random.exponential(50e3), sample);
    };
    sim.world.at(10e6, sample);
    sim.world.run(20e6);
    for (const side of [sim.client, sim.server]) {
      const noticed = side.events.filter(({ event }) => event.kind === "stepped");
      assert.ok(noticed.length > 0 && noticed[0]!.trueUs < 12e6, `seed ${seed}`);
      noticedUs.push(noticed[0]!.trueUs - 10e6);
      const { offsetUs, errorUs } = side.estimator.estimateAt(side.clock.nowUs());
      const wrongUs = Math.abs(offsetUs - side.trueOffsetUs());
      assert.ok(wrongUs <= errorUs, `seed ${seed}: ${wrongUs}, ${errorUs}`);
    }
  }
  t.diagnostic(`after a slew began: noticed ${figures(noticedUs.map((us) => us / 1000))} ms`);
  t.diagnostic(
    `of ${outside.all} samples wrong: ${outside.before} before, ${outside.during} in the rest of ` +
      `the slew, ${outside.after} after it`,
  );
});
