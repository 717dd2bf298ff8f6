/** What the report reads: records, and the histograms in them. */
import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { Histogram } from "../../metrics/histogram.ts";
import { decodeHistogram } from "../../report/hdr.ts";
import { readRecords } from "../../report/read-records.ts";
import { run } from "../../report/report-world.ts";
import { BACK, DOWN, hopLine, UP } from "../../report/sample-records.ts";
import { concat } from "./pieces.ts";
import { readOrRefuse, type Target } from "./target.ts";

const utf8 = new TextEncoder();

function aHistogram(digits: 2 | 3): Histogram {
  const histogram = new Histogram(digits);
  for (const us of [0.1, 30, 30, 5000, 123_456]) histogram.record(us);
  return histogram;
}

function summaryLine(): string {
  const record = {
    ...{ key: "a::~::server", received: "2026-03-01T09:30:10.000000Z", v: 1, kind: "summary" },
    interval_start: "2026-03-01T09:30:00.000000Z",
    interval_end: "2026-03-01T09:30:10.000000Z",
    ...{ from: "a", to: "server", route: "direct", hops: 1, echo: false, count: 5, lost: 0, up: 0 },
    ...{ down: 0, dropped: 0, duplicates: 0, reordered: 0, negative: 0, uncorrected: 0 },
    ...{ per_second: 0.5, bytes_per_second: 80, min_ms: 0.0001, mean_ms: 25.7, max_ms: 123.456 },
    ...{ stddev_ms: 50, p50_ms: 0.03, p90_ms: 123, error_p50_ms: 0.3, error_max_ms: 0.5 },
    ...{ hdr: aHistogram(3).encode(), reporter: "server", region: null, zone: null, run: "r" },
  };
  return `${JSON.stringify(record)}\n`;
}

const lines = [UP, DOWN, BACK].map((spec) => hopLine(spec, 1));

/** Lines of any kind: each is a record or malformed, and the same however their bytes come. */
const records: Target = {
  name: "records",
  shape: "json",
  mostBytes: 16_384,
  seeds: () =>
    [lines.join(""), hopLine(BACK, 2) + hopLine(BACK, 3), hopLine(UP, 2), summaryLine()].map((
      text,
    ) => utf8.encode(text)),
  async run(input) {
    const first = await readAll([input]);
    const half = Math.floor(input.byteLength / 2);
    const second = await readAll([input.subarray(0, half), input.subarray(half)]);
    assert.deepEqual(second, first);
    const { report, said } = first;
    assert.equal(said.length + report.malformed, report.lines);
    return said.length > 0;
  },
};

async function readAll(pieces: readonly Uint8Array[]) {
  const said: unknown[] = [];
  const stdin = (async function* () {
    for (const piece of pieces) yield Uint8Array.from(piece);
  })();
  const input = { name: "-", path: undefined, bytes: 0, isCompressed: false };
  const report = await readRecords<string>([input], {
    streamOf: (spec) => JSON.stringify(spec),
    hop: (stream, values) => void said.push([stream, ...values]),
    summary: (summary) => {
      said.push(summary);
      return undefined;
    },
  }, { stdin, progress() {} });
  return { report, said };
}

/** The whole report on them: its figures are numbers, and its text holds nothing to obey. */
const report: Target = {
  ...records,
  name: "report-command",
  async run(input) {
    const { code, stdout } = await run(["-", "--json"], { stdin: [input.slice()] });
    assert.equal(code, 0);
    JSON.parse(stdout);
    const table = await run(["-"], { stdin: [input.slice()] });
    assert.doesNotMatch(
      table.stdout,
      /[^\P{Cc}\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
    );
    assert.doesNotMatch(table.stdout, /NaN|Infinity|undefined/);
    return /"hops":[1-9]/.test(stdout);
  },
};

/** Histograms, changed before they are compressed, so that more than the compression is tried. */
const histogram: Target = {
  name: "histogram",
  shape: "bytes",
  mostBytes: 4096,
  seeds: () =>
    [aHistogram(2), aHistogram(3)].flatMap((each) => {
      const frame = Buffer.from(each.encode(), "base64");
      return [frame, concat([Uint8Array.of(0), plainOf(each)])];
    }),
  run(input) {
    // What begins with a zero is compressed here.
    const frame = input[0] === 0 ? compress(input.subarray(1)) : input;
    const counted = readOrRefuse(
      () => decodeHistogram(Buffer.from(frame).toString("base64")),
      RangeError,
    );
    if (counted === undefined) return false;
    let before = -1;
    let total = 0;
    for (const { valueUs, count } of counted) {
      assert.ok(valueUs > before && valueUs < Infinity, `${valueUs} after ${before}`);
      assert.ok(Number.isSafeInteger(total += count) && count > 0, `${count}`);
      before = valueUs;
    }
    return counted.length > 0;
  },
};

/** As HdrHistogram writes it before it is compressed: for the corpus. */
function plainOf(each: Histogram): Uint8Array {
  const counters = Uint8Array.of(0x19, 2, 0x63, 4, 6);
  const plain = new DataView(new ArrayBuffer(40));
  plain.setInt32(0, 0x1c849313);
  plain.setInt32(4, counters.byteLength);
  plain.setInt32(12, each.digits);
  plain.setBigInt64(16, 1n);
  plain.setBigInt64(24, 2n ** 40n);
  plain.setFloat64(32, 1);
  return concat([new Uint8Array(plain.buffer), counters]);
}

function compress(plain: Uint8Array): Uint8Array {
  const deflated = deflateSync(plain);
  const head = new DataView(new ArrayBuffer(8));
  head.setInt32(0, 0x1c849314);
  head.setInt32(4, deflated.byteLength);
  return concat([new Uint8Array(head.buffer), deflated]);
}

export const recordTargets: Target[] = [records, report, histogram];
