import assert from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { withFakeTime } from "../platform/fake-time.ts";
import { createNdjsonSink } from "./ndjson.ts";
import { count, createFailingFs, FULL, line, withFolder } from "./spool-world.ts";

const failed = (message: string): void => assert.fail(message);
const START_MS = Date.UTC(2026, 10, 24, 22, 57, 46, 500);

/** Writes lines of these numbers and closes. Returns what was told. */
async function write(path: string, numbers: number[], bytes = 24): Promise<string[]> {
  const told: string[] = [];
  const sink = createNdjsonSink({ path, failed: (message) => told.push(message) });
  for (const number of numbers) sink.write(line(number, bytes));
  await sink.close(5_000);
  assert.equal(sink.summary().sent, numbers.length);
  return told;
}

function read(path: string): string {
  const bytes = readFileSync(path);
  return path.endsWith(".gz") ? gunzipSync(bytes).toString() : bytes.toString();
}

const linesOf = (numbers: number[]): string => numbers.map((number) => line(number)).join("");

for (const extension of [".ndjson", ".ndjson.gz"]) {
  test(`a ${extension} of the size is renamed after its first record's time, and begun anew`, () =>
    withFolder(async (folder) => {
      const path = join(folder, `records${extension}`);
      const sink = createNdjsonSink({
        path,
        failed,
        rotateBytes: extension === ".ndjson" ? 200_000 : 20_000,
        nowMs: () => START_MS,
      });
      // One after another, each more than is gathered at once.
      const numbers = count(0, 60_000);
      for (const number of numbers) sink.write(line(number));
      await sink.close(5_000);
      assert.equal(sink.summary().sent, numbers.length);
      const names = readdirSync(folder).sort();
      assert.equal(names[0], `records-20261124T225746Z-0001${extension}`);
      assert.equal(names[1], `records-20261124T225746Z-0002${extension}`);
      assert.equal(names.at(-1), `records${extension}`);
      assert.ok(names.length > 4, names.join());
      assert.equal(names.map((name) => read(join(folder, name))).join(""), linesOf(numbers));
    }));
}

test("a file of the age is renamed though no more records come", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      const startUs = time.nowUs();
      const path = join(folder, "records.ndjson");
      const nowMs = (): number => START_MS + (time.nowUs() - startUs) / 1000;
      const sink = createNdjsonSink({ path, failed, rotateAgeMs: 60_000, nowMs });
      sink.write(line(0));
      time.advance(200_000);
      while (sink.summary().sent === 0) await stat(folder);
      assert.equal(time.waiting, 1);
      time.advance(59_800_000);
      assert.equal(time.waiting, 0);
      sink.write(line(1));
      await sink.close(5_000);
      assert.deepEqual(readdirSync(folder).sort(), [
        "records-20261124T225746Z-0001.ndjson",
        "records.ndjson",
      ]);
      assert.equal(read(path), line(1));
    })
  ));

test("a file that was found too old is renamed before anything is added", () =>
  withFolder(async (folder) => {
    const path = join(folder, "records.ndjson");
    writeFileSync(path, line(0));
    utimesSync(path, START_MS / 1000, START_MS / 1000);
    const sink = createNdjsonSink({ path, failed, rotateAgeMs: 60_000 });
    sink.write(line(1));
    await sink.close(5_000);
    assert.equal(read(join(folder, "records-20261124T225746Z-0001.ndjson")), line(0));
    assert.equal(read(path), line(1));
  }));

test("a last line without its newline is cut, and told once with its bytes", () =>
  withFolder(async (folder) => {
    const path = join(folder, "records.ndjson");
    writeFileSync(path, `${line(0)}{"number":1,"fi`);
    const told = await write(path, [2]);
    assert.equal(told.length, 1);
    assert.match(told[0]!, /the last 15 bytes of .*records\.ndjson were torn/);
    assert.equal(read(path), line(0) + line(2));
  }));

