/**
 * Real processes under fake clocks, through proxies of known delays: what their figures are off by.
 * faketime has to be installed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DifferenceSummary } from "../metrics/summary.ts";
import { dataFrameBytes, HOP_SLOTS } from "../relay/data-frame.ts";
import { createClockTruth } from "./clock-truth.ts";
import { FAKETIME_LIBRARY } from "./faketime.ts";
import { owned } from "./owned.ts";
import { documentOf, start, startProxies, startServer } from "./processes.ts";
import type { DelayOptions, Given } from "./proxy.ts";

/** Unlike any clock frame's. */
const PAYLOAD_BYTES = 300;
const FRAME_BYTES = dataFrameBytes(HOP_SLOTS, PAYLOAD_BYTES);
const INTERVAL_MS = 8;
/** The client's. */
const NAME = "accuracy";

export interface FakeClock {
  name: string;
  /** What faketime is told, such as `+5s x1.0002`; undefined: nothing is faked. */
  fake?: string;
  rate: number;
  /** What it is told when half of the messages are sent: the wall clock is set, time goes on. */
  then?: string;
}

export const CLOCKS: FakeClock[] = [
  { name: "as it is", rate: 1 },
  { name: "+5 s", fake: "+5s", rate: 1 },
  { name: "−5 s", fake: "-5s", rate: 1 },
  { name: "+5 s, +50 ppm", fake: "+5s x1.00005", rate: 1.00005 },
  { name: "−5 s, −50 ppm", fake: "-5s x0.99995", rate: 0.99995 },
  { name: "+5 s, +200 ppm", fake: "+5s x1.0002", rate: 1.0002 },
  { name: "−5 s, −200 ppm", fake: "-5s x0.9998", rate: 0.9998 },
  { name: "+5 s, set to +13 s in mid-run", fake: "+5s", rate: 1, then: "+13s" },
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
  /** As the client told them at its end. */
  differences: DifferenceSummary[];
}

/** Measures with the client's clock so, over these ways. */
export function run(
  clock: FakeClock,
  ways: Record<string, Way | undefined>,
  messages: number,
): Promise<Run> {
  return owned(async (owner) => {
    const server = await startServer(owner, ["--ndjson", "-"]);
    const fake = createFake(clock);
    owner.after(fake.forget);
    const truth = await createClockTruth(fake.command);
    owner.after(truth.close);
    const target = { host: "127.0.0.1", port: server.port };
    const delayed = Object.entries(ways).flatMap(([label, way]) => way ? [{ label, way }] : []);
    // One process: what two do that look at the clock all the time, the programs wait for.
    const proxies = delayed.length === 0
      ? undefined
      : await startProxies(owner, delayed.map(({ way }) => ({ target, ...way })));
    const portOf = new Map(delayed.map(({ label }, i) => [label, proxies!.ports[i]!]));
    const routes = Object.keys(ways).map((label) =>
      `${label}=127.0.0.1:${portOf.get(label) ?? server.port}`
    );
    const ndjson = join(tmpdir(), `accuracy-${process.pid}.ndjson`);
    owner.after(() => rm(ndjson, { force: true }));
    const client = start(owner, "client", [
      ...[
        "-n",
        NAME,
        "-s",
        routes.join(),
        "--interval",
        `${INTERVAL_MS}ms`,
        "--count",
        String(messages),
      ],
      ...["--size", String(PAYLOAD_BYTES), "--warmup", "20", "--echo", "--records", "all"],
      ...["--json", "--ndjson", ndjson],
    ], { through: truth.through });
    const halfTime = setTimeout(fake.then, (messages * INTERVAL_MS) / 2);
    owner.after(() => clearTimeout(halfTime));
    const document = documentOf(await client.exited);
    const offset = truth.offset(clock.rate);
    const given: Run["given"] = {};
    (await proxies?.end())?.forEach((one, i) => given[delayed[i]!.label] = one);
    const fromClient = parse(await readFile(ndjson, "utf8"));
    return {
      server: parse((await server.stop()).stdout),
      client: fromClient.filter(({ hop }) => hop === 2),
      given,
      offset,
      differences: document.differences ?? [],
    };
  });
}

