// What the programs send to Firehose, as it lies in S3: in an emulator of AWS that is not ours.

import {
  CreateDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
} from "@aws-sdk/client-firehose";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { KeySummary, RunSummary } from "../metrics/summary.ts";
import { type Moto, skipWithoutMoto, startMoto } from "./moto.ts";
import { documentOf, type LogLine, startClient, startServer } from "./processes.ts";

const REGION = "eu-west-1";
const STREAM = "records";
const BUCKET = "measurements";
/** Longer than any of these runs: only their ends send, so that these must send all. */
const AT_THE_END = ["--flush-interval", "1h"];

interface Row {
  kind: string;
  key: string;
  id?: string;
  hop?: number;
  to_id?: string;
  ms?: number;
  count: number;
  reporter: string;
}

interface Store extends Moto {
  /** All lines of all objects that the stream has delivered so far. */
  rows(): Promise<Row[]>;
}

/** A bucket, and a delivery stream that fills it. */
async function createStore(t: TestContext): Promise<Store> {
  const moto = await startMoto(t);
  const options = {
    endpoint: moto.endpoint,
    region: REGION,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const firehose = new FirehoseClient(options);
  t.after(() => {
    s3.destroy();
    firehose.destroy();
  });
  await s3.send(
    new CreateBucketCommand({
      Bucket: BUCKET,
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
  await firehose.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: STREAM,
      ExtendedS3DestinationConfiguration: {
        BucketARN: `arn:aws:s3:::${BUCKET}`,
        RoleARN: "arn:aws:iam::123456789012:role/delivery",
        Prefix: "raw/",
      },
    }),
  );
  const { DeliveryStreamDescription: stream } = await firehose.send(
    new DescribeDeliveryStreamCommand({ DeliveryStreamName: STREAM }),
  );
  assert.equal(stream?.DeliveryStreamStatus, "ACTIVE");

  const textOf = async (key: string): Promise<string> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return await Body!.transformToString();
  };
  return {
    ...moto,
    async rows() {
      const { Contents = [], IsTruncated } = await s3.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "raw/" }),
      );
      assert.equal(IsTruncated, false);
      const texts = await Promise.all(Contents.map(({ Key }) => textOf(Key!)));
      for (const text of texts) assert.equal(text.at(-1), "\n", "an object ends with its line");
      return texts.flatMap((text) => text.slice(0, -1).split("\n")).map((line) => JSON.parse(line));
    },
  };
}

/** How many there are of each, sorted. */
function countBy<T>(items: readonly T[], of: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort());
}

/** All that it accepted is sent. */
function sentOf(document: RunSummary): number {
  const [{ sink, accepted, sent, failed, dropped, queued }, ...more] = document.sinks as [
    RunSummary["sinks"][number],
  ];
  assert.equal(sink, `firehose ${REGION}:${STREAM}`);
  assert.deepEqual(more, []);
  assert.deepEqual({ sent, failed, dropped, queued }, {
    sent: accepted,
    failed: 0,
    dropped: 0,
    queued: 0,
  });
  return sent;
}

/** Single hops that a node ended, by their summary: key and number of messages. */
function hopsEndedBy(name: string, { keys }: RunSummary): Record<string, number> {
  const ended = keys.filter((each: KeySummary) => each.hops === 1 && each.to === name);
  return Object.fromEntries(ended.map(({ key, count }) => [key, count]).sort());
}

for (const aggregation of ["--aggregate", "--no-aggregate"]) {
  const title = `each record of a server and two clients lies in S3 once (${aggregation})`;
  test(title, { skip: skipWithoutMoto }, async (t) => {
    const { env, rows } = await createStore(t);
    const common = [aggregation, "--json"];
    const server = await startServer(t, ["-k", `${REGION}:${STREAM}`, ...common], { env });
    const listener = await startClient(
      t,
      server.port,
      ["-n", "listener", "--rate", "20", ...common, ...AT_THE_END],
      { env: { ...env, CLIENT_FIREHOSE: STREAM } },
    );
    const sender = await startClient(
      t,
      server.port,
      ["-n", "sender", "--rate", "100", "--count", "200", "-k", `${REGION}:${STREAM}`, ...common],
      { env },
    );
    const documents: Record<string, RunSummary> = {
      sender: documentOf(await sender.exited),
      listener: documentOf(await listener.stop()),
      server: documentOf(await server.stop()),
    };

    const records = await rows();
    const byReporter: Record<string, number> = {};
    for (const [name, document] of Object.entries(documents)) {
      byReporter[name] = sentOf(document);
      assert.deepEqual(
        countBy(records.filter(({ reporter }) => reporter === name), ({ key }) => key),
        hopsEndedBy(name, document),
      );
    }
    assert.deepEqual(countBy(records, ({ reporter }) => reporter), byReporter);
    assert.ok(byReporter["listener"]! >= 200 && byReporter["server"]! >= 200, "both ends wrote");
    const identities = new Set(records.map(({ id, hop, to_id }) => `${id} ${hop} ${to_id}`));
    assert.equal(identities.size, records.length, "no record lies there twice");
    assert.deepEqual([...new Set(records.map(({ key }) => key))].sort(), [
      "listener::~::server",
      "sender::~::server",
      "server::~::listener",
      "server::~::sender",
    ]);
  });
}

test("summaries of the keys lie in S3 instead", { skip: skipWithoutMoto }, async (t) => {
  const { env, rows } = await createStore(t);
  const common = ["-k", STREAM, "--records", "summary", "--stats", "1", "--json"];
  const server = await startServer(t, [], { env });
  const listener = await startClient(
    t,
    server.port,
    ["-n", "listener", "--interval", "1h", ...common],
    { env },
  );
  const sender = await startClient(t, server.port, [
    "-n",
    "sender",
    "--rate",
    "80",
    "--count",
    "200",
  ]);
  await sender.exited;
  const document = documentOf(await listener.stop());

  const records = await rows();
  assert.equal(records.length, sentOf(document));
  assert.deepEqual(countBy(records, ({ kind }) => kind), { summary: records.length });
  assert.ok(records.every(({ ms }) => ms === undefined));
  const path = records.filter(({ key }) => key === "sender::~::server<~>server::~::listener");
  assert.ok(path.length > 1, "one for each interval");
  assert.equal(path.reduce((sum, { count }) => sum + count, 0), 200);
});

test("a stream that is not there is told once, and ends no run", {
  skip: skipWithoutMoto,
}, async (t) => {
  const { env, rows } = await createStore(t);
  const server = await startServer(t);
  const listener = await startClient(
    t,
    server.port,
    ["-n", "listener", "--interval", "1h", "-k", "no-such", "--flush-interval", "100ms", "--json"],
    { env },
  );
  const sender = await startClient(t, server.port, ["--rate", "100", "--count", "100"]);
  const isTold = ({ level, message }: LogLine) =>
    level === "warn" && message.includes("there is no delivery stream no-such in eu-west-1");
  await listener.logged(isTold);
  await sender.exited;

  const { sinks } = documentOf(await listener.stop());
  const { accepted, sent, failed, queued } = sinks[0]!;
  assert.deepEqual({ accepted, sent, failed, queued }, {
    accepted: 100,
    sent: 0,
    failed: 100,
    queued: 0,
  });
  assert.equal(listener.log().filter(isTold).length, 1);
  assert.deepEqual(await rows(), []);
});
