// Coordinated omission: a tool that waits for answers before it sends again hides every pause.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { documentOf, startClient, startServer } from "./processes.ts";

const RATE = 1_000;
const PAUSE_MS = 1_000;
const COUNT = 5_000;
/** Far above what this machine adds by itself, far below the pause. */
const LATE_MS = 100;

test("a server that is stopped for a second makes a second's messages late, in p99 too", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "omission-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const ndjson = join(folder, "echoes.ndjson");
  const server = await startServer(t);
  const client = await startClient(t, server.port, [
    ...["--rate", String(RATE), "--size", "64", "--count", String(COUNT), "--warmup", "0"],
    ...["--echo", "--ndjson", ndjson, "--json", "--stats", "500ms"],
  ]);
  // Some figures have been shown: messages flow.
  await client.logged(({ area }) => area === "figures");
  server.signal("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  server.signal("SIGCONT");

  const { keys, sent } = documentOf(await client.exited);
  assert.equal(sent, COUNT, "no slot was left out");
  const echo = keys.find(({ echo, hops }) => echo && hops === 2)!;
  assert.deepEqual([echo.count, echo.lost], [COUNT, 0]);
  const elapsed = readFileSync(ndjson, "utf8").trimEnd().split("\n")
    .map((line) => JSON.parse(line)["elapsed_ms"] as number);
  const late = elapsed.filter((ms) => ms > LATE_MS).length;
  const fewest = RATE * (PAUSE_MS - LATE_MS) / 1000;
  assert.ok(late >= fewest * 0.95, `${late} messages were late`);
  assert.ok(echo.elapsed_ms!.p99 > LATE_MS, `p99 is ${echo.elapsed_ms!.p99} ms`);
  // The last of those that waited was sent just before the pause ended: their delays fill the pause.
  const waited = elapsed.filter((ms) => ms > LATE_MS).sort((a, b) => a - b);
  const medianMs = waited[waited.length >> 1]!;
  assert.ok(medianMs > 0.4 * PAUSE_MS, `half of them waited ${medianMs} ms`);
});
