// Records of both programs on their way to Firehose: a stand-in that knows what has arrived.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunSummary, SinkSummary } from "../metrics/summary.ts";
import {
  createFirehoseEndpoint,
  type FirehoseEndpoint,
  TEST_CREDENTIALS,
} from "./firehose-endpoint.ts";
import { DENO, documentOf, start, startCommand, startServer } from "./processes.ts";

const QUICK = ["--rate", "500", "--size", "64", "--echo", "--warmup", "0", "--json"];

async function startEndpoint(t: TestContext): Promise<FirehoseEndpoint> {
  const endpoint = await createFirehoseEndpoint({ keep: "records" });
  t.after(endpoint.close);
  return endpoint;
}

/** What makes the AWS SDK talk to the endpoint. */
function sdkEnv({ url }: Pick<FirehoseEndpoint, "url">): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_FIREHOSE: url,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    AWS_REGION: "eu-west-1",
  };
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "records-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

interface HopRecord {
  id: string;
  hop: number;
  to_id: string;
  reporter: string;
}

function recordsAt(endpoint: FirehoseEndpoint): HopRecord[] {
  return endpoint.accepted().flatMap((text) => {
    assert.ok(text.endsWith("\n"), "each record ends its line");
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  });
}

function countDistinct(records: readonly HopRecord[]): number {
  return new Set(records.map(({ id, hop, to_id }) => `${id} ${hop} ${to_id}`)).size;
}

/** The only sink of a run. */
function sinkOf({ sinks }: Pick<RunSummary, "sinks">): SinkSummary {
  assert.equal(sinks.length, 1);
  return sinks[0]!;
}

test("every record of a server and a client is in Firehose, once", async (t) => {
  const endpoint = await startEndpoint(t);
  const env = sdkEnv(endpoint);
  const server = await startServer(t, ["-k", "records", "--json"], { env });
  const client = start(t, "client", [
    ...["-s", `127.0.0.1:${server.port}`, "-k", "us-west-2:records", "--count", "700"],
    ...QUICK,
  ], { env });
  const clientRun = documentOf(await client.exited);
  const serverRun = documentOf(await server.stop());
  for (const [run, region] of [[clientRun, "us-west-2"], [serverRun, "eu-west-1"]] as const) {
    const { oldest_waiting_s: _, ...sink } = sinkOf(run);
    assert.deepEqual(sink, {
      sink: `firehose ${region}:records`,
      accepted: 700,
      queued: 0,
      sent: 700,
      retried: 0,
      failed: 0,
      dropped: 0,
    });
  }
  const records = recordsAt(endpoint);
  assert.equal(records.length, 1400);
  assert.equal(countDistinct(records), 1400);
  assert.ok(endpoint.counts().records < 100, "lines are put together");
});

test("the environment alone is enough, for Deno's tasks too", async (t) => {
  const endpoint = await startEndpoint(t);
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const env = { ...sdkEnv(endpoint), NO_COLOR: "1" };
  const server = await startServer(t, ["--json"], {
    env: { ...env, SERVER_FIREHOSE: "records", SERVER_FLUSH_INTERVAL: "100ms" },
  });
  const client = startCommand(t, [DENO, "task", "--cwd", root, "client"], {
    ...env,
    SERVER_NAME: `127.0.0.1:${server.port}`,
    CLIENT_FIREHOSE: "eu-west-1:records",
    CLIENT_AGGREGATE: "false",
    CLIENT_RATE: "200",
    CLIENT_WARMUP: "0",
    CLIENT_COUNT: "50",
    CLIENT_ECHO: "true",
    CLIENT_JSON: "true",
  });
  const run = documentOf(await client.exited);
  assert.equal(sinkOf(run).sent, 50);
  const single = endpoint.accepted().filter((text) => text.split("\n").length === 2);
  assert.ok(single.length >= 50, "each line of the client is a record of its own");
  documentOf(await server.stop());
  assert.equal(countDistinct(recordsAt(endpoint)), 100);
});

