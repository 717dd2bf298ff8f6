// What a payload holds is nobody's business but its sender's and its receivers'.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isConnected, type Running, start, startClient, startServer } from "./processes.ts";

/** Begins each payload: `--filter` is the only way to put a text of one's own into them. */
const TEXT = "word-of-ours";
const VERBOSE = ["-v", "--stats", "1"];
/** Whatever the executables in `dist` are made from. */
const SOURCES = { runtime: "node" } as const;

async function workFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "privacy-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** All that a program serves by HTTP. */
async function servedBy(running: Running): Promise<string> {
  const { port } = await running.logged(({ message }) => message.startsWith("serving http://"));
  const paths = ["/", "/metrics", "/api/v1/mesh", "/api/v1/summary", "/healthz", "/nothing"];
  const answers = await Promise.all(paths.map(async (path) => {
    return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  }));
  return answers.join("\n");
}

for (const format of ["text", "json"]) {
  test(`payloads stand in no ${format} log, no record and no answer of either program`, async (t) => {
    const folder = await workFolder(t);
    const logged = [...VERBOSE, "--log-format", "json", "--filter", TEXT];
    const server = await startServer(t, [
      ...[...logged, "--http", "0", "--ndjson", join(folder, "server.ndjson")],
    ], SOURCES);
    const other = await startClient(t, server.port, [
      ...[...logged, "-n", "other", "--ndjson", join(folder, "other.ndjson"), "--records", "all"],
      ...["--http", "0"],
    ], SOURCES);
    const client = start(t, "client", [
      ...["-s", `127.0.0.1:${server.port}`, ...VERBOSE, "--log-format", format, "--filter", TEXT],
      ...["-n", "sender", "--ndjson", join(folder, "sender.ndjson"), "--records", "all", "--echo"],
      ...["--rate", "200", "--count", "400", "--size", "64,512"],
    ], SOURCES);
    const ended = await client.exited;
    assert.equal(ended.code, 0, ended.stderr);
    const served = [await servedBy(server), await servedBy(other)];
    const outputs = [ended, await other.stop(), await server.stop()];
    const records = await Promise.all(
      ["server", "other", "sender"].map((name) => readFile(join(folder, `${name}.ndjson`), "utf8")),
    );
    for (const text of records) assert.match(text, /"kind":"hop"/);
    const texts = [
      ...outputs.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      ...records,
      ...served,
    ];
    for (const text of texts) assert.ok(!text.includes(TEXT), text.slice(0, 2000));
  });
}

test("a client without the server's text is told nothing of it", async (t) => {
  const server = await startServer(t, ["--filter", TEXT, "-v"], SOURCES);
  const client = start(
    t,
    "client",
    ["-s", `127.0.0.1:${server.port}`, "--duration", "1s", "-v"],
    SOURCES,
  );
  await client.logged(isConnected);
  const outputs = [await client.exited, await server.stop()];
  for (const { stdout, stderr } of outputs) assert.ok(!`${stdout}${stderr}`.includes(TEXT), stderr);
});

test("the document of --json tells the length of the filter's text, not the text", async (t) => {
  const server = await startServer(t, ["--filter", TEXT, "--json"], SOURCES);
  const client = start(t, "client", [
    ...["-s", `127.0.0.1:${server.port}`, "--filter", TEXT, "--json", "--rate", "100"],
    ...["--count", "20", "--echo"],
  ], SOURCES);
  for (const { stdout } of [await client.exited, await server.stop()]) {
    assert.equal(JSON.parse(stdout).config.filter, `${TEXT.length} bytes`);
    assert.ok(!stdout.includes(TEXT));
  }
});
