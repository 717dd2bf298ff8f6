/**
 * What the HTTP interface sends, as JSON: the mesh as a program knows it, by its own figures and by
 * what its clients report. The page, the report's HTML file and users' own tools read it; fields
 * are only ever added. No Node here: the page imports it.
 *
 * Fields in snake case stand in JSON; times of day are milliseconds since 1970 (`_at`, UTC by the
 * clock of the program that serves), delays are milliseconds (`_ms`), what is not known is absent
 * (in rows: null).
 */

import type { DelayFigures, DifferenceSummary, Interval } from "./summary.ts";

/**
 * `live`: heard of lately. `stale`: nothing new for longer than its own pace explains (15 s, three
 * intervals, or four times its usual gap, whichever is longest), though who reports it is there.
 * `gone`: who reported it, or sent it, has left or died; kept for a while, then forgotten.
 */
export type LifeState = "live" | "stale" | "gone";

/** `GET /api/v1/mesh`, and the data of the event `snapshot`. */
export interface MeshView {
  version: 1;
  /** Name of the program that serves this, its executable and its version. */
  name: string;
  tool: "performance-client" | "performance-server";
  tool_version: string;
  /** Identifies this run of it: another one after reconnecting means that all ids are void. */
  run: string;
  started_at: number;
  /** When this was put together. */
  at: number;
  /** Length of the intervals that points are of, and the time between two updates, in seconds. */
  interval_s: number;
  /** Bound on the error of the serving host's own clock, where it is known. */
  clock_error_ms?: number;
  nodes: NodeView[];
  sessions: SessionView[];
  keys: KeyView[];
  differences: DifferenceView[];
  /** How often a report told of a key that the bounds on their number keep out. */
  omitted_keys: number;
}

/** The data of the event `update`, each interval: what changed. */
export interface MeshUpdate {
  at: number;
  clock_error_ms?: number;
  /** All of them. */
  nodes: NodeView[];
  /** All of them. */
  sessions: SessionView[];
  /** Those with a message, a loss or another state since the last event; replace by `id`. */
  keys: KeyView[];
  /** Ids of keys that are forgotten. */
  forgotten: number[];
  /** All of them. */
  differences: DifferenceView[];
  omitted_keys: number;
}

/** A name: of servers and clients, be they connected here or only told of. */
export interface NodeView {
  name: string;
  kind: "server" | "client";
  /** The best of its sessions', or of the keys that end at it. */
  state: LifeState;
  /** Connected here, all its sessions together. */
  sessions: number;
}

/** A connection: on a server, of a client; on a client, one of its own. */
export interface SessionView {
  /** 16 hexadecimal digits; in records, the part of `id` before its dash. */
  id: string;
  /** Name of the other end: a server's clients, a client's servers. */
  name: string;
  /** Label of the client's route, and which of its connections. */
  route: string;
  flow: number;
  /** Address of the other end. */
  peer: string;
  transport: "tcp" | "udp";
  mode: "paced" | "ping-pong" | "flood";
  state: LifeState;
  joined_at: number;
  /** Since anything was heard of it. */
  silent_s: number;
  /** Of the newest clock exchange. */
  rtt_ms?: number;
  /** Bound on the error of the clock offset. */
  error_ms?: number;
  /** Bytes that wait to be sent to it. */
  backlog_bytes: number;
  /** Messages to it that were given up because it fell behind. */
  dropped: number;
  /** False where the server's filter keeps its messages out. */
  metered: boolean;
  /** Why it is gone. */
  reason?: string;
}

/** Figures of a hop or path on a route, by whoever measured it. */
export interface KeyView {
  /** Number of this key in this run: stable, used by `/api/v1/series` and in updates. */
  id: number;
  /** `A::~::B` for a hop; hops joined by `<~>` for a path. */
  key: string;
  from: string;
  to: string;
  /** A hop's: label of its client's session. A path's: `ORIGIN>RECEIVER`, one label if equal. */
  route: string;
  /** Hops of the path; 1 for a single hop. */
  hops: number;
  echo: boolean;
  state: LifeState;
  /** When the last message, or the last news of a loss, came. */
  changed_at: number;
  /** Names of those whose figures these are; several of one key are added up. */
  reporters: string[];
  /** Measured by the program that serves, or reported to it. */
  source: "own" | "reported";
  /** Since each reporter's start. */
  count: number;
  lost: number;
  up: number;
  down: number;
  dropped: number;
  duplicates: number;
  reordered: number;
  uncorrected: number;
  negative: number;
  /** Over the newest interval. */
  per_second: number;
  /** Corrected one-way delay; an echo's is the round trip. Absent until one was measured. */
  ms?: DelayFigures;
  /** Percentiles are those of several reporters' added buckets: within 1.6 %. */
  merged?: true;
  /** 95 % confidence of the percentiles, where one program measured them. */
  confidence_ms?: { p50: Interval; p95: Interval; p99: Interval };
  /** Bound on the error of `ms`. */
  error_ms?: { p50: number; max: number };
  jitter_ms?: number;
  /** Of the newest interval in which there was anything. */
  last?: Point;
}

