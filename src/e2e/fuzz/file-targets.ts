/** Files that an earlier process left: a spool's, as a crash or somebody else may have changed them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../platform/failure.ts";
import { cutLines, MAX_RECORD_BYTES } from "../../sinks/aggregation.ts";
import { lockFolder } from "../../sinks/folder-lock.ts";
import { segmentFs } from "../../sinks/segment-fs.ts";
import { countLines, headLines } from "../../sinks/segment-lines.ts";
import { CHECKPOINT, readCheckpoint } from "../../sinks/spool-checkpoint.ts";
import { scanSpool, segmentPath } from "../../sinks/spool-scan.ts";
import { concat, joinDatagrams, splitDatagrams } from "./pieces.ts";
import type { Target } from "./target.ts";

const utf8 = new TextEncoder();
const NEWLINE = 0x0a;

let folder: string | undefined;

/** A folder of this process, emptied. */
function emptyFolder(): string {
  if (folder === undefined) {
    const own = folder = mkdtempSync(join(tmpdir(), "fuzz-"));
    process.once("exit", () => rmSync(own, { recursive: true }));
  }
  const inner = join(folder, "spool");
  rmSync(inner, { recursive: true, force: true });
  mkdirSync(inner);
  return inner;
}

const linesIn = (bytes: Uint8Array): number =>
  bytes.reduce((n, byte) => n + +(byte === NEWLINE), 0);

/** The checkpoint first, then segments 3, 4 and so on. */
const spool: Target = {
  name: "spool",
  shape: "datagrams",
  mostBytes: 4096,
  seeds: () => {
    const lines = utf8.encode('{"a":1}\n{"b":2}\n{"c":3}\n');
    const checkpoint = (segment: number, offset: number) =>
      utf8.encode(`${JSON.stringify({ version: 1, segment, offset })}\n`);
    return [
      [checkpoint(3, 8), lines, lines.subarray(0, 20)],
      [checkpoint(4, 0), lines, lines],
      [checkpoint(3, 5), lines],
      [utf8.encode("torn"), lines.subarray(0, 4)],
    ].map(joinDatagrams);
  },
  async run(input) {
    const path = emptyFolder();
    const [checkpoint, ...segments] = splitDatagrams(input);
    if (checkpoint !== undefined) writeFileSync(join(path, CHECKPOINT), checkpoint);
    segments.forEach((bytes, index) => writeFileSync(segmentPath(path, 3 + index), bytes));
    const said = await readCheckpoint(path);
    const warnings: string[] = [];
    const scanned = await scanSpool({
      ...{ folder: path, fs: segmentFs, nowMs: () => 0, warn: (text) => warnings.push(text) },
    });
    // At least once: nothing that the checkpoint does not name may be gone.
    let waiting = 0;
    for (const segment of scanned.segments.all()) waiting += segment.queued;
    const all = linesIn(concat(segments));
    assert.ok(waiting <= all, `${waiting} of ${all} lines`);
    const isSound = typeof said === "object" && said.segment <= 3 + segments.length;
    if (isSound) {
      assert.ok(scanned.nextNumber > Math.max(said.segment, segments.length > 0 ? 3 : 0));
      const owed = segments.reduce((sum, bytes, index) => {
        const number = 3 + index;
        const from = number < said.segment ? Infinity : number > said.segment ? 0 : said.offset;
        return sum + linesIn(bytes.subarray(Math.min(from, bytes.byteLength)));
      }, 0);
      assert.ok(waiting >= owed, `${waiting} of ${owed} lines owed`);
    } else if (segments.length > 0) {
      assert.equal(waiting, all);
      if (said !== undefined) assert.ok(warnings.length > 0, "a lost checkpoint is told");
    }
    return isSound;
  },
};

/** The file in which its owner says who it is. */
const lock: Target = {
  name: "lock",
  shape: "json",
  mostBytes: 1024,
  seeds: () =>
    [
      { pid: 1, start: "1", place: "here", token: "a" },
      { pid: 99_999_999, start: null, place: "elsewhere", token: "b-c" },
    ].map((owner) => utf8.encode(`${JSON.stringify(owner)}\n`)),
  async run(input) {
    const path = emptyFolder();
    writeFileSync(join(path, "lock"), input);
    const self = { pid: process.pid, start: "1", place: "here" };
    try {
      const held = await lockFolder({ folder: path, lost() {}, self, watchMs: 0 });
      await held.release();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return true;
    }
    assert.deepEqual(readdirSync(path), [], "whoever releases a lock leaves nothing");
    return false;
  },
};

/** Lines cut into batches, and those into Firehose records: all bytes, once, in order. */
const lines: Target = {
  name: "lines",
  shape: "bytes",
  mostBytes: 4096,
  seeds: () => [utf8.encode('{"a":1}\n{"b":"ü"}\n\n{"c":3}'), new Uint8Array(300).fill(NEWLINE)],
  run(input) {
    const { records, end } = countLines(input);
    assert.equal(records, linesIn(input));
    assert.equal(end, input.lastIndexOf(NEWLINE) + 1);
    const limits = { bytes: 40, records: 3 };
    let at = 0;
    let cut = 0;
    while (at < end) {
      const batch = headLines(input.subarray(at), limits);
      assert.ok(batch.end > 0 && batch.records > 0 && batch.records <= limits.records);
      assert.ok(batch.end <= limits.bytes || batch.records === 1);
      at += batch.end;
      cut += batch.records;
    }
    assert.deepEqual([at, cut], [end, records]);
    for (const aggregate of [true, false]) {
      const cut = cutLines(input.subarray(0, end), aggregate);
      assert.deepEqual(concat(cut.records), input.slice(0, end));
      assert.ok(cut.records.every((record) => record.byteLength <= MAX_RECORD_BYTES));
      if (!aggregate) assert.equal(cut.records.length, records);
    }
    return records > 0;
  },
};

export const fileTargets: Target[] = [spool, lock, lines];
