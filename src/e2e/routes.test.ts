// Two routes of known delays, through proxies that tell what they really gave.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { DelayFigures, RunSummary } from "../metrics/summary.ts";
import { documentOf, start, startProxy, startServer } from "./processes.ts";
import type { Given } from "./proxy.ts";

/** Delays, different on each way: up and down of each route. */
const DELAYS_US = {
  direct: { up: 24_000, down: 9_000 },
  accelerated: { up: 11_000, down: 15_000 },
};
type Label = keyof typeof DELAYS_US;
const LABELS = Object.keys(DELAYS_US) as Label[];

/**
 * What the way through sockets and schedulers may add to one route more than to the other, in the
 * median of hundreds of messages that alternate between the routes. The differences looked for are
 * more than ten times that.
 */
const TOLERANCE_MS = 0.5;

const faketime = spawnSync("faketime", ["--version"]).error === undefined;

interface HopRecord {
  hop: number;
  echo: boolean;
  route: string;
  ms: number;
  ms_raw: number;
  error_ms: number;
}

interface Run {
  document: RunSummary;
  /** Of the client: its last hops; of the server: its first hops. */
  records: { client: HopRecord[]; server: HopRecord[] };
  /** Median delay that each proxy gave, ms. */
  given: Record<Label, { up: number; down: number }>;
}

function median(values: readonly number[]): number {
  assert.ok(values.length > 0);
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const medianMs = (given: readonly Given[]) =>
  median(given.map(([arrivedUs, forwardedUs]) => (forwardedUs - arrivedUs) / 1000));

async function run(t: TestContext, through: readonly string[] = []): Promise<Run> {
  const server = await startServer(t, ["--ndjson", "-"]);
  const target = { host: "127.0.0.1", port: server.port };
  const proxies = await Promise.all(LABELS.map((label) => {
    const { up, down } = DELAYS_US[label];
    return startProxy(t, { target, up: { delayUs: up }, down: { delayUs: down } });
  }));
  const routes = LABELS.map((label, index) => `${label}=127.0.0.1:${proxies[index]!.port}`);
  const ndjson = join(tmpdir(), `routes-${process.pid}-${server.port}.ndjson`);

  t.after(() => rm(ndjson, { force: true }));
  const args = ["-s", routes.join(), "--interval", "8ms", "--count", "250", "--size", "16"];
  const client = start(t, "client", [...args, "--json", "--ndjson", ndjson], { through });
  const document = documentOf(await client.exited);
  const parse = (text: string): HopRecord[] =>
    text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const records = {
    client: parse(await readFile(ndjson, "utf8")),
    server: parse((await server.stop()).stdout),
  };
  const given = await Promise.all(proxies.map((proxy) => proxy.end()));
  const [direct, accelerated] = given.map(({ up, down }) => ({
    up: medianMs(up),
    down: medianMs(down),
  }));
  return { document, records, given: { direct: direct!, accelerated: accelerated! } };
}

function checkDifferences({ document, given: { direct, accelerated } }: Run): void {
  const differences = document.differences!;
  const find = (from: string, to: string) => {
    const found = differences.find((entry) => entry.from === from && entry.to === to);
    assert.ok(found, `${from} to ${to}: ${JSON.stringify(differences)}`);
    assert.deepEqual([found.a, found.b], LABELS);
    assert.ok(found.pairs >= 240, `${found.pairs} pairs`);
    return found;
  };
  const out = find("client", "server");
  const back = find("server", "client");
  const expect = (
    what: string,
    figures: DelayFigures | undefined,
    errorMs: number,
    givenMs: number,
  ): void => {
    assert.ok(figures, what);
    assert.ok(
      Math.abs(figures.p50 - givenMs) <= errorMs + TOLERANCE_MS,
      `${what}: ${figures.p50} ms, given ${givenMs} ± ${errorMs} ms`,
    );
  };
  const upMs = accelerated.up - direct.up;
  const downMs = accelerated.down - direct.down;
  const errorMs = Math.max(out.error_ms!.max, back.error_ms!.max);
  assert.ok(errorMs < 0.05, `the offset of the clocks has no part in the bound: ${errorMs} ms`);
  expect("out", out.owd_ms, errorMs, upMs);
  expect("back", back.owd_ms, errorMs, downMs);
  const roundTrip = out.round_trip_ms ?? back.round_trip_ms;
  expect("round trip", roundTrip, errorMs, upMs + downMs);
}

/** Every hop's `ms` is inside its bound of the truth, which is `ms_raw` less the clocks' offset. */
function checkHops(records: readonly HopRecord[], offsetMs: number): void {
  assert.ok(records.length >= 500, `${records.length} records`);
  for (const record of records) {
    const truthMs = record.ms_raw - offsetMs;
    const wrongMs = Math.abs(record.ms - truthMs);
    assert.ok(
      wrongMs <= record.error_ms + 0.01,
      `${record.ms} ms, in truth ${truthMs} ± ${record.error_ms}: ${JSON.stringify(record)}`,
    );
  }
}

describe("a client with two routes of known, asymmetric delays", () => {
  test("shows their differences as the proxies gave them", async (t) => {
    const result = await run(t);
    checkDifferences(result);
    // One clock: what it shows bare is the truth.
    checkHops(result.records.client, 0);
    checkHops(result.records.server, 0);
  });

  test("does so with a clock that is 5 s off", {
    skip: faketime ? false : "faketime is not installed",
  }, async (t) => {
    const result = await run(t, ["faketime", "-f", "+5s"]);
    checkDifferences(result);
    const { client, server } = result.records;
    // The client's clock is ahead: what it sent seems to have arrived before.
    checkHops(server, -5000);
    checkHops(client, 5000);
    for (const { ms_raw, ms } of server) assert.ok(Math.abs(ms_raw - ms + 5000) < 50, `${ms_raw}`);
  });
});
