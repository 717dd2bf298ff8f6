/** Reads report frames (report-frame.ts), which come from outside. */
import { type ByteReader, createReader } from "./bytes.ts";
import { MAX_NAME_BYTES, MAX_ROUTE_BYTES } from "./frame.ts";
import { isFitForNames } from "./hello.ts";
import { ProtocolError } from "./protocol-error.ts";
import {
  DifferenceFlag,
  KeyFlag,
  MAX_REPORT_BYTES,
  MAX_REPORT_HOPS,
  type Report,
  REPORT_BUCKETS,
  REPORTED_DELAYS,
  type ReportedDifference,
  type ReportedKey,
  type ReportedSpan,
} from "./report-frame.ts";
import { readCount, readMs, readSigned } from "./report-numbers.ts";

/** Throws ProtocolError for lengths, counts, texts and figures against the picture. */
export function readReport(frame: Uint8Array): Report {
  if (frame.byteLength > MAX_REPORT_BYTES) {
    throw new ProtocolError(`report: ${frame.byteLength} bytes, at most ${MAX_REPORT_BYTES}`);
  }
  const reader = createReader(frame, 6, "report");
  const names: string[] = [];
  for (let left = reader.u16(); left > 0; left--) {
    const name = reader.text(Math.max(MAX_NAME_BYTES, MAX_ROUTE_BYTES));
    if (!isFitForNames(name)) throw new ProtocolError("report: a name breaks its rules");
    names.push(name);
  }
  const name = (): string => {
    const found = names[reader.u16()];
    if (found === undefined) throw new ProtocolError("report: a name that is not in its list");
    return found;
  };
  const keys: ReportedKey[] = [];
  for (let left = reader.u16(); left > 0; left--) keys.push(readKey(reader, name));
  const differences: ReportedDifference[] = [];
  for (let left = reader.u16(); left > 0; left--) differences.push(readDifference(reader, name));
  reader.end();
  return { keys, differences };
}

function readKey(reader: ByteReader, name: () => string): ReportedKey {
  const flags = reader.u8();
  const hops = reader.u8();
  if (hops < 1 || hops > MAX_REPORT_HOPS) throw new ProtocolError(`report: ${hops} hops`);
  const nodes: string[] = [];
  for (let i = 0; i <= hops; i++) nodes.push(name());
  if (nodes.includes("")) throw new ProtocolError("report: a node without a name");
  const key: ReportedKey = {
    nodes,
    route: name(),
    echo: (flags & KeyFlag.echo) !== 0,
    told: (flags & KeyFlag.told) !== 0,
    count: readCount(reader),
    up: readSigned(reader),
    down: readSigned(reader),
    dropped: readCount(reader),
    duplicates: readCount(reader),
    reordered: readCount(reader),
    negative: readCount(reader),
    uncorrected: readCount(reader),
    span: { ms: 0, count: 0, lost: 0 },
  };
  if ((flags & KeyFlag.delays) !== 0) {
    key.delays = readMs(reader, REPORTED_DELAYS);
    [key.jitterMs] = readMs(reader, 1) as [number];
  }
  if ((flags & KeyFlag.error) !== 0) key.errorMs = readBound(reader);
  key.span = readSpan(reader, flags);
  return key;
}

function readSpan(reader: ByteReader, flags: number): ReportedSpan {
  const span: ReportedSpan = {
    ms: readCount(reader),
    count: readCount(reader),
    lost: readSigned(reader),
  };
  if ((flags & KeyFlag.spanDelays) !== 0) {
    const [p50, p95, p99, max] = readMs(reader, 4) as [number, number, number, number];
    span.delays = { p50, p95, p99, max, buckets: readBuckets(reader, span.count) };
  }
  if ((flags & KeyFlag.spanError) !== 0) {
    const [errorMs] = readMs(reader, 1) as [number];
    if (errorMs < 0) throw new ProtocolError("report: a bound below zero");
    span.errorMs = errorMs;
  }
  return span;
}

function readBuckets(reader: ByteReader, most: number): number[] {
  const buckets: number[] = [];
  let bucket = -1;
  let total = 0;
  for (let left = readCount(reader); left > 0; left--) {
    const gap = readCount(reader);
    const count = readCount(reader);
    bucket += gap;
    total += count;
    if (gap < 1 || bucket >= REPORT_BUCKETS) throw new ProtocolError("report: a bucket too far");
    if (count < 1 || total > most) {
      throw new ProtocolError("report: buckets hold another number than was counted");
    }
    buckets.push(bucket, count);
  }
  return buckets;
}

function readDifference(reader: ByteReader, name: () => string): ReportedDifference {
  const flags = reader.u8();
  const difference: ReportedDifference = {
    a: name(),
    b: name(),
    from: name(),
    to: name(),
    pairs: readCount(reader),
  };
  if ((flags & DifferenceFlag.oneWay) !== 0) difference.oneWay = readMs(reader, REPORTED_DELAYS);
  if ((flags & DifferenceFlag.error) !== 0) difference.errorMs = readBound(reader);
  if ((flags & DifferenceFlag.oneWayMedian) !== 0) difference.oneWayMedian = readInterval(reader);
  if ((flags & DifferenceFlag.roundTrip) !== 0) {
    difference.roundTrip = readMs(reader, REPORTED_DELAYS);
  }
  if ((flags & DifferenceFlag.roundTripMedian) !== 0) {
    difference.roundTripMedian = readInterval(reader);
  }
  return difference;
}

function readBound(reader: ByteReader): { p50: number; max: number } {
  const [p50, max] = readMs(reader, 2) as [number, number];
  if (p50 < 0 || max < p50) throw new ProtocolError("report: a bound below zero or its median");
  return { p50, max };
}

function readInterval(reader: ByteReader): { low: number; high: number } {
  const [low, high] = readMs(reader, 2) as [number, number];
  if (high < low) throw new ProtocolError("report: an interval that ends before it begins");
  return { low, high };
}
