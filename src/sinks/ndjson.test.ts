import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { withFakeTime } from "../platform/fake-time.ts";
import { Failure } from "../platform/failure.ts";
import { createNdjsonSink } from "./ndjson.ts";
import { type SegmentFs, segmentFs } from "./segment-fs.ts";

/** A device that is always full: Linux has one. */
const FULL = "/dev/full";
const skipWithoutFull = process.platform === "linux" ? false : "only Linux has a full device";

const failed = (message: string): void => assert.fail(message);

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ndjson-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** More than any buffer on the way holds, and hard to compress. */
function manyLines(): string[] {
  let state = 1;
  return Array.from({ length: 20_000 }, (_, number) => {
    state = (state * 48_271) % 2_147_483_647;
    return `{"number":${number},"noise":"${state.toString(36)}${(state * 7).toString(36)}"}\n`;
  });
}

test("lines are appended to the file, and closing waits until all are there", () =>
  withFolder(async (folder) => {
    const path = join(folder, "records.ndjson");
    writeFileSync(path, "before\n");
    const sink = createNdjsonSink({ path, failed });
    const lines = manyLines();
    for (const line of lines) sink.write(line);
    await sink.close(5_000);
    assert.equal(readFileSync(path, "utf8"), `before\n${lines.join("")}`);
    const { length } = lines;
    assert.deepEqual(sink.summary(), {
      sink: `ndjson ${path}`,
      accepted: length,
      queued: 0,
      sent: length,
      retried: 0,
      failed: 0,
      dropped: 0,
      oldest_waiting_s: 0,
    });
  }));

test("a file named .gz is compressed, whole once closed, and goes on where it ended", () =>
  withFolder(async (folder) => {
    const path = join(folder, "records.ndjson.gz");
    const lines = manyLines();
    for (const part of [lines.slice(0, 15_000), lines.slice(15_000)]) {
      const sink = createNdjsonSink({ path, failed });
      for (const line of part) sink.write(line);
      await sink.close(5_000);
      assert.equal(sink.summary().sent, part.length);
    }
    const compressed = readFileSync(path);
    assert.deepEqual([...compressed.subarray(0, 2)], [0x1f, 0x8b]);
    assert.equal(gunzipSync(compressed).toString(), lines.join(""));
    assert.ok(compressed.byteLength < lines.join("").length / 2);
  }));

test("lines are gathered for a fifth of a second, then handed over together", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      const sink = createNdjsonSink({ path: join(folder, "records.ndjson"), failed });
      for (let i = 0; i < 10; i++) {
        sink.write("{}\n");
        time.advance(19_000);
      }
      assert.equal(time.waiting, 1);
      time.advance(11_000);
      assert.equal(time.waiting, 0);
      await sink.close(5_000);
      assert.equal(sink.summary().sent, 10);
    })
  ));

test("a file that cannot be opened is a failure that names it", () =>
  withFolder((folder) => {
    const path = join(folder, "missing", "records.ndjson");
    assert.throws(
      () => createNdjsonSink({ path, failed }),
      (error) => error instanceof Failure && error.message.includes(path),
    );
    return Promise.resolve();
  }));

for (const name of ["records.ndjson", "records.ndjson.gz"]) {
  test(
    `when ${name} cannot be written, it is told once and all records are accounted for`,
    { skip: skipWithoutFull },
    () =>
      withFolder(async (folder) => {
        const path = join(folder, name);
        symlinkSync(FULL, path);
        const told: string[] = [];
        const failure = Promise.withResolvers<void>();
        const sink = createNdjsonSink({
          path,
          failed(message) {
            told.push(message);
            failure.resolve();
          },
        });
        const lines = manyLines();
        for (const line of lines) sink.write(line);
        await failure.promise;
        sink.write("{}\n");
        await sink.close(5_000);
        const { accepted, sent, failed, dropped } = sink.summary();
        assert.equal(accepted, lines.length + 1);
        assert.ok(failed > 0);
        assert.equal(sent + failed + dropped, accepted);
        assert.equal(told.length, 1);
        assert.match(told[0]!, /^records cannot be written to .*records\.ndjson/);
      }),
  );
}

test("for how long the oldest record has waited is told, be it with us or with the system", () =>
  withFolder(async (folder) => {
    let nowMs = 1_000;
    const write = Promise.withResolvers<void>();
    const writes = Promise.withResolvers<void>();
    const fs: SegmentFs = {
      ...segmentFs,
      async write(fd, bytes, offset) {
        writes.resolve();
        await write.promise;
        return await segmentFs.write(fd, bytes, offset);
      },
    };
    const sink = createNdjsonSink({
      path: join(folder, "hops.ndjson"),
      failed: assert.fail,
      nowMs: () => nowMs,
      fs,
    });
    const waitedS = (): number => sink.summary().oldest_waiting_s;
    assert.equal(waitedS(), 0);
    sink.write("{}\n");
    nowMs = 1_150;
    assert.equal(waitedS(), 0.15);
    for (let i = 0; i < 2_000; i++) sink.write(`${"x".repeat(99)}\n`);
    await writes.promise;
    nowMs = 5_000;
    assert.equal(waitedS(), 4);
    write.resolve();
    await sink.close(5_000);
    assert.equal(waitedS(), 0);
  }));
