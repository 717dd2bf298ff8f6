// Is the accelerated route faster than the direct one, between which regions, and by how much?
// Asked of what a mesh has left in S3, by Athena's view.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test, type TestContext } from "node:test";
import { duckdbMissing, openLake } from "./duckdb.ts";
import { skipWithoutHosts } from "./hosts.ts";
import { workFolder } from "./lake-files.ts";
import { skipWithoutMoto } from "./moto.ts";
import { INJECTED, type Region, runThreeRegions } from "./three-regions.ts";

/** What a difference may be wrong by. */
const TOLERANCE = 0.02;
/** The client whose clock is wrong, if one is. */
const ASTRAY: Region = "us-west-1";

interface Compared {
  measure: "one way" | "round trip";
  from: string;
  to: string;
  b_is: string;
  p50_ms: number;
  pairs: number;
}

interface Measured {
  compared: Compared[];
  /** What the clock of the client that may be astray seems to be ahead of each server's, ms. */
  aheadMs: number[];
}

async function measure(t: TestContext, through: readonly string[] = []): Promise<Measured> {
  const folder = await workFolder(t);
  await runThreeRegions(t, { duration: "16s", folder, through: { [ASTRAY]: through } });
  const lake = await openLake(folder);
  t.after(() => lake.close());
  // A run over midnight has a row for each day.
  const compared = await lake.query(`
    SELECT measure, "from", "to", b_is, p50_ms, pairs
    FROM routes_compared
    WHERE span = 'day' AND a LIKE 'direct-%' AND b = replace(a, 'direct', 'accelerated')
    ORDER BY pairs DESC`);
  const ahead = await lake.query(`
    SELECT "to", median(ms - ms_raw) AS ms
    FROM hops WHERE hop = 1 AND "from" = 'client-${ASTRAY}' GROUP BY "to"`);
  return {
    compared: compared as unknown as Compared[],
    aheadMs: ahead.map(({ ms }) => Number(ms)),
  };
}

/** Each difference, one way and there and back, is the injected one. */
function checkDifferences(t: TestContext, { compared }: Measured): void {
  const check = (measure: string, from: string, to: string, injectedMs: number): void => {
    const row = compared.find((one) =>
      one.measure === measure && one.from === from && one.to === to
    );
    assert.ok(row, `${measure}, ${from} to ${to}`);
    const { p50_ms, pairs, b_is } = row;
    const wrong = Math.abs(p50_ms - injectedMs) / Math.abs(injectedMs);
    const text = `${measure}, ${from} to ${to}: ${p50_ms.toFixed(3)} ms over ${pairs} pairs, ` +
      `injected ${injectedMs} ms: ${(100 * wrong).toFixed(2)} % off`;
    t.diagnostic(text);
    assert.ok(pairs >= 80, text);
    assert.ok(wrong <= TOLERANCE, text);
    assert.equal(b_is, injectedMs < 0 ? "faster" : "slower", text);
  };
  for (const { client, server, up, down } of INJECTED) {
    check("one way", client, server, up);
    check("one way", server, client, down);
    check("round trip", client, server, up + down);
  }
}

/**
 * Measures again, twice at most, where differences are not the injected ones: what a machine at its
 * limits holds up for milliseconds is truly late, and says nothing of the figures.
 */
async function measureUndisturbed(t: TestContext, through?: readonly string[]): Promise<Measured> {
  for (let left = 2;; left--) {
    const measured = await measure(t, through);
    try {
      checkDifferences(t, measured);
      return measured;
    } catch (error) {
      if (left === 0) throw error;
      t.diagnostic(`measured again: ${(error as Error).message}`);
    }
  }
}

const skip = skipWithoutHosts || skipWithoutMoto || duckdbMissing;

describe(
  "a mesh of three regions, set up by variables, compares its routes in S3",
  { skip },
  () => {
    test("with right clocks", async (t) => {
      const measured = await measureUndisturbed(t);
      for (const ms of measured.aheadMs) assert.ok(Math.abs(ms) < 100, `${ms} ms ahead`);
    });

    const faketime = spawnSync("faketime", ["--version"]).error === undefined;
    const skip = !faketime && "faketime is not installed";
    test("with one client's clock 5 s off", { skip }, async (t) => {
      const measured = await measureUndisturbed(t, ["faketime", "-f", "+5s"]);
      assert.equal(measured.aheadMs.length, 3);
      for (const ms of measured.aheadMs) assert.ok(Math.abs(ms - 5000) < 100, `${ms} ms ahead`);
    });
  },
);
