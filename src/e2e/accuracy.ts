/**
 * How true the figures are, outside the test command: real processes under fake clocks, through
 * proxies of known delays, against the truth.
 *
 *     node src/e2e/accuracy.ts [MESSAGES]
 *
 * Prints two tables as Markdown. Exit code 1 where an error exceeded its bound.
 */
import { spawnSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataFrameBytes, HOP_SLOTS } from "../relay/data-frame.ts";
import { createClockTruth } from "./clock-truth.ts";
import { documentOf, type Owner, start, startProxy, startServer } from "./processes.ts";
import type { DelayOptions, Given } from "./proxy.ts";

const messages = Number(process.argv[2] ?? 600);
/** Unlike any clock frame's. */
const PAYLOAD_BYTES = 300;
const FRAME_BYTES = dataFrameBytes(HOP_SLOTS, PAYLOAD_BYTES);
const INTERVAL_MS = 8;

interface FakeClock {
  name: string;
  /** Arguments of faketime. */
  fake: string[];
  rate: number;
  env?: Record<string, string>;
}

const CLOCKS: FakeClock[] = [
  { name: "as it is", fake: [], rate: 1 },
  { name: "+5 s", fake: ["-f", "+5s"], rate: 1 },
  { name: "−5 s", fake: ["-f", "-5s"], rate: 1 },
  { name: "+5 s, +50 ppm", fake: ["-f", "+5s x1.00005"], rate: 1.00005 },
  { name: "−5 s, −50 ppm", fake: ["-f", "-5s x0.99995"], rate: 0.99995 },
  { name: "+5 s, +200 ppm", fake: ["-f", "+5s x1.0002"], rate: 1.0002 },
  { name: "−5 s, −200 ppm", fake: ["-f", "-5s x0.9998"], rate: 0.9998 },
];

type Way = { up: DelayOptions; down: DelayOptions };
const WAYS: { name: string; way: Way | undefined }[] = [
  { name: "loopback", way: undefined },
  { name: "25 ms each way", way: { up: { delayUs: 25_000 }, down: { delayUs: 25_000 } } },
  { name: "10 ms up, 60 ms down", way: { up: { delayUs: 10_000 }, down: { delayUs: 60_000 } } },
  {
    name: "20 to 30 ms each way",
    way: {
      up: { delayUs: 20_000, jitterUs: 10_000 },
      down: { delayUs: 20_000, jitterUs: 10_000 },
    },
  },
];
const ROUTES: Record<string, Way> = {
  direct: {
    up: { delayUs: 10_000, jitterUs: 2_000 },
    down: { delayUs: 60_000, jitterUs: 2_000 },
  },
  accelerated: {
    up: { delayUs: 25_000, jitterUs: 1_000 },
    down: { delayUs: 5_000, jitterUs: 1_000 },
  },
};

interface HopRecord {
  id: string;
  hop: number;
  route: string;
  intended: string;
  sent: string;
  received: string;
  ms: number;
  ms_raw: number;
  error_ms: number | null;
}

interface Run {
  server: HopRecord[];
  client: HopRecord[];
  given: Record<string, Record<"up" | "down", Given[]>>;
  offset: { at(fakeUs: number): number; errorUs: number };
}

