import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Failure } from "../platform/failure.ts";
import { createFirehosePut } from "../sinks/firehose-client.ts";
import type { PutOutcome } from "../sinks/firehose-put.ts";
import { createFirehoseSink } from "../sinks/firehose-sink.ts";
import { createMemoryQueue } from "../sinks/memory-queue.ts";
import {
  createFirehoseEndpoint,
  type EndpointOptions,
  type FirehoseEndpoint,
  TEST_CREDENTIALS,
} from "./firehose-endpoint.ts";

const { accessKeyId, secretAccessKey } = TEST_CREDENTIALS;
const KEYS = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const lines = (count: number, length = 600): string[] =>
  Array.from(
    { length: count },
    (_, i) => `{"id":"a-${i}","hop":1,"to_id":"b"}`.padEnd(length - 1) + "\n",
  );

type Put = (texts: string[], signal?: AbortSignal) => Promise<PutOutcome>;

/** The SDK reads the process's own environment: it has nothing of AWS but what is given here. */
async function withEnvironment<T>(
  variables: Record<string, string>,
  body: () => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("AWS_")) delete process.env[name];
  }
  Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: "true", HOME: "/nowhere" }, variables);
  try {
    return await body();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

/** The real SDK against the endpoint. */
async function withEndpoint(
  t: TestContext,
  body: (endpoint: FirehoseEndpoint, put: Put) => Promise<void>,
  { stream = "records", env = KEYS, ...options }: EndpointOptions & {
    stream?: string;
    env?: Record<string, string>;
  } = {},
): Promise<void> {
  const endpoint = await createFirehoseEndpoint({ keep: "records", ...options });
  t.after(() => endpoint.close());
  const variables = { AWS_ENDPOINT_URL_FIREHOSE: endpoint.url, ...env };
  await withEnvironment(variables, async () => {
    const { put } = await createFirehosePut({ stream, region: "eu-west-1", env: process.env });
    await body(endpoint, (texts, signal = never) => put(texts.map(bytes), signal));
  });
}

function assertOutcome(outcome: PutOutcome, kind: PutOutcome["kind"], message: RegExp): void {
  assert.equal(outcome.kind, kind, JSON.stringify(outcome));
  assert.match(outcome.message ?? "", message);
}

test("records arrive byte by byte, signed, in one request", (t) =>
  withEndpoint(t, async (endpoint, put) => {
    const texts = ["{}\n", '{"name":"Zürich ✓"}\n', "x".repeat(900_000)];
    assert.deepEqual(await put(texts), { kind: "answered", refused: [] });
    assert.deepEqual(endpoint.accepted(), texts);
    assert.equal(endpoint.counts().requests, 1);
  }));

test("of a request that fails in part, it is told which records", (t) =>
  withEndpoint(t, async (endpoint, put) => {
    const texts = lines(40);
    const outcome = await put(texts);
    assertOutcome(outcome, "answered", /ServiceUnavailableException/);
    const refused = outcome.kind === "answered" ? outcome.refused : [];
    assert.ok(refused.length > 0 && refused.length < 40);
    assert.deepEqual(endpoint.accepted(), texts.filter((_, index) => !refused.includes(index)));
  }, { faults: { partial: 1 } }));

const errors: [string, Parameters<typeof withEndpoint>[2], PutOutcome["kind"], RegExp][] = [
  ["a stream that does not exist", { stream: "other" }, "blocked", /no delivery stream other/],
  ["an unknown key", { credentials: [] }, "blocked", /does not know these credentials/],
  [
    "a wrong secret key",
    { credentials: [{ accessKeyId, secretAccessKey: "another" }] },
    "blocked",
    /refuses the signature/,
  ],
  [
    "an expired session",
    {
      credentials: [{ accessKeyId, secretAccessKey, sessionToken: "over", expired: true }],
      env: { ...KEYS, AWS_SESSION_TOKEN: "over" },
    },
    "blocked",
    /expired: renew them/,
  ],
  ["no credentials", { env: {} }, "blocked", /no AWS credentials were found: set AWS_PROFILE/],
  ["a missing profile", { env: { AWS_PROFILE: "gone" } }, "blocked", /profile gone/],
  ["an error of the service", { faults: { error500: 1 } }, "failed", /fails \(500/],
  ["an unavailable service", { faults: { error503: 1 } }, "failed", /fails \(503/],
  ["throttling", { faults: { throttle: 1 } }, "failed", /throttled/],
  ["a connection that is reset", { faults: { reset: 1 } }, "failed", /connection reset/],
  ["records that are called invalid", { poison: "a-1" }, "invalid", /InvalidArgument/],
];
for (const [what, options, kind, message] of errors) {
  test(`${what}: ${kind}, in words for users`, (t) =>
    withEndpoint(t, async (endpoint, put) => {
      assertOutcome(await put(lines(3)), kind, message);
      assert.deepEqual(endpoint.accepted(), []);
    }, options));
}

test("a refused connection is failed, and the next one works", (t) =>
  withEndpoint(t, async (endpoint, put) => {
    await put(lines(1));
    await endpoint.refuse();
    assertOutcome(await put(lines(1)), "failed", /connection re(fused|set)/);
    assertOutcome(await put(lines(1)), "failed", /connection refused/);
    await endpoint.accept();
    assert.equal((await put(lines(1))).kind, "answered");
  }));

test("a request that hangs ends when it is given up", (t) =>
  withEndpoint(t, async (endpoint, put) => {
    const abort = new AbortController();
    const outcome = put(lines(1), abort.signal);
    await endpoint.until(({ faults }) => faults["hang"] === 1);
    abort.abort();
    assertOutcome(await outcome, "failed", /no answer/);
  }, { faults: { hang: 1 } }));

test("credentials that were renewed in the profile's file are found", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "firehose-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "credentials");
  const write = (token: string) =>
    writeFileSync(
      file,
      `[work]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n` +
        `aws_session_token = ${token}\n`,
    );
  write("old");
  await withEndpoint(t, async (endpoint, put) => {
    assertOutcome(await put(lines(1)), "blocked", /expired/);
    endpoint.setCredentials([{ ...TEST_CREDENTIALS, sessionToken: "new" }]);
    write("new");
    assert.equal((await put(lines(1))).kind, "answered");
  }, {
    credentials: [{ ...TEST_CREDENTIALS, sessionToken: "old", expired: true }],
    env: { AWS_PROFILE: "work", AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: file },
  });
});

test("a clock that is wrong by an hour is told, and corrected for the next request", (t) =>
  withEndpoint(t, async (_endpoint, put) => {
    assertOutcome(await put(lines(1)), "failed", /clock is wrong/);
    assert.equal((await put(lines(1))).kind, "answered");
  }, { nowMs: () => Date.now() + 3_600_000 }));

test("what answers must be Firehose, or nothing counts as sent", async (t) => {
  const { createServer } = await import("node:http");
  const server = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  const { port } = server.address() as { port: number };
  await withEndpoint(t, async (_endpoint, put) => {
    assertOutcome(await put(lines(1)), "failed", /not Firehose/);
  }, { env: { ...KEYS, AWS_ENDPOINT_URL_FIREHOSE: `http://127.0.0.1:${port}` } });
});

test("the region is the switch's, the environment's, the machine's, or told as missing", () =>
  withEnvironment({}, async () => {
    const regionOf = async (region?: string, placeRegion?: string, env = {}): Promise<string> =>
      (await createFirehosePut({ stream: "records", region, placeRegion, env })).region;
    assert.equal(await regionOf("a-1", "b-1", { AWS_REGION: "c-1" }), "a-1");
    assert.equal(await regionOf(undefined, "b-1", { AWS_REGION: "c-1" }), "c-1");
    assert.equal(await regionOf(undefined, "b-1", { AWS_DEFAULT_REGION: "d-1" }), "d-1");
    assert.equal(await regionOf(undefined, "b-1"), "b-1");
    await assert.rejects(
      regionOf(),
      (error) => error instanceof Failure && /-k REGION:records/.test(error.message),
    );
  }));

test("through all faults and two outages, each record arrives once at least", async (t) => {
  const faults = { partial: 0.2, error503: 0.1, acceptThenReset: 0.1, throttle: 0.05 };
  await withEndpoint(t, async (endpoint) => {
    const { put } = await createFirehosePut({ stream: "records", region: "r", env: process.env });
    const nowMs = (): number => performance.now();
    const sink = createFirehoseSink({
      name: "r:records",
      queue: createMemoryQueue({ nowMs, warn: assert.fail }),
      put,
      flushMs: 100,
      aggregate: true,
      nowMs,
      // Short waits: the endpoint does not mind.
      random: () => 0.1,
      log: { warn() {}, info() {}, debug() {} },
    });
    const all = lines(12_000);
    for (const [index, line] of all.entries()) {
      sink.write(line);
      if (index === 3000 || index === 8000) {
        await endpoint.until(({ distinct }) => distinct > index / 2);
        await endpoint.refuse();
      }
      if (index === 5000 || index === 9000) await endpoint.accept();
    }
    await sink.close(60_000);
    const { sent, queued, failed, dropped } = sink.summary();
    assert.deepEqual({ sent, queued, failed, dropped }, {
      sent: all.length,
      queued: 0,
      failed: 0,
      dropped: 0,
    });
    const { distinct, duplicates } = endpoint.counts();
    assert.equal(distinct, all.length);
    assert.ok(all.every((line) => endpoint.has(line)));
    t.diagnostic(`${duplicates} duplicates`);
  }, { faults, seed: 7, keep: "keys" });
});