test("a file of one torn line is cut to nothing, however long the line", () =>
  withFolder(async (folder) => {
    const path = join(folder, "records.ndjson");
    writeFileSync(path, "x".repeat(200_000));
    assert.match((await write(path, [0])).join(), /the last 200000 bytes/);
    assert.equal(read(path), line(0));
  }));

test("a compressed file that was torn at any byte keeps its whole members, and goes on", () =>
  fc.assert(
    fc.asyncProperty(fc.nat(), (cut) =>
      withFolder(async (folder) => {
        const path = join(folder, "records.ndjson.gz");
        const ends = [0];
        for (const number of [0, 1, 2]) {
          await write(path, count(number * 50, number * 50 + 50));
          ends.push(readFileSync(path).length);
        }
        const length = cut % ends[3]!;
        truncateSync(path, length);
        const whole = ends.findLastIndex((end) => end <= length);
        const told = await write(path, [999]);
        const torn = length - ends[whole]!;
        assert.equal(told.length, torn === 0 ? 0 : 1, told.join());
        if (torn > 0) assert.ok(told[0]!.includes(`the last ${torn} bytes`), told[0]);
        assert.equal(read(path), linesOf([...count(0, whole * 50), 999]));
      })),
    { numRuns: 60 },
  ));

test("a large file of another program's is gone on with where it is whole, else kept aside", () =>
  withFolder(async (folder) => {
    const noise = Array.from(
      { length: 60_000 },
      (_, i) => (i * 2_654_435_761 % 2 ** 32).toString(36),
    );
    const whole = gzipSync(`${noise.join("\n")}\n`.repeat(8), { level: 1 });
    assert.ok(whole.length > 1024 * 1024, `${whole.length} bytes`);
    const path = join(folder, "records.ndjson.gz");
    writeFileSync(path, whole);
    assert.deepEqual(await write(path, [0]), []);
    assert.ok(read(path).endsWith(line(0)));

    const torn = whole.subarray(0, -100);
    writeFileSync(path, torn);
    utimesSync(path, START_MS / 1000, START_MS / 1000);
    assert.match((await write(path, [1])).join(), /kept under another name/);
    assert.equal(read(path), line(1));
    const kept = readFileSync(join(folder, "records-20261124T225746Z-0001.ndjson.gz"));
    assert.ok(kept.equals(torn));
  }));

test("while the disk is full records are counted as failed, and it goes on by itself", () =>
  withFolder(async (folder) => {
    for (const name of ["records.ndjson", "records.ndjson.gz"]) {
      const path = join(folder, name);
      const fs = createFailingFs();
      const told: string[] = [];
      const informed = Promise.withResolvers<string>();
      let failing = Promise.withResolvers<void>();
      const sink = createNdjsonSink({
        path,
        fs,
        failed(message) {
          told.push(message);
          failing.resolve();
        },
        info: informed.resolve,
      });
      // Each more than is gathered at once.
      const many = count(0, 12_000);
      for (const number of many) sink.write(line(number));
      while (sink.summary().sent === 0) await stat(folder);
      const before = sink.summary().accepted;
      fs.error = FULL;
      for (const number of many) sink.write(line(number));
      await failing.promise;
      while (sink.summary().queued > 11_000) await stat(folder);
      fs.error = undefined;
      failing = Promise.withResolvers<void>();
      for (const number of many) sink.write(line(number));
      assert.match(await informed.promise, /are written to .* again; \d+ could not be written/);
      await sink.close(5_000);
      const { accepted, sent, failed, dropped } = sink.summary();
      assert.equal(accepted, before + 24_000);
      assert.equal(sent + failed, accepted);
      assert.ok(failed > 0);
      assert.equal(dropped, 0);
      assert.equal(told.length, 1, told.join("\n"));
      // Exactly what was told as sent is there, and no line is torn.
      const lines = read(path).trimEnd().split("\n");
      assert.equal(lines.length, sent);
      lines.forEach((each) => JSON.parse(each));
      assert.ok(existsSync(path));
    }
  }));
