import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createRandom, type Random } from "../relay/simulation/random.ts";
import { createComparer } from "./comparer.ts";
import { compare, type Comparison } from "./comparison.ts";
import { HOP_VALUES, INTENDED_US, MS, RAW_MS, RECEIVED_US } from "./hop-values.ts";
import { documentOf, reportOn, run, workFolder } from "./report-world.ts";
import { BACK, hopLine, START_US, UP } from "./sample-records.ts";
import { sidesByRoute } from "./sides.ts";

const FAST = { ...UP, route: "fast", session: "f1", toSession: "f1" };
/** Clocks are this far apart, as every pair of clocks is. */
const OFFSET_US = 5e6;

function normal(random: Random): number {
  const angle = 2 * Math.PI * random.next();
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(angle);
}

/** A series whose neighbours correlate by `phi`, of deviation 1 (autoregressive, first order). */
function autoregressive(random: Random, phi: number): () => number {
  let value = normal(random);
  return () => value = phi * value + Math.sqrt(1 - phi * phi) * normal(random);
}

interface World {
  slots: number;
  /** How neighbours correlate, of what both routes have in common and of what each has alone. */
  phi: number;
  /** What route b takes of route a's time. */
  ratio: number;
  /** Slots without a partner: the routes send in turns. */
  unpaired?: boolean;
}

/** Delays of some 100 ms on two routes, a tenth of a second from slot to slot. */
function compareWorld(random: Random, { slots, phi, ratio, unpaired = false }: World): Comparison {
  const comparer = createComparer(sidesByRoute(["a", "b"]), () => true);
  const streams = ["a", "b"].map((route) =>
    comparer.streamOf({
      ...{ ...UP, route, toId: "s", clockId: "c" },
      ...{ session: route, transport: "tcp" },
    })!
  );
  const [common, alone, other] = [0, 1, 2].map(() => autoregressive(random, phi));
  const values = new Float64Array(HOP_VALUES).fill(NaN);
  for (let slot = 0; slot < slots; slot++) {
    const shared = Math.exp(0.05 * common!());
    const delays = [alone!(), other!()].map((own, side) =>
      100 * shared * Math.exp(0.02 * own) * (side === 1 ? ratio : 1)
    );
    for (const side of [0, 1]) {
      if (unpaired && slot % 2 !== side) continue;
      values[MS] = delays[side]!;
      values[RAW_MS] = delays[side]! + OFFSET_US / 1000;
      values[7] = 0.01;
      values[INTENDED_US] = START_US + slot * 100_000;
      values[RECEIVED_US] = values[INTENDED_US]! + delays[side]! * 1000;
      comparer.hop(streams[side]!, values);
    }
  }
  return compare(comparer.groups()[0]!, ["a", "b"]);
}

/** More by hand: `REPORT_TRIALS=1000` took four minutes. */
const TRIALS = Number(process.env["REPORT_TRIALS"] ?? 20);

for (const phi of [0, 0.5, 0.9]) {
  test(`a difference of 3 % is found, and none where there is none (correlation ${phi})`, () => {
    const random = createRandom(7 + 100 * phi);
    const told = { found: 0, wrong: 0, wrongP95: 0, wrongAlone: 0 };
    for (let trial = 0; trial < TRIALS; trial++) {
      const same = compareWorld(random, { slots: 5000, phi, ratio: 1 });
      assert.equal(same.pairs, 5000);
      if (isShown(same.verdict)) told.wrong++;
      if (isShown(same.differences[2]!.verdict)) told.wrongP95++;
      const alone = compareWorld(random, { slots: 5000, phi, ratio: 1, unpaired: true });
      assert.equal(alone.pairs, 0);
      if (isShown(alone.verdict)) told.wrongAlone++;
      const faster = compareWorld(random, { slots: 5000, phi, ratio: 0.97 });
      if (faster.verdict === "faster") told.found++;
    }
    // Three deviations of the number of errors that 95 % of confidence make.
    const most = 0.05 * TRIALS + 3 * Math.sqrt(TRIALS * 0.05 * 0.95);
    const figures = JSON.stringify(told);
    if (TRIALS > 100) console.log(`${TRIALS} trials, correlation ${phi}: ${figures}`);
    assert.equal(told.found, TRIALS, figures);
    for (const wrong of [told.wrong, told.wrongP95, told.wrongAlone]) {
      assert.ok(wrong <= most, `${figures}, of ${TRIALS}`);
    }
  });
}

function isShown(verdict: Comparison["verdict"]): boolean {
  return verdict === "faster" || verdict === "slower";
}

/** Lines of one stream: slots 50 ms apart, delays about so long. */
function lines(
  spec: typeof UP,
  delayUs: number,
  changes: { errorUs?: number; shiftUs?: number; rawUs?: number } = {},
): string[] {
  const random = createRandom(delayUs);
  return Array.from({ length: 2000 }, (_, sequence) => {
    const intendedUs = START_US + sequence * 50_000 + (changes.shiftUs ?? 0);
    const us = delayUs * random.between(0.98, 1.02);
    return hopLine(spec, sequence, {
      intendedUs,
      sentUs: intendedUs,
      receivedUs: intendedUs + us,
      delayUs: us,
      rawUs: us + OFFSET_US,
      errorUs: changes.errorUs ?? 80_000,
      pathUs: 2 * us,
      elapsedUs: 2 * us + 10,
    });
  });
}

