/**
 * What a client measured, told to a relay whose welcome said that it takes reports: figures of
 * hops and paths, also of other relays, and differences of its routes. A report tells what changed
 * since the last one; it is split by keys to stay within MAX_REPORT_BYTES, and one session sends
 * one a second at most.
 *
 *     | length u32 | 8 | 0 |
 *     names u16 × text u16 + UTF-8          names of nodes and labels of routes: indices below
 *     keys u16 × {
 *       flags u8                            bit 0: echo; bit 1: told (the reporter did not end this
 *                                           hop, it heard of it); bit 2: delays follow; bit 3: their
 *                                           bound is known; bit 4: the span's delays follow;
 *                                           bit 5: the span's bound is known
 *       hops u8                             1 to MAX_REPORT_HOPS
 *       nodes, hops + 1 × u16, route u16    in the order of the path
 *       count, up, down, dropped, duplicates, reordered, negative, uncorrected     since the start
 *       [min, mean, stddev, p50, p90, p95, p99, p99.9, max: f32 ms, jitter f32 ms] bit 2
 *       [bound: p50, max: f32 ms]                                                  bit 3
 *       span ms, span count, span lost      since this key was told of before
 *       [p50, p95, p99, max: f32 ms; n, n × { gap, count }]                        bit 4
 *       [largest bound: f32 ms]                                                    bit 5
 *     }
 *     differences u16 × {
 *       flags u8                            bit 0: one way; bit 1: its bound; bit 2: median's
 *                                           interval; bits 3 and 4: round trip, median's interval
 *       a u16, b u16, from u16, to u16, pairs
 *       [9 × f32] [bound: p50, max: f32] [low, high: f32] [9 × f32] [low, high: f32]   all ms
 *     }
 *
 * Counts are whole numbers of up to 53 bits in base 128, lowest digit first, the high bit set on
 * all but the last byte; up, down and span lost may be below zero: 2n for n ≥ 0, −2n − 1 below.
 * A span's delays are a list of buckets (mesh-view.ts) with their counts, in ascending order:
 * `gap` is the distance to the bucket before (the first: to −1).
 */
import { type ByteWriter, createWriter } from "./bytes.ts";
import { FrameType } from "./frame.ts";
import { writeCount, writeMs, writeSigned } from "./report-numbers.ts";

export const MAX_REPORT_BYTES = 16_384;
export const MAX_REPORT_HOPS = 4;
/** The least time between two reports of a session, µs: sooner ones are left unread. */
export const REPORT_PERIOD_US = 1_000_000;
/** One more than the largest bucket that a delay can fall into: that of 30.5 hours. */
export const REPORT_BUCKETS = 1152;

/** Min, mean, stddev, p50, p90, p95, p99, p99.9 and max, in ms. */
export type ReportedDelays = readonly number[];
export const REPORTED_DELAYS = 9;

/** Of a hop or path, on a route. */
export interface ReportedKey {
  /** Names along the path: one more than hops. */
  nodes: readonly string[];
  route: string;
  echo: boolean;
  /** The reporter did not end this hop: others may report it as well. */
  told: boolean;
  count: number;
  up: number;
  down: number;
  dropped: number;
  duplicates: number;
  reordered: number;
  negative: number;
  uncorrected: number;
  delays?: ReportedDelays;
  jitterMs?: number;
  errorMs?: { p50: number; max: number };
  span: ReportedSpan;
}

/** What a key had since it was told of before. */
export interface ReportedSpan {
  ms: number;
  count: number;
  lost: number;
  delays?: { p50: number; p95: number; p99: number; max: number; buckets: readonly number[] };
  errorMs?: number;
}

export interface ReportedDifference {
  a: string;
  b: string;
  from: string;
  to: string;
  pairs: number;
  oneWay?: ReportedDelays;
  errorMs?: { p50: number; max: number };
  oneWayMedian?: { low: number; high: number };
  roundTrip?: ReportedDelays;
  roundTripMedian?: { low: number; high: number };
}

export interface Report {
  keys: ReportedKey[];
  differences: ReportedDifference[];
}

/** Bits of a key's flags. */
export const KeyFlag = {
  echo: 1,
  told: 2,
  delays: 4,
  error: 8,
  spanDelays: 16,
  spanError: 32,
} as const;

/** Bits of a difference's flags. */
export const DifferenceFlag = {
  oneWay: 1,
  error: 2,
  oneWayMedian: 4,
  roundTrip: 8,
  roundTripMedian: 16,
} as const;