test("without -k the AWS SDK is not loaded; where it cannot be, -k says so", async (t) => {
  const hook = `import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) {
      if (name.startsWith("@aws-sdk/")) throw new Error("the SDK is loaded");
      return next(name, context);
    } });`;
  const env = {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
    AWS_REGION: "eu-west-1",
  };
  const server = await startServer(t, ["--ndjson", "/dev/null"], { env, runtime: "node" });
  const args = ["-s", `127.0.0.1:${server.port}`, "--count", "20", ...QUICK];
  const without = start(t, "client", args, { env, runtime: "node" });
  assert.deepEqual(documentOf(await without.exited).sinks, []);
  assert.equal((await server.stop()).code, 0);

  const loading = start(t, "client", [...args, "-k", "records"], { env, runtime: "node" });
  const { code, stderr } = await loading.exited;
  assert.equal(code, 1, stderr);
  const errors = loading.log().filter(({ level }) => level === "error");
  assert.deepEqual(errors.map(({ message }) => message), [
    "records cannot be sent to Firehose: the SDK is loaded",
  ]);
});

test("a stream whose region nobody tells ends the run with one clear line", async (t) => {
  const folder = await makeFolder(t);
  const env = { HOME: folder };
  const server = start(t, "server", ["--port", "0", "-k", "records"], { env });
  const { code, stderr } = await server.exited;
  assert.equal(code, 1, stderr);
  const errors = server.log().filter(({ level }) => level === "error");
  assert.equal(errors.length, 1, stderr);
  assert.match(errors[0]!.message, /region .*write -k REGION:records, or set AWS_REGION/);
});

test("without a spool, records that Firehose does not take are lost, and told so", async (t) => {
  const endpoint = await startEndpoint(t);
  const env = sdkEnv(endpoint);
  await endpoint.refuse();
  const server = await startServer(t);
  const client = start(t, "client", [
    ...["-s", `127.0.0.1:${server.port}`, "-k", "records", "--count", "100", "--grace", "1s"],
    ...QUICK,
  ], { env });
  const exit = await client.exited;
  const { accepted, queued, sent, failed } = sinkOf(documentOf(exit));
  assert.deepEqual({ accepted, queued, sent, failed }, {
    accepted: 100,
    queued: 0,
    sent: 0,
    failed: 100,
  });
  const lost = client.log().find(({ message }) => message.includes("records are lost"));
  assert.equal(lost?.level, "warn", exit.stderr);
  assert.equal(lost["failed"], 100);
  assert.match(lost.message, /with --spool DIR/);
});

test("with a spool, records outlast an outage, and go out at the next start", async (t) => {
  const endpoint = await startEndpoint(t);
  const env = sdkEnv(endpoint);
  const spool = join(await makeFolder(t), "spool");
  const server = await startServer(t);
  const run = (count: number) =>
    start(t, "client", [
      ...["-s", `127.0.0.1:${server.port}`, "-k", "records", "--spool", spool],
      ...["--count", String(count), "--grace", "2s", ...QUICK],
    ], { env });

  await endpoint.refuse();
  const first = run(100);
  const { oldest_waiting_s: _, ...left } = sinkOf(documentOf(await first.exited));
  assert.deepEqual(left, {
    sink: "firehose eu-west-1:records",
    accepted: 100,
    queued: 100,
    spooled: 100,
    sent: 0,
    retried: left.retried,
    failed: 0,
    dropped: 0,
  });
  const told = first.log().find(({ message }) => message.includes(`records wait in ${spool}`));
  assert.deepEqual([told?.level, told?.["records"]], ["info", 100]);

  await endpoint.accept();
  const second = sinkOf(documentOf(await run(50).exited));
  const { accepted, recovered, queued, sent } = second;
  assert.deepEqual({ accepted, recovered, queued, sent }, {
    accepted: 50,
    recovered: 100,
    queued: 0,
    sent: 150,
  });
  const records = recordsAt(endpoint);
  assert.equal(records.length, 150);
  assert.equal(countDistinct(records), 150);
});

test("a spool belongs to one living process, which a second one names", async (t) => {
  const endpoint = await startEndpoint(t);
  const env = sdkEnv(endpoint);
  const args = ["-k", "records", "--spool", await makeFolder(t)];
  const first = await startServer(t, args, { env });
  const second = start(t, "server", ["--port", "0", ...args], { env });
  const { code, stderr } = await second.exited;
  assert.equal(code, 1, stderr);
  const errors = second.log().filter(({ level }) => level === "error");
  assert.equal(errors.length, 1, stderr);
  assert.match(errors[0]!.message, new RegExp(`process ${first.pid} uses the folder`));
  assert.equal((await first.stop()).code, 0);
});
