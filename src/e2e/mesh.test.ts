// One server and its clients, as their users start them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { KeySummary, RunSummary } from "../metrics/summary.ts";
import {
  documentOf,
  isConnected,
  type LogLine,
  start,
  startClient,
  startServer,
} from "./processes.ts";

const EU = { AWS_REGION: "eu-west-1" };
const US = { AWS_REGION: "us-west-1" };
const BUSY = ["--interval", "4ms", "--warmup", "5"];
const joined = ({ message }: LogLine) => message.endsWith(" joined");
const left = (name: string) => ({ message }: LogLine) => message.startsWith(`${name} left`);

function keyOf(document: RunSummary, key: string, echo = false): KeySummary {
  const found = document.keys.filter((entry) => entry.key === key && entry.echo === echo);
  assert.equal(found.length, 1, `${key}: ${document.keys.map((entry) => entry.key)}`);
  return found[0]!;
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "records-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function readRecords(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, "utf8");
  assert.ok(text.endsWith("\n"), "the last record has its newline");
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Both clients send `count` messages that count to one another; returns all three documents. */
async function runMesh(t: TestContext, extra: { server?: string[]; eu?: string[]; us?: string[] }) {
  const server = await startServer(t, ["--json", "-n", "server-%region%", ...extra.server ?? []], {
    env: EU,
  });
  const name = ["--json", "-n", "client-%region%", ...BUSY];
  const eu = await startClient(t, server.port, [...name, ...extra.eu ?? []], { env: EU });
  // It leaves when it has sent its messages, all of which the first one has heard by then.
  const us = start(t, "client", [
    "-s",
    `127.0.0.1:${server.port}`,
    ...name,
    "--count",
    "100",
    ...extra.us ?? [],
  ], { env: US });
  const usDocument = documentOf(await us.exited);
  const euDocument = documentOf(await eu.stop());
  await server.logged(left("client-eu-west-1"));
  return { server: documentOf(await server.stop()), eu: euDocument, us: usDocument };
}

test("two clients have whole paths to one another, and the counts add up", async (t) => {
  const { server, eu, us } = await runMesh(t, { eu: ["--echo"], us: ["--echo"] });

  const inbound = (name: string) => `client-${name}::~::server-eu-west-1`;
  const outbound = (name: string) => `server-eu-west-1::~::client-${name}`;
  const path = (from: string, to: string) => `${inbound(from)}<~>${outbound(to)}`;
  const toUs = keyOf(us, path("eu-west-1", "us-west-1"));
  const toEu = keyOf(eu, path("us-west-1", "eu-west-1"));
  for (const figures of [toUs, toEu]) {
    assert.equal(figures.hops, 2);
    assert.equal(figures.lost, 0);
    assert.equal(figures.duplicates, 0);
    assert.equal(figures.reordered, 0);
    const { ms, elapsed_ms, error_ms } = figures;
    assert.ok(ms && elapsed_ms && error_ms, "a path has its delays");
    assert.ok(elapsed_ms.mean > ms.mean, "residence is in elapsed_ms alone");
  }
  assert.equal(toEu.count, 100, "each of the hundred that count");
  assert.equal(us.sent, 105);

  // Echoes: each message comes back once.
  assert.equal(keyOf(us, path("us-west-1", "us-west-1"), true).count, 100);
  assert.equal(keyOf(eu, path("eu-west-1", "eu-west-1"), true).count, eu.sent - 5);

  // What the server had is what they sent, what it passed on is what they had.
  assert.equal(server.received + server.warmup, us.sent + eu.sent);
  assert.equal(server.warmup, 10);
  assert.equal(server.sent, us.received + us.warmup + eu.received + eu.warmup);
  assert.equal(keyOf(server, inbound("us-west-1")).count, 100);
  assert.equal(keyOf(server, inbound("eu-west-1")).count, eu.sent - 5);
  assert.ok(server.residence_ms!.p50 > 0);
  for (const document of [server, eu, us]) {
    for (const entry of document.keys) assert.equal(entry.lost, 0, entry.key);
  }
});

test("messages reach all others, and each loses none", async (t) => {
  const server = await startServer(t, ["--json"]);
  const listeners = [];
  for (const name of ["one", "two", "three"]) {
    listeners.push(await startClient(t, server.port, ["--json", "-n", name, "--interval", "1h"]));
  }
  const sender = start(t, "client", [
    "-s",
    `127.0.0.1:${server.port}`,
    "-n",
    "sender",
    "--interval",
    "2ms",
    "--count",
    "200",
    "--json",
  ]);
  const sent = documentOf(await sender.exited);
  await server.logged(left("sender"));
  for (const [index, listener] of listeners.entries()) {
    const document = documentOf(await listener.stop());
    const name = ["one", "two", "three"][index];
    const path = keyOf(document, `sender::~::server<~>server::~::${name}`);
    assert.deepEqual([path.count, path.lost], [200, 0], name);
  }
  const document = documentOf(await server.stop());
  const own = document.sent - 3 * sent.sent;
  assert.ok(own >= 0, `${document.sent} passed on, of ${sent.sent} to three`);
  assert.equal(keyOf(document, "sender::~::server").count, 200);
});

test("a server with a filter neither meters nor relays nor announces who lacks its text", async (t) => {
  const server = await startServer(t, ["--json", "--filter", "abc"]);
  const listener = await startClient(t, server.port, [
    "--json",
    "-n",
    "listener",
    "-f",
    "xabcx",
    "--interval",
    "1h",
  ]);
  const count = ["--interval", "2ms", "--count", "50"];
  const other = start(t, "client", ["-s", `127.0.0.1:${server.port}`, "-n", "other", ...count]);
  assert.equal((await other.exited).code, 0);
  assert.ok(other.log().some(({ message }) => /filter/.test(message)), "it is told so");
  const matching = start(t, "client", [
    "-s",
    `127.0.0.1:${server.port}`,
    "-n",
    "matching",
    ...count,
    "-f",
    "xx-abc-xx",
    "--size",
    "1",
  ]);
  assert.equal((await matching.exited).code, 0);
  const document = documentOf(await listener.stop());
  const paths = document.keys.filter(({ hops }) => hops === 2).map((
    { key, count },
  ) => [key, count]);
  assert.deepEqual(paths, [["matching::~::server<~>server::~::listener", 50]]);
  const { keys } = documentOf(await server.stop());
  assert.ok(!keys.some(({ from }) => from === "other"), JSON.stringify(keys));
});

test("a full server turns clients away, and tells them why", async (t) => {
  const server = await startServer(t, ["--max-clients", "1"]);
  await startClient(t, server.port);
  const refused = start(t, "client", ["-s", `127.0.0.1:${server.port}`, "--connect-timeout", "1s"]);
  const { code, stderr } = await refused.exited;
  assert.equal(code, 1, stderr);
  const last = refused.log().at(-1)!;
  assert.equal(last.level, "error");
  assert.match(last.message, /full: 1 of 1 clients/);
  await server.logged(({ message }) => /turned away.*full/.test(message));
});

test("a signal ends both in order, with their summaries", async (t) => {
  const server = await startServer(t);
  const client = await startClient(t, server.port, [...BUSY, "--echo"]);
  await server.logged(joined);
  client.signal("SIGINT");
  const ended = await client.exited;
  assert.deepEqual([ended.code, ended.signal], [0, null]);
  assert.match(ended.stdout, /client/);
  await server.logged(({ message }) => message === "client left: done");
  const waiting = await startClient(t, server.port);
  const { code, stdout } = await server.stop();
  assert.equal(code, 0);
  assert.match(stdout, /server/);
  await waiting.logged(({ message }) => /shutting down/.test(message));
  assert.equal((await waiting.stop()).code, 0);
});

const FIELDS = [
  "key",
  "ms",
  "length",
  "received",
  "v",
  "kind",
  "id",
  "to_id",
  "clock_id",
  "from",
  "to",
  "route",
  "flow",
  "hop",
  "hops",
  "path",
  "path_ms",
  "elapsed_ms",
  "echo",
  "intended",
  "sent",
  "ms_raw",
  "error_ms",
  "clock",
  "rtt_ms",
  "residence_ms",
  "transport",
  "peer",
  "reporter",
  "region",
  "zone",
  "run",
];

test("with --records own each hop of each message is recorded once", async (t) => {
  const folder = await makeFolder(t);
  const path = (name: string) => join(folder, `${name}.ndjson`);
  const { server, us } = await runMesh(t, {
    server: ["--ndjson", path("server")],
    eu: ["--ndjson", path("eu")],
    us: ["--ndjson", path("us")],
  });
  const [byServer, byEu, byUs] = await Promise.all(
    ["server", "eu", "us"].map((name) => readRecords(path(name))),
  );
  const records = [...byServer!, ...byEu!, ...byUs!];
  for (const record of records) {
    const fields = Object.keys(record);
    assert.deepEqual(fields, FIELDS.filter((field) => fields.includes(field)), "in their order");
    for (const field of FIELDS.slice(0, 14)) assert.ok(field in record, `${field} is there`);
    assert.match(String(record["received"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.match(String(record["id"]), /^[0-9a-f]{16}-\d+$/);
    assert.equal(record["kind"], "hop");
  }
  const ids = records.map(({ id, hop, to_id }) => `${id} ${hop} ${to_id}`);
  assert.equal(new Set(ids).size, ids.length, "no hop twice");

  assert.ok(byServer!.every(({ hop }) => hop === 1));
  assert.equal(byServer!.length, server.received);
  assert.ok([...byEu!, ...byUs!].every(({ hop, path_ms }) => hop === 2 && path_ms !== undefined));
  assert.equal(byEu!.length, 100);
  assert.equal(byUs!.length, us.received);
  const inbound = new Map(byServer!.map((record) => [record["id"], record]));
  for (const record of [...byEu!, ...byUs!]) {
    const first = inbound.get(record["id"]);
    assert.ok(first, "the server recorded its first hop");
    const sum = Number(first["ms"]) + Number(record["ms"]);
    assert.ok(Math.abs(Number(record["path_ms"]) - sum) < 0.001, "the path is the sum of its hops");
  }
});

test("with --records all a client records all hops of the path", async (t) => {
  const path = join(await makeFolder(t), "eu.ndjson");
  const { eu } = await runMesh(t, { eu: ["--ndjson", path, "--records", "all"] });
  const records = await readRecords(path);
  const count = (hop: number) => records.filter((record) => record["hop"] === hop).length;
  assert.deepEqual([count(1), count(2)], [eu.received, eu.received]);
});

test("with --records summary there is a record for each key and interval", async (t) => {
  const path = join(await makeFolder(t), "eu.ndjson");
  await runMesh(t, { eu: ["--ndjson", path, "--records", "summary", "--stats", "100ms"] });
  const records = await readRecords(path);
  assert.ok(records.every(({ kind }) => kind === "summary"));
  assert.ok(records.every((record) => !("ms" in record)));
  const whole = "client-us-west-1::~::server-eu-west-1<~>server-eu-west-1::~::client-eu-west-1";
  const counts = records.filter(({ key }) => key === whole).map(({ count }) => Number(count));
  assert.ok(counts.length > 1, "several intervals");
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 100);
});

test("records on stdout are alone there", async (t) => {
  const server = await startServer(t, ["--ndjson", "-"]);
  const client = start(t, "client", [
    "-s",
    `127.0.0.1:${server.port}`,
    "--interval",
    "2ms",
    "--count",
    "20",
  ]);
  await client.logged(isConnected);
  assert.equal((await client.exited).code, 0);
  const { code, stdout } = await server.stop();
  assert.equal(code, 0);
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(records.length, 20);
});