/** A route beside another: what the summary says of it, and who says so. */
export interface DifferenceView extends DifferenceSummary {
  reporter: string;
  state: LifeState;
}

/**
 * One interval of a key, as a row to keep it short: end of the interval (ms since 1970), messages,
 * lost (what became known in it: below zero where a message came after all), p50, p95, p99 and
 * maximum of the delay in ms, largest bound on its error in ms, and the delays themselves, as pairs
 * of bucket and count one after the other (`bucketMs`). Delays are null where there were none, the
 * bound is null where it is unknown.
 */
export type Point = [
  endAt: number,
  count: number,
  lost: number,
  p50: number | null,
  p95: number | null,
  p99: number | null,
  max: number | null,
  errorMs: number | null,
  buckets: number[],
];

/** `GET /api/v1/series?keys=ID,…[&since=MS]`: the points that are kept, oldest first. */
export interface SeriesView {
  at: number;
  /** Up to 100 of the keys asked for; those that are not known are left out. */
  series: { id: number; points: Point[] }[];
}

/** `GET /api/v1/percentiles?keys=ID,…`: the whole distribution since the start, for up to 20 keys. */
export interface PercentilesView {
  at: number;
  curves: PercentileCurve[];
}

/** Delay by percentile, to be drawn over −log10(1 − quantile). */
export interface PercentileCurve {
  id: number;
  count: number;
  /** Pairs of quantile (0 to 1, the last is 1) and delay in ms, ascending. */
  curve: [quantile: number, ms: number][];
  /** Base64 of the compressed V2 HdrHistogram, unit 0.1 µs, where this program measured it. */
  hdr?: string;
}

/** Buckets an octave: each is at most 1/32 of its value wide, so its middle is within 1.6 %. */
const BUCKET_BITS = 5;
const BUCKETS_PER_OCTAVE = 1 << BUCKET_BITS;
const UNITS_PER_MS = 10_000;

/** Bucket of a delay in ms: units of 0.1 µs, exact up to 6.4 µs. Below zero counts as 0. */
export function bucketOf(ms: number): number {
  const units = Math.floor(ms * UNITS_PER_MS + 0.5);
  if (!(units >= 2 * BUCKETS_PER_OCTAVE)) return Math.max(0, units) || 0;
  const shift = Math.floor(Math.log2(units)) - BUCKET_BITS;
  return shift * BUCKETS_PER_OCTAVE + Math.floor(units / 2 ** shift);
}

/** Middle of a bucket, in ms. */
export function bucketMs(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1);
  const lowest = (bucket - shift * BUCKETS_PER_OCTAVE) * 2 ** shift;
  return (lowest + (2 ** shift - 1) / 2) / UNITS_PER_MS;
}

/** The largest bucket that is ever used: that of 30.5 hours. */
export const MOST_BUCKET = bucketOf((2 ** 40 - 1) / UNITS_PER_MS);

/**
 * Delays at quantiles in ascending order, by nearest rank, of buckets added up from any number of
 * points: so a window of any length has its percentiles, within 1.6 %. Undefined where they hold
 * nothing.
 */
export function bucketPercentiles(
  lists: Iterable<readonly number[]>,
  quantiles: readonly number[],
): number[] | undefined {
  const counts = new Map<number, number>();
  let total = 0;
  for (const list of lists) {
    for (let i = 0; i + 1 < list.length; i += 2) {
      counts.set(list[i]!, (counts.get(list[i]!) ?? 0) + list[i + 1]!);
      total += list[i + 1]!;
    }
  }
  if (total === 0) return undefined;
  const ordered = [...counts].sort(([a], [b]) => a - b);
  const values: number[] = [];
  let seen = 0;
  for (const [bucket, count] of ordered) {
    seen += count;
    while (
      values.length < quantiles.length &&
      Math.max(1, Math.ceil(quantiles[values.length]! * total * (1 - 2 ** -50))) <= seen
    ) values.push(bucketMs(bucket));
  }
  return values;
}
