/**
 * Real processes under fake clocks, through proxies of known delays: what their figures are off by.
 * faketime has to be installed.
 */
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataFrameBytes, HOP_SLOTS } from "../relay/data-frame.ts";
import { createClockTruth } from "./clock-truth.ts";
import { owned } from "./owned.ts";
import { documentOf, start, startProxy, startServer } from "./processes.ts";
import type { DelayOptions, Given } from "./proxy.ts";

/** Unlike any clock frame's. */
const PAYLOAD_BYTES = 300;
const FRAME_BYTES = dataFrameBytes(HOP_SLOTS, PAYLOAD_BYTES);
const INTERVAL_MS = 8;

export interface FakeClock {
  name: string;
  /** Arguments of faketime. */
  fake: string[];
  rate: number;
  env?: Record<string, string>;
}

export const CLOCKS: FakeClock[] = [
  { name: "as it is", fake: [], rate: 1 },
  { name: "+5 s", fake: ["-f", "+5s"], rate: 1 },
  { name: "−5 s", fake: ["-f", "-5s"], rate: 1 },
  { name: "+5 s, +50 ppm", fake: ["-f", "+5s x1.00005"], rate: 1.00005 },
  { name: "−5 s, −50 ppm", fake: ["-f", "-5s x0.99995"], rate: 0.99995 },
  { name: "+5 s, +200 ppm", fake: ["-f", "+5s x1.0002"], rate: 1.0002 },
  { name: "−5 s, −200 ppm", fake: ["-f", "-5s x0.9998"], rate: 0.9998 },
];

export type Way = { up: DelayOptions; down: DelayOptions };
export const WAYS: { name: string; way: Way | undefined }[] = [
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
/** Two routes, unlike each other and asymmetric. */
export const ROUTES: Record<string, Way> = {
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

export interface Run {
  server: HopRecord[];
  client: HopRecord[];
  given: Record<string, Record<"up" | "down", Given[]>>;
  offset: { at(fakeUs: number): number; errorUs: number };
}

/** Measures with the client's clock so, over these ways. */
export function run(
  clock: FakeClock,
  ways: Record<string, Way | undefined>,
  messages: number,
): Promise<Run> {
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

/** By nearest rank. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)]!;

export interface HopErrors {
  errorsUs: number[];
  boundsUs: number[];
  /** The largest error as a share of its own bound. */
  worstOfBound: number;
}

/** Of all hops of both programs. The client's clock is fake, the server's true. */
export function hopErrors({ server, client, offset }: Run): HopErrors {
  const errorsUs: number[] = [];
  const boundsUs: number[] = [];
  const add = ({ ms, error_ms }: HopRecord, truthUs: number): void => {
    if (error_ms === null) return;
    errorsUs.push(Math.abs(ms * 1000 - truthUs));
    boundsUs.push(error_ms * 1000);
  };
  for (const record of server) {
    add(record, record.ms_raw * 1000 - offset.at(timeUs(record.sent)));
  }
  for (const record of client) {
    add(record, record.ms_raw * 1000 + offset.at(timeUs(record.received)));
  }
  // What the beacon itself does not know cannot be held against the figures.
  const excessUs = (errorUs: number): number => Math.max(errorUs - offset.errorUs, 0);
  const worstOfBound = errorsUs.reduce(
    (worst, errorUs, i) => Math.max(worst, excessUs(errorUs) / boundsUs[i]!),
    0,
  );
  return { errorsUs, boundsUs, worstOfBound };
}

/** Differences of the pairs on their way up, less what the proxies really gave them, in µs. */
export function differenceErrors({ server, given }: Run): number[] {
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
