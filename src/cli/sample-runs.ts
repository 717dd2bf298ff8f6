import type {
  DelayFigures,
  DifferenceSummary,
  KeySummary,
  RouteSummary,
  RunSummary,
  SinkSummary,
} from "../metrics/summary.ts";
import type { KeyTrend } from "../metrics/trends.ts";

/** Runs with known figures, for the tests of what is drawn of them. */

/** A distribution that spreads from its median as queues do. */
export function delays(p50: number, spread = p50 / 10): DelayFigures {
  return {
    min: p50 - spread,
    mean: p50 + spread / 5,
    stddev: spread * 0.8,
    p50,
    p90: p50 + spread,
    p95: p50 + spread * 1.4,
    p99: p50 + spread * 2.5,
    p999: p50 + spread * 6,
    max: p50 + spread * 11,
  };
}

/** Figures of the path along `names`. */
export function key(names: string[], route: string, p50: number, more: Partial<KeySummary> = {}) {
  const hops = names.slice(1).map((name, index) => `${names[index]}::~::${name}`);
  const summary: KeySummary = {
    key: hops.join("<~>"),
    from: names[0] ?? "",
    to: names.at(-1) ?? "",
    route,
    hops: hops.length,
    echo: false,
    count: 1240,
    per_second: 20.0,
    lost: 0,
    up: 0,
    down: 0,
    dropped: 0,
    duplicates: 0,
    reordered: 0,
    negative: 0,
    uncorrected: 0,
    ms: delays(p50),
    error_ms: { p50: 0.0512 * hops.length, max: 0.1234 * hops.length },
    ipdv_ms: delays(p50 / 20),
    jitter_ms: p50 / 15,
    ...more,
  };
  if (hops.length > 1) summary.elapsed_ms = delays(p50 + 0.012);
  return summary;
}

/** How a key went over two intervals, or as `more` has it. */
export function trend(
  { key, route, echo }: Pick<KeySummary, "key" | "route" | "echo">,
  more: Partial<KeyTrend> = {},
): KeyTrend {
  return { key, route, echo, p95_ms: [10, 20], lost: [0, 0], ...more };
}

export function route(label: string, more: Partial<RouteSummary> = {}): RouteSummary {
  return {
    route: label,
    server: `${label}.example.com:8080`,
    state: "closed",
    sent: 1250,
    unsent: 0,
    unconfirmed: 0,
    reconnects: 0,
    rtt_ms: delays(24.1),
    ...more,
  };
}

export function difference(
  ends: [from: string, to: string],
  oneWay: number,
  roundTrip?: number,
  more: Partial<DifferenceSummary> = {},
): DifferenceSummary {
  return {
    a: "direct",
    b: "accelerated",
    from: ends[0],
    to: ends[1],
    pairs: 1240,
    error_ms: { p50: 0.0021, max: 0.0153 },
    owd_ms: delays(oneWay, 0.31),
    owd_median_ms: around(oneWay),
    ...(roundTrip === undefined ? {} : {
      round_trip_ms: delays(roundTrip, 0.62),
      round_trip_median_ms: around(roundTrip),
    }),
    ...more,
  };
}

/** A sink that has written all that it was given. */
export function sink(name: string, more: Partial<SinkSummary> = {}): SinkSummary {
  return {
    sink: name,
    accepted: 3720,
    queued: 0,
    sent: 3720,
    retried: 0,
    failed: 0,
    dropped: 0,
    oldest_waiting_s: 0,
    ...more,
  };
}

/** A confidence interval of a median. */
const around = (ms: number) => ({ low: ms - 0.02, high: ms + 0.02 });

export function clientRun(more: Partial<RunSummary> = {}): RunSummary {
  return {
    version: 1,
    tool: "performance-client",
    tool_version: "1.0.0",
    config: { name: "client-a" },
    started: "2026-03-01T12:00:00.000000Z",
    seconds: 62.04,
    sent: 1250,
    received: 1240,
    warmup: 10,
    routes: [route("localhost", { server: "localhost" })],
    keys: [
      key(["client-b", "server", "client-a"], "localhost", 0.0921),
      key(["server", "client-a"], "localhost", 0.0421),
      key(["client-b", "server"], "localhost", 0.05),
    ],
    lag_ms: delays(0.0041),
    sinks: [],
    notes: [],
    ...more,
  };
}

/** A client with a direct and an accelerated route, and another one that it hears. */
export function twoRoutesRun(more: Partial<RunSummary> = {}): RunSummary {
  const [here, server, there] = ["client-a", "server", "client-b"];
  return clientRun({
    sent: 2500,
    received: 7440,
    warmup: 20,
    routes: [route("direct"), route("accelerated", { rtt_ms: delays(16.05), reconnects: 1 })],
    differences: [
      difference([here, server], -4.29, -7.55),
      difference([server, here], -3.21),
    ],
    keys: [
      key([here, server], "direct", 12.31, { echo: true }),
      key([here, server], "accelerated", 8.02, { echo: true }),
      key([server, here], "direct", 11.81),
      key([server, here], "accelerated", 8.6, { lost: 12, up: 0, down: 12, dropped: 2 }),
      key([here, server, here], "accelerated", 16.62, { echo: true }),
      key([here, server, here], "direct", 24.12, { echo: true }),
      key([there, server, here], "direct", 120.3, { duplicates: 1, reordered: 3 }),
      key([there, server, here], "direct>accelerated", 116.9),
    ],
    ...more,
  });
}

export const REGIONS = [
  "eu-west-1",
  "af-south-1",
  "sa-east-1",
  "ap-east-1",
  "me-south-1",
  "eu-central-1",
  "us-west-1",
];

/** What a client of the first region hears of a client in every other. */
export function sevenRegionsRun(more: Partial<RunSummary> = {}): RunSummary {
  const here = `client-${REGIONS[0]}`;
  const label = "server-sa-east-1";
  const keys = REGIONS.slice(1).flatMap((region, index) => [
    key([`client-${region}`, label], label, 1.2 + index * 57.3),
    key([`client-${region}`, label, here], label, 93.1 + index * 57.3),
  ]);
  return clientRun({
    config: { name: here },
    received: 7440,
    routes: [route(label, { server: "sa-east-1.relay.example.com:8080" })],
    keys: [key([label, here], label, 91.9), ...keys],
    ...more,
  });
}

export function serverRun(more: Partial<RunSummary> = {}): RunSummary {
  const base = clientRun();
  delete base.routes;
  delete base.lag_ms;
  return {
    ...base,
    tool: "performance-server",
    config: { name: "server" },
    keys: [
      key(["client-a", "server"], "direct", 12.31),
      key(["client-a", "server"], "accelerated", 8.02),
      key(["client-b", "server"], "direct", 108.2, { lost: 3, up: 3, uncorrected: 7 }),
    ],
    sessions: [
      { name: "client-a", route: "direct", peer: "10.0.0.7:51234", rtt_ms: 24.1, error_ms: 0.05 },
      { name: "client-b", route: "direct", peer: "[2001:db8::7]:51236", rtt_ms: 210.5 },
    ].map((session) => ({ backlog_bytes: 0, dropped: 0, ...session })),
    residence_ms: delays(0.0123),
    fanout_ms: delays(0.0031),
    sinks: [sink("ndjson")],
    ...more,
  };
}