/** A command that runs another one under a fake clock; `then` sets that clock. */
function createFake({ fake, then }: FakeClock) {
  const folder = mkdtempSync(join(tmpdir(), "accuracy-"));
  const file = join(folder, "clock");
  const tell = (text: string): void => writeFileSync(file, `${text}\n`);
  if (fake !== undefined) tell(fake);
  // A wall clock that is set takes no other clock with it; one that drifts does.
  const variables = [
    ...[`FAKETIME_TIMESTAMP_FILE=${file}`, "FAKETIME_CACHE_DURATION=1"],
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
  ];
  const setting = ["env", `LD_PRELOAD=${FAKETIME_LIBRARY}`, ...variables];
  return {
    command: fake === undefined ? [] : then === undefined ? ["faketime", "-f", fake] : setting,
    then: () => {
      if (then !== undefined) tell(then);
    },
    forget: () => rmSync(folder, { recursive: true }),
  };
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

/** Of the differences of two routes, pair by pair, in µs. */
export interface DifferenceErrors {
  /** On the way up, against what the proxies really gave the two messages. */
  upUs: number[];
  /**
   * The same of the same messages, all stamped by one clock: the sender's stamps as the true clock
   * would have made them. What a message waits for the processor before and behind the proxy is in
   * both, so what a wrong clock spoils is their difference.
   */
  upByOneClockUs: number[];
  /** On the way down, against the receptions as the true clock would have stamped them. */
  downUs: number[];
  /** Mean difference of all pairs as the client told it − as one clock tells it: up and down. */
  toldUs: { up: number; down: number };
}

interface Half {
  rawUs: number;
  byOneClockUs: number;
  givenUs: number;
}

export function differenceErrors(run: Run): DifferenceErrors {
  const { server, client, given, offset } = run;
  const trueUs = (fakeUs: number): number => fakeUs + offset.at(fakeUs);
  const [first, second] = Object.keys(ROUTES) as [string, string];
  const upOf = (label: string): Map<string, Half> => {
    const frames = given[label]!.up.filter(([, , bytes]) => bytes >= FRAME_BYTES);
    // Warm-up messages are not recorded, but have their place among the frames.
    return new Map(
      server.filter(({ route }) => route === label).flatMap((record) => {
        const frame = frames[Number(record.id.split("-")[1]) - 1];
        if (frame === undefined) return [];
        const byOneClockUs = timeUs(record.received) - trueUs(timeUs(record.sent));
        const half = { rawUs: record.ms_raw * 1000, byOneClockUs, givenUs: frame[1] - frame[0] };
        return [[record.intended, half]];
      }),
    );
  };
  const downOf = (label: string): Map<string, Half> =>
    new Map(
      client.filter(({ route }) => route === label).map((record) => {
        const byOneClockUs = trueUs(timeUs(record.received)) - timeUs(record.sent);
        return [record.id, { rawUs: record.ms_raw * 1000, byOneClockUs, givenUs: NaN }];
      }),
    );
  const up = pairsOf(upOf(first), upOf(second));
  const down = pairsOf(downOf(first), downOf(second));
  const told = (isUp: boolean): number =>
    run.differences.find(({ to, owd_ms }) => owd_ms && (to !== NAME) === isUp)!.owd_ms!.mean * 1000;
  return {
    upUs: up.map(({ rawUs, givenUs }) => Math.abs(rawUs - givenUs)),
    upByOneClockUs: up.map(({ byOneClockUs, givenUs }) => Math.abs(byOneClockUs - givenUs)),
    downUs: down.map(({ rawUs, byOneClockUs }) => Math.abs(rawUs - byOneClockUs)),
    toldUs: { up: told(true) - meanByOneClock(up), down: told(false) - meanByOneClock(down) },
  };
}

/** The second − the first of all that came both ways. */
function pairsOf(first: Map<string, Half>, second: Map<string, Half>): Half[] {
  return [...second].flatMap(([key, b]) => {
    const a = first.get(key);
    if (a === undefined) return [];
    return [{
      rawUs: b.rawUs - a.rawUs,
      byOneClockUs: b.byOneClockUs - a.byOneClockUs,
      givenUs: b.givenUs - a.givenUs,
    }];
  });
}

const meanByOneClock = (pairs: readonly Half[]): number =>
  pairs.reduce((sum, { byOneClockUs }) => sum + byOneClockUs, 0) / pairs.length;