/** Runs what is given, and ends all that it started. */
async function owned<T>(body: (owner: Owner) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  try {
    return await body({ after: (end) => void ends.push(end as () => unknown) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

function run(clock: FakeClock, ways: Record<string, Way | undefined>): Promise<Run> {
  return owned(async (owner) => {
    const server = await startServer(owner, ["--ndjson", "-"]);
    const truth = await createClockTruth(clock.fake);
    owner.after(truth.close);
    const target = { host: "127.0.0.1", port: server.port };
    const proxies = await Promise.all(
      Object.entries(ways).map(async ([label, way]) => ({
        label,
        proxy: way && await startProxy(owner, { target, ...way }),
      })),
    );
    const routes = proxies.map(({ label, proxy }) =>
      `${label}=127.0.0.1:${proxy?.port ?? server.port}`
    );
    const ndjson = join(tmpdir(), `accuracy-${process.pid}.ndjson`);
    owner.after(() => rm(ndjson, { force: true }));
    const client = start(owner, "client", [
      ...["-s", routes.join(), "--interval", `${INTERVAL_MS}ms`, "--count", String(messages)],
      ...["--size", String(PAYLOAD_BYTES), "--warmup", "20", "--echo", "--records", "all"],
      ...["--json", "--ndjson", ndjson],
    ], { through: truth.through });
    documentOf(await client.exited);
    const offset = truth.offset(clock.rate);
    const given: Run["given"] = {};
    for (const { label, proxy } of proxies) if (proxy) given[label] = await proxy.end();
    const fromClient = parse(await readFile(ndjson, "utf8"));
    return {
      server: parse((await server.stop()).stdout),
      client: fromClient.filter(({ hop }) => hop === 2),
      given,
      offset,
    };
  });
}

function parse(text: string): HopRecord[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Microseconds since 2020 of a record's time. */
function timeUs(iso: string): number {
  const wholeSeconds = Date.parse(`${iso.slice(0, 19)}Z`) - Date.UTC(2020, 0, 1);
  return wholeSeconds * 1000 + Number(iso.slice(20, 26));
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)]!;

interface HopErrors {
  errorsUs: number[];
  boundsUs: number[];
}

/** The client's clock is fake, the server's true. */
function hopErrors({ server, client, offset }: Run): HopErrors {
  const all: HopErrors = { errorsUs: [], boundsUs: [] };
  const add = ({ ms, error_ms }: HopRecord, truthUs: number): void => {
    if (error_ms === null) return;
    all.errorsUs.push(Math.abs(ms * 1000 - truthUs));
    all.boundsUs.push(error_ms * 1000);
  };
  for (const record of server) {
    add(record, record.ms_raw * 1000 - offset.at(timeUs(record.sent)));
  }
  for (const record of client) {
    add(record, record.ms_raw * 1000 + offset.at(timeUs(record.received)));
  }
  return all;
}

/** Differences of the pairs on their way up, less what the proxies really gave them, in µs. */
function differenceErrors({ server, given }: Run): number[] {
  const delayOf = (label: string): Map<string, { rawUs: number; givenUs: number }> => {
    const frames = given[label]!.up.filter(([, , bytes]) => bytes >= FRAME_BYTES);
    const records = server.filter(({ route }) => route === label);
    // Warm-up messages are not recorded, but have their place among the frames.
    return new Map(records.flatMap(({ id, intended, ms_raw }) => {
      const frame = frames[Number(id.split("-")[1]) - 1];
      if (frame === undefined) return [];
      return [[intended, { rawUs: ms_raw * 1000, givenUs: frame[1] - frame[0] }]];
    }));
  };
  const [a, b] = Object.keys(ROUTES).map(delayOf);
  return [...b!].flatMap(([intended, second]) => {
    const first = a!.get(intended);
    if (first === undefined) return [];
    return [Math.abs(second.rawUs - first.rawUs - (second.givenUs - first.givenUs))];
  });
}

const us = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

async function hopTable(): Promise<boolean> {
  console.log(
    "| way | client's clock | hops | ± p50, µs | error p95, µs | max, µs | largest error / ± |",
  );
  console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
  let holds = true;
  for (const { name, way } of WAYS) {
    for (const clock of CLOCKS) {
      const result = await run(clock, { way });
      const { errorsUs, boundsUs } = hopErrors(result);
      // What the beacon itself does not know cannot be held against the figures.
      const ratio = Math.max(
        ...errorsUs.map((error, i) => Math.max(error - result.offset.errorUs, 0) / boundsUs[i]!),
      );
      holds &&= ratio <= 1;
      console.log(
        `| ${name} | ${clock.name} | ${errorsUs.length} | ${us(quantile(boundsUs, 0.5))} | ` +
          `${us(quantile(errorsUs, 0.95))} | ${us(quantile(errorsUs, 1))} | ${ratio.toFixed(2)} |`,
      );
    }
  }
  return holds;
}

async function differenceTable(): Promise<void> {
  console.log("\n| client's clock | pairs | error p50, µs | p95, µs | p95 over its control, µs |");
  console.log("| --- | ---: | ---: | ---: | ---: |");
  for (const clock of CLOCKS.slice(1)) {
    const control = differenceErrors(await run(CLOCKS[0]!, ROUTES));
    const errors = differenceErrors(await run(clock, ROUTES));
    const [p95, controlP95] = [quantile(errors, 0.95), quantile(control, 0.95)];
    console.log(
      `| ${clock.name} | ${errors.length} | ${us(quantile(errors, 0.5))} | ${us(p95)} | ` +
        `${us(p95 - controlP95)} |`,
    );
  }
}

if (spawnSync("faketime", ["--version"]).error) {
  console.error("accuracy: faketime is not installed");
  process.exitCode = 1;
} else {
  const holds = await hopTable();
  await differenceTable();
  if (!holds) process.exitCode = 1;
}
