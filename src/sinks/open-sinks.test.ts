import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../platform/failure.ts";
import { openSinks, type SinksConfig } from "./open-sinks.ts";

const nothing: SinksConfig = {
  ndjson: undefined,
  rotateSize: undefined,
  rotateAge: undefined,
  kinesis: undefined,
  flushInterval: 5_000,
  aggregate: true,
  spool: undefined,
  spoolLimit: 2 ** 30,
};

type Told = { level: string; message: string; fields: Readonly<Record<string, unknown>> };

function surroundings(env: Record<string, string> = {}) {
  const told: Told[] = [];
  const tell = (level: string) => (message: string, fields: Told["fields"] = {}) =>
    void told.push({ level, message, fields });
  const log = { warn: tell("warn"), info: tell("info"), debug: () => {} };
  return { told, with: { place: { region: "any" }, env, log } };
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "open-sinks-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An endpoint that refuses every connection, and credentials, for the SDK. */
async function withDeadFirehose(body: () => Promise<void>): Promise<void> {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, "close");
  const set = {
    AWS_ENDPOINT_URL_FIREHOSE: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: "AKIDTEST",
    AWS_SECRET_ACCESS_KEY: "secret",
  };
  const before = Object.keys(set).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, set);
  try {
    await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

test("where nothing is asked for, nothing is opened", async () => {
  assert.equal(await openSinks(nothing, surroundings().with), undefined);
});

test("a record goes to each sink, and closing waits for all of them together", () =>
  withFolder((folder) =>
    withDeadFirehose(async () => {
      const { told, with: around } = surroundings();
      const ndjson = join(folder, "hops.ndjson");
      const kinesis = { name: "records", region: "eu-west-1" };
      const sinks = await openSinks({ ...nothing, ndjson, kinesis }, around);
      sinks!.write('{"n":1}\n');
      sinks!.write('{"n":2}\n');
      await sinks!.close(300);
      assert.equal(readFileSync(ndjson, "utf8"), '{"n":1}\n{"n":2}\n');
      const shown = sinks!.summaries().map(({ sink, accepted, queued, sent, failed }) =>
        `${sink}: ${accepted} = ${queued} + ${sent} + ${failed}`
      );
      assert.deepEqual(shown, [
        `ndjson ${ndjson}: 2 = 0 + 2 + 0`,
        "firehose eu-west-1:records: 2 = 0 + 0 + 2",
      ]);
      // Nothing is wrong with the file; what Firehose never took is lost, without a spool.
      const last = told.at(-1)!;
      assert.equal(last.level, "warn");
      assert.match(last.message, /^firehose eu-west-1:records: records are lost; with --spool DIR/);
      assert.deepEqual(last.fields, { failed: 2, dropped: 0 });
      assert.equal(told.filter(({ message }) => message.includes("lost")).length, 1);
    })
  ));

test("a file is begun anew at its size", () =>
  withFolder(async (folder) => {
    const ndjson = join(folder, "hops.ndjson");
    const sinks = await openSinks({ ...nothing, ndjson, rotateSize: 10 }, surroundings().with);
    sinks!.write("0123456789\n");
    await sinks!.close(5_000);
    const again = await openSinks({ ...nothing, ndjson, rotateSize: 10 }, surroundings().with);
    again!.write("second\n");
    await again!.close(5_000);
    assert.equal(readFileSync(ndjson, "utf8"), "second\n");
  }));

test("a stream's region is the place's where nobody gives another", async () => {
  const { with: around } = surroundings();
  const kinesis = { name: "records", region: undefined };
  const sinks = await openSinks(
    { ...nothing, kinesis },
    { ...around, place: { region: "ap-southeast-7" } },
  );
  assert.equal(sinks!.summaries()[0]?.sink, "firehose ap-southeast-7:records");
  await sinks!.close(0);
});

test("a file that cannot be opened is a failure", () =>
  withFolder((folder) =>
    assert.rejects(
      openSinks({ ...nothing, ndjson: join(folder, "missing", "f") }, surroundings().with),
      (error) => error instanceof Failure && error.message.includes("missing"),
    )
  ));
