import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createDifferences, type Differences } from "./differences.ts";
import type { DelayFigures } from "./summary.ts";

const ROUTES = ["direct", "accelerated"];

function session(route: number, changes: { flow?: number; process?: string } = {}) {
  return { route, flow: 0, process: "relay", server: "server", ...changes };
}

/** A client with both routes open to one server. */
function twoRoutes() {
  const differences = createDifferences(ROUTES, "client");
  return {
    differences,
    direct: differences.open(session(0)),
    accelerated: differences.open(session(1)),
  };
}

function pairsOf(differences: Differences): number {
  return differences.summarise().reduce((sum, { pairs }) => sum + pairs, 0);
}

function near(found: number | undefined, expected: number): void {
  assert.ok(Math.abs(found! - expected) <= 1e-4 + Math.abs(expected) * 5e-4, `${found}`);
}

test("the difference is later − earlier route, whatever the offset of the clocks", () => {
  const { differences, direct, accelerated } = twoRoutes();
  const offsetUs = 5e6;
  for (let i = 0; i < 100; i++) {
    const slotUs = 1e12 + i * 1e6;
    direct.up(slotUs, offsetUs + 40_000 + i, slotUs + offsetUs + 40_000 + i);
    direct.roundTrip(slotUs, 90_000);
    accelerated.up(slotUs, offsetUs + 30_000 + i, slotUs + offsetUs + 32_000 + i);
    accelerated.roundTrip(slotUs, 65_000);
  }
  const [up, ...others] = differences.summarise();
  assert.deepEqual(others, []);
  const { owd_ms: owd, error_ms: error, round_trip_ms: roundTrip, ...rest } = up!;
  assert.deepEqual(rest, {
    a: "direct",
    b: "accelerated",
    from: "client",
    to: "server",
    pairs: 100,
    owd_median_ms: { low: -10, high: -10 },
    round_trip_median_ms: { low: -25, high: -25 },
  });
  assert.deepEqual([owd?.min, owd?.mean, owd?.max, owd?.stddev], [-10, -10, -10, 0]);
  near(owd?.p50, -10);
  assert.deepEqual([roundTrip?.min, roundTrip?.mean, roundTrip?.max], [-25, -25, -25]);
  // 500 ppm of the 8 ms between the receptions.
  assert.equal(error?.max, 0.004);
  near(error?.p50, 0.004);
});

test("one message down both routes compares the receptions", () => {
  const { differences, direct, accelerated } = twoRoutes();
  const down = [direct.downFrom("a1"), accelerated.downFrom("a1")] as const;
  down[1].record(7, 1e12 + 4000);
  down[0].record(7, 1e12 + 9000);
  down[0].record(8, 2e12);
  const [only, ...others] = differences.summarise();
  assert.deepEqual(others, []);
  assert.deepEqual([only!.from, only!.to, only!.pairs], ["server", "client", 1]);
  assert.deepEqual([only!.owd_ms?.p50, only!.error_ms?.max], [-5, 0.0025]);
  assert.equal(only!.round_trip_ms, undefined);
});

test("the ways up and down stay apart where client and server share a name", () => {
  const differences = createDifferences(ROUTES, "server");
  const links = [differences.open(session(0)), differences.open(session(1))] as const;
  for (const [i, link] of links.entries()) {
    link.up(1e12, 1000 * i, 1e12);
    link.downFrom("a1").record(1, 1e12 - 1000 * i);
  }
  assert.deepEqual(differences.summarise().map(({ owd_ms }) => owd_ms?.max), [1, -1]);
});