test("of two routes between the same two clocks, the offset cancels", async (t) => {
  const both = [lines(UP, 50_000), lines(FAST, 40_000)];
  const mixed = both[0]!.flatMap((line, index) => [line, both[1]![index]!]);
  const { comparisons } = await reportOn(t, mixed, ["--compare", "direct", "fast"]);
  const [one] = comparisons!;
  assert.deepEqual(
    [one!.measure, one!.from, one!.to, one!.pairs, one!.verdict],
    ["one way", "a", "server", 2000, "faster"],
  );
  assert.ok(Math.abs(one!.differences[0]!.ms + 10) < 0.1, `${one!.differences[0]!.ms} ms`);
  assert.equal(one!.error_ms, 0.005, "500 ppm of the time between the two receptions");
});

test("one way, different clocks show nothing that is within their error", async (t) => {
  const other = { ...FAST, clockId: "other clocks" };
  const all = [...lines(UP, 50_000), ...lines(other, 40_000, { shiftUs: 10 })];
  const compared = async (text: readonly string[]) =>
    (await reportOn(t, text, ["--compare", "direct", "fast"])).comparisons![0]!;
  const hidden = await compared(all);
  assert.deepEqual([hidden.verdict, hidden.pairs], ["not shown: clocks", 0]);
  const synchronized = await compared([
    ...lines(UP, 50_000, { errorUs: 500 }),
    ...lines(other, 40_000, { errorUs: 500 }),
  ]);
  assert.equal(synchronized.verdict, "faster");
  assert.equal(synchronized.error_ms, 1);
});

test("round trips need no clocks to agree", async (t) => {
  const back = { ...BACK, session: "b7", toSession: "b7", route: "fast", clockId: "other" };
  const all = [...lines(BACK, 50_000), ...lines(back, 40_000, { shiftUs: 10 })];
  const { comparisons, notes } = await reportOn(t, all, ["--compare", "direct", "fast"]);
  const verdicts = comparisons!.map(({ measure, verdict }) => [measure, verdict]);
  assert.deepEqual(verdicts, [["round trip", "faster"], ["one way", "not shown: clocks"]]);
  assert.match(notes[0]!, /round trips need no clocks/);
});

test("a few messages show nothing", async (t) => {
  const few = [...lines(UP, 50_000).slice(0, 5), ...lines(FAST, 40_000).slice(0, 5)];
  const { comparisons } = await reportOn(t, few, ["--compare", "direct", "fast"]);
  assert.equal(comparisons![0]!.verdict, "not shown: too few messages");
});

test("nodes are compared by patterns of their names", async (t) => {
  const node = (name: string, session: string) => ({
    ...BACK,
    ...{ session, toSession: session, to: name, reporter: name, key: `server::~::${name}` },
    ...{ path: `${name}::~::server<~>server::~::${name}`, clockId: session },
  });
  const all = [
    ...lines(node("eu-1", "e1"), 50_000),
    ...lines(node("eu-2", "e2"), 51_000),
    ...lines(node("us-1", "u1"), 60_000),
  ];
  const { comparisons } = await reportOn(t, all, ["--compare", "eu-*", "us-*"]);
  const round = comparisons!.find(({ measure }) => measure === "round trip")!;
  assert.deepEqual([round.count_a, round.count_b, round.verdict], [4000, 2000, "slower"]);
  assert.equal(round.from, "eu-* | us-*");
});

test("two folders are compared by what they have in common", async (t) => {
  const folder = await workFolder(t);
  const [before, after] = [join(folder, "before"), join(folder, "after")];
  await mkdir(before);
  await mkdir(after);
  await writeFile(join(before, "a.ndjson"), lines(BACK, 50_000).join(""));
  const later = lines({ ...BACK, session: "a9", toSession: "a9" }, 45_000, { shiftUs: 1e9 });
  await writeFile(join(after, "a.ndjson"), later.join(""));
  const { comparisons, keys } = await documentOf(["--compare", before, after]);
  const round = comparisons!.find(({ measure }) => measure === "round trip")!;
  assert.deepEqual([round.verdict, round.a, round.b], ["faster", before, after]);
  assert.ok(Math.abs(round.differences[0]!.ms + 10) < 0.2);
  assert.ok(keys.every(({ count }) => count === 2000), "the keys are the second's");

  const { stdout } = await run(["--compare", before, after]);
  assert.ok(stdout.split("\n").every((line) => line.length <= 80), stdout);
  assert.match(stdout, /faster/);
});

test("what has nothing in common is told, with the routes that there are", async (t) => {
  await assert.rejects(
    reportOn(t, lines(UP, 50_000), ["--compare", "direct", "faster"]),
    /nothing to compare: no two places with records of both "direct" and "faster" \(routes: direct\)/,
  );
});