/**
 * The report as frames, each within MAX_REPORT_BYTES. Throws RangeError for one key or difference
 * that needs more.
 */
export function writeReports(report: Report): Uint8Array[] {
  const { keys, differences } = report;
  if (keys.length + differences.length === 0) return [];
  const frame = writeReport(report);
  if (frame.byteLength <= MAX_REPORT_BYTES) return [frame];
  if (keys.length + differences.length === 1) throw new RangeError("report: an entry too large");
  const middle = (list: readonly unknown[]) => Math.ceil(list.length / 2);
  const halves = [
    { keys: keys.slice(0, middle(keys)), differences: differences.slice(0, middle(differences)) },
    { keys: keys.slice(middle(keys)), differences: differences.slice(middle(differences)) },
  ];
  return halves.flatMap(writeReports);
}

function writeReport({ keys, differences }: Report): Uint8Array {
  const names = new Map<string, number>();
  const indexOf = (name: string): number => {
    const index = names.get(name) ?? names.size;
    names.set(name, index);
    return index;
  };
  for (const { nodes, route } of keys) {
    for (const node of nodes) indexOf(node);
    indexOf(route);
  }
  for (const { a, b, from, to } of differences) [a, b, from, to].forEach(indexOf);
  const writer = createWriter(FrameType.report, 0);
  writer.u16(names.size);
  for (const name of names.keys()) writer.text(name);
  writer.u16(keys.length);
  for (const key of keys) writeKey(writer, key, indexOf);
  writer.u16(differences.length);
  for (const difference of differences) writeDifference(writer, difference, indexOf);
  return writer.finish();
}

function writeKey(writer: ByteWriter, key: ReportedKey, indexOf: (name: string) => number): void {
  const { delays, errorMs, span } = key;
  writer.u8(
    (key.echo ? KeyFlag.echo : 0) | (key.told ? KeyFlag.told : 0) | (delays ? KeyFlag.delays : 0) |
      (errorMs ? KeyFlag.error : 0) | (span.delays ? KeyFlag.spanDelays : 0) |
      (span.errorMs === undefined ? 0 : KeyFlag.spanError),
  );
  writer.u8(key.nodes.length - 1);
  for (const node of key.nodes) writer.u16(indexOf(node));
  writer.u16(indexOf(key.route));
  writeCount(writer, key.count);
  writeSigned(writer, key.up);
  writeSigned(writer, key.down);
  const { dropped, duplicates, reordered, negative, uncorrected } = key;
  for (const count of [dropped, duplicates, reordered, negative, uncorrected]) {
    writeCount(writer, count);
  }
  if (delays) writeMs(writer, [...delays, key.jitterMs ?? 0]);
  if (errorMs) writeMs(writer, [errorMs.p50, errorMs.max]);
  writeCount(writer, span.ms);
  writeCount(writer, span.count);
  writeSigned(writer, span.lost);
  if (span.delays) {
    const { p50, p95, p99, max, buckets } = span.delays;
    writeMs(writer, [p50, p95, p99, max]);
    writeCount(writer, buckets.length / 2);
    let before = -1;
    for (let i = 0; i < buckets.length; i += 2) {
      writeCount(writer, buckets[i]! - before);
      writeCount(writer, buckets[i + 1]!);
      before = buckets[i]!;
    }
  }
  if (span.errorMs !== undefined) writeMs(writer, [span.errorMs]);
}

function writeDifference(
  writer: ByteWriter,
  difference: ReportedDifference,
  indexOf: (name: string) => number,
): void {
  const { oneWay, errorMs, oneWayMedian, roundTrip, roundTripMedian } = difference;
  writer.u8(
    (oneWay ? DifferenceFlag.oneWay : 0) | (errorMs ? DifferenceFlag.error : 0) |
      (oneWayMedian ? DifferenceFlag.oneWayMedian : 0) |
      (roundTrip ? DifferenceFlag.roundTrip : 0) |
      (roundTripMedian ? DifferenceFlag.roundTripMedian : 0),
  );
  const { a, b, from, to } = difference;
  for (const name of [a, b, from, to]) writer.u16(indexOf(name));
  writeCount(writer, difference.pairs);
  if (oneWay) writeMs(writer, oneWay);
  if (errorMs) writeMs(writer, [errorMs.p50, errorMs.max]);
  if (oneWayMedian) writeMs(writer, [oneWayMedian.low, oneWayMedian.high]);
  if (roundTrip) writeMs(writer, roundTrip);
  if (roundTripMedian) writeMs(writer, [roundTripMedian.low, roundTripMedian.high]);
}