test("each pair counts once, however often and in whatever order its halves come", () => {
  const half = fc.record({
    slot: fc.nat({ max: 40 }),
    route: fc.nat({ max: 2 }),
    kind: fc.constantFrom("up", "round trip", "down"),
  });
  fc.assert(
    fc.property(fc.array(half, { maxLength: 300 }), (halves) => {
      const differences = createDifferences(["a", "b", "c"], "client");
      const links = [0, 1, 2].map((route) => differences.open(session(route)));
      const down = links.map((link) => link.downFrom("origin"));
      /** Delays in µs of each half, by its kind, route and slot. */
      const delayUs = (kind: string, route: number, slot: number) =>
        (kind === "up" ? 1000 : kind === "down" ? 2000 : 5000) * (route + 1) + slot * route;
      const seen = new Set<string>();
      for (const { slot, route, kind } of halves) {
        const slotUs = 1e12 + slot * 1e5;
        const delay = delayUs(kind, route, slot);
        if (kind === "up") links[route]!.up(slotUs, delay + 3e9, slotUs + delay);
        else if (kind === "round trip") links[route]!.roundTrip(slotUs, delay);
        else down[route]!.record(slot, slotUs + delay);
        seen.add(`${kind} ${route} ${slot}`);
      }
      const expected = (kind: string, a: number, b: number) =>
        [...Array(41).keys()]
          .filter((slot) => seen.has(`${kind} ${a} ${slot}`) && seen.has(`${kind} ${b} ${slot}`))
          .map((slot) => delayUs(kind, b, slot) - delayUs(kind, a, slot));
      const summaries = differences.summarise();
      for (const [a, b] of [[0, 1], [0, 2], [1, 2]] as const) {
        const find = (from: string) =>
          summaries.find((one) => one.from === from && one.a === "abc"[a] && one.b === "abc"[b]);
        check(find("client")?.owd_ms, expected("up", a, b));
        check(find("client")?.round_trip_ms, expected("round trip", a, b));
        check(find("server")?.owd_ms, expected("down", a, b));
        assert.equal(find("server")?.pairs ?? 0, expected("down", a, b).length);
        assert.equal(
          find("client")?.pairs ?? 0,
          Math.max(expected("up", a, b).length, expected("round trip", a, b).length),
        );
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});

function check(figures: DelayFigures | undefined, expectedUs: readonly number[]): void {
  if (expectedUs.length === 0) return assert.equal(figures, undefined);
  const mean = expectedUs.reduce((sum, value) => sum + value, 0) / expectedUs.length;
  assert.equal(figures?.min, Math.min(...expectedUs) / 1000);
  assert.equal(figures?.max, Math.max(...expectedUs) / 1000);
  assert.ok(Math.abs(figures!.mean - mean / 1000) <= 0.0001);
}

test("messages to another process of the server never pair, nor those of another flow", () => {
  const differences = createDifferences(ROUTES, "client");
  const links = [
    differences.open(session(0)),
    differences.open(session(1, { process: "restarted" })),
    differences.open(session(1, { flow: 1 })),
  ];
  for (const link of links) {
    link.up(1e12, 1000, 1e12);
    link.roundTrip(1e12, 1000);
    link.downFrom("a1").record(1, 1e12);
  }
  assert.deepEqual(differences.summarise(), []);
  differences.open(session(1)).up(1e12, 4000, 1e12);
  assert.equal(differences.summarise()[0]?.owd_ms?.max, 3);
});

test("a route that reconnects to the same process goes on pairing", () => {
  const { differences, direct, accelerated } = twoRoutes();
  direct.up(1e12, 1000, 1e12);
  accelerated.close();
  accelerated.close();
  const again = differences.open(session(1));
  again.up(1e12, 3000, 1e12);
  assert.equal(differences.summarise()[0]?.owd_ms?.max, 2);
});

test("what waits is forgotten with the last session to the process", () => {
  const { differences, direct, accelerated } = twoRoutes();
  direct.up(1e12, 1000, 1e12);
  direct.downFrom("a1").record(1, 1e12);
  accelerated.close();
  direct.close();
  const again = differences.open(session(1));
  again.up(1e12, 3000, 1e12);
  again.downFrom("a1").record(1, 1e12);
  assert.equal(pairsOf(differences), 0);
});

test("an origin that left is forgotten once both routes know", () => {
  const { differences, direct, accelerated } = twoRoutes();
  const down = direct.downFrom("a1");
  accelerated.downFrom("a1").close();
  down.record(1, 1e12);
  accelerated.downFrom("a1").record(1, 1e12);
  assert.equal(pairsOf(differences), 1);
  down.record(2, 1e12);
  direct.close();
  accelerated.close();
  const links = [differences.open(session(0)), differences.open(session(1))] as const;
  links[1].downFrom("a1").record(2, 1e12);
  assert.equal(pairsOf(differences), 1);
});

test("slots of the last minute find their partner, at any pace up to the bound", () => {
  for (const [stepUs, waiting] of [[4_000_000, 14], [10_000, 5900], [1000, 16_000]] as const) {
    const { differences, direct, accelerated } = twoRoutes();
    const slots = 40_000;
    for (let i = 0; i < slots; i++) {
      direct.up(1e12 + i * stepUs, 1000, 1e12);
      const late = i - waiting;
      if (late >= 0) accelerated.up(1e12 + late * stepUs, 1000, 1e12);
    }
    assert.equal(pairsOf(differences), slots - waiting, `a slot each ${stepUs} µs`);
  }
});

test("a route far behind in a flood pairs again once the window has grown", () => {
  const { differences, direct, accelerated } = twoRoutes();
  const [first, second] = [direct.downFrom("a1"), accelerated.downFrom("a1")];
  const behind = 30_000;
  for (let i = 0; i < 200_000; i++) {
    first.record(i, 1e12 + i);
    if (i >= behind) second.record(i - behind, 1e12 + i);
  }
  const pairs = pairsOf(differences);
  assert.ok(pairs >= 200_000 - 3 * behind, `${pairs} pairs`);
  assert.equal(differences.summarise()[0]?.owd_ms?.max, behind / 1000);
});
