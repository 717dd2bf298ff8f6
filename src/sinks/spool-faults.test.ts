import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { withFakeTime } from "../platform/fake-time.ts";
import { type SegmentFs, segmentFs } from "./segment-fs.ts";
import {
  count,
  createFailingFs,
  FULL,
  line,
  numbersOf,
  openTestSpool,
  segmentsIn,
  takeAll,
  withFolder,
} from "./spool-world.ts";

const MIB = 1024 * 1024;

/** Spools numbered lines until it is killed, and tells how many are safe. */
const program = (folder: string): string => `
  const { openSpool } = await import(${
  JSON.stringify(new URL("./spool.ts", import.meta.url).href)
});
  const queue = await openSpool({
    folder: ${JSON.stringify(folder)},
    limitBytes: 1e9,
    nowMs: () => performance.now(),
    warn: console.error,
    info: console.error,
  });
  let number = queue.counts().recovered;
  const go = () => {
    for (let i = 0; i < 200; i++) {
      queue.push(JSON.stringify({ number: number++, fill: "x".repeat(500) }) + "\\n");
    }
    console.log(queue.counts().spooled);
    setImmediate(go);
  };
  go();
`;

/** Runs it until it has told of so many more, then kills it. Returns the last that it told. */
async function killAfter(folder: string, records: number): Promise<number> {
  const isDeno = "Deno" in globalThis;
  const source = program(folder);
  const args = isDeno ? ["eval", "--ext=ts", source] : ["--input-type=module", "--eval", source];
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let spooled = 0;
  let killed = false;
  for await (const told of createInterface({ input: child.stdout })) {
    // All that it told before it died counts.
    spooled = Number(told);
    if (spooled >= records && !killed) killed = child.kill("SIGKILL");
  }
  await ended;
  return spooled;
}

test("no record that a process told as spooled is lost when the process is killed", () =>
  withFolder(async (folder) => {
    let safe = 0;
    for (const more of [1, 7_919, 20_011]) safe = await killAfter(folder, safe + more);
    const { queue } = await openTestSpool(folder, { limitBytes: 1e9 });
    const numbers = (await takeAll(queue)).flatMap(numbersOf);
    assert.ok(numbers.length >= safe, `${numbers.length} are there, ${safe} were told`);
    assert.deepEqual(numbers, count(0, numbers.length));
    await queue.close();
  }));

test("while the disk is full records wait in memory, and go to disk once there is room", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      const fs = createFailingFs();
      const { queue, warnings, told } = await openTestSpool(folder, { fs });
      for (const number of count(0, 10)) queue.push(line(number));
      // Written, since a taker asks for it.
      const first = await queue.take({ bytes: MIB, records: 10 });
      fs.error = FULL;
      for (const number of count(10, 30)) queue.push(line(number));
      time.advance(200_000);
      await told(/cannot be used, records wait in memory: ENOSPC/);
      const second = await queue.take({ bytes: MIB, records: 5 });
      assert.deepEqual(numbersOf(second!), count(10, 15));
      assert.deepEqual(queue.counts(), { recovered: 0, queued: 30, spooled: 10, dropped: 0 });
      time.advance(10_000_000);
      // Nobody is told again.
      assert.equal((await queue.take({ bytes: MIB, records: 5 }))!.records, 5);
      fs.error = undefined;
      time.advance(10_000_000);
      await told(/is in use again/);
      assert.equal(queue.counts().spooled, 20);
      queue.release(first!);
      queue.release(second!);
      assert.deepEqual(queue.counts(), { recovered: 0, queued: 15, spooled: 10, dropped: 0 });
      await queue.close();
      assert.equal(queue.counts().spooled, 15, "what was taken from memory is written at the end");
      assert.equal(warnings.length, 1);
      const { queue: again } = await openTestSpool(folder);
      const numbers = (await takeAll(again)).flatMap(numbersOf);
      assert.deepEqual(numbers.toSorted((a, b) => a - b), count(15, 30));
      await again.close();
    })
  ));

test("on a full disk the files that are sent make room for what waits in memory", () =>
  withFolder(async (folder) => {
    // As on a disk: a removed file takes its room until nobody has it open.
    const reading = new Set<number>();
    const bytesIn = (): number =>
      segmentsIn(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) +
      (segmentsIn(folder).length < 2 ? reading.size * 60_000 : 0);
    const fs: SegmentFs = {
      ...segmentFs,
      async open(path, flags) {
        const fd = await segmentFs.open(path, flags);
        if (flags === "r") reading.add(fd);
        return fd;
      },
      async close(fd) {
        reading.delete(fd);
        await segmentFs.close(fd);
      },
      write(fd, bytes, offset) {
        if (bytesIn() + bytes.length > 100_000) return Promise.reject(FULL);
        return segmentFs.write(fd, bytes, offset);
      },
    };
    const { queue, told } = await openTestSpool(folder, { fs });
    for (const number of count(0, 200)) queue.push(line(number, 600));
    await told(/ENOSPC/);
    const first = await queue.take({ bytes: MIB, records: 200 });
    assert.ok(first!.records < 200);
    queue.release(first!);
    await queue.close();
    const { queued, spooled } = queue.counts();
    assert.equal(queued, 200 - first!.records);
    assert.equal(spooled, queued);
  }));

test("a file that is removed while it is written to is told of, and followed by another", () =>
  withFolder(async (folder) => {
    // A file has an eighth of it.
    const { queue, warnings } = await openTestSpool(folder, { limitBytes: 8 * MIB });
    queue.push(line(0));
    queue.push(line(1));
    const first = await queue.take({ bytes: MIB, records: 1 });
    for (const number of count(2, 2_000)) queue.push(line(number, 600));
    while (segmentsIn(folder).length < 2) await turn();
    rmSync(join(folder, segmentsIn(folder)[1]!));
    const batches = await takeAll(queue);
    for (const number of count(2_000, 2_010)) queue.push(line(number));
    const more = await takeAll(queue);
    assert.deepEqual(more.flatMap(numbersOf), count(2_000, 2_010));
    [first!, ...batches, ...more].forEach(queue.release);
    const { queued, dropped, spooled } = queue.counts();
    assert.deepEqual({ queued, spooled }, { queued: 0, spooled: 0 });
    assert.equal(queue.waitingBytes(), 0);
    assert.ok(dropped > 0);
    assert.match(warnings.join(), /is gone/);
    await queue.close();
  }));

test("where only syncing fails, that is told once a minute, and records go on", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      const sync = () => Promise.reject(new Error("EIO: the medium fails"));
      const nowMs = (): number => time.nowUs() / 1000;
      const { queue, warnings } = await openTestSpool(folder, {
        fs: { ...segmentFs, sync },
        nowMs,
      });
      for (const number of count(0, 45)) {
        queue.push(line(number));
        const batch = await queue.take({ bytes: MIB, records: 1 });
        assert.deepEqual(numbersOf(batch!), [number]);
        time.advance(2_000_000);
        await turn();
      }
      await queue.close();
      assert.equal(queue.counts().spooled, 45);
      assert.deepEqual(warnings.length, 2, warnings.join("\n"));
      assert.match(warnings[0]!, /in trouble: EIO: the medium fails/);
    })
  ));

test("of what waits in memory the oldest is dropped beyond the limit, exactly counted", () =>
  withFolder(async (folder) => {
    const fs = createFailingFs();
    fs.error = FULL;
    const { queue, told } = await openTestSpool(folder, { fs, memoryLimitBytes: MIB });
    for (const number of count(0, 5_000)) queue.push(line(number, 600));
    await told(/cannot be used/);
    const numbers = (await takeAll(queue)).flatMap(numbersOf);
    const { queued, dropped } = queue.counts();
    assert.equal(queued, numbers.length);
    assert.equal(queued + dropped, 5_000);
    assert.ok(queued * 600 <= MIB && queued * 600 > 0.8 * MIB, `${queued} are kept`);
    assert.deepEqual(numbers, count(dropped, 5_000));
    fs.error = undefined;
    await queue.close();
  }));

test("a folder that cannot be made is warned about, and used once it can be", () =>
  withFolder((parent) =>
    withFakeTime(async (time) => {
      const inTheWay = join(parent, "file");
      writeFileSync(inTheWay, "");
      const folder = join(inTheWay, "spool");
      const { queue, warnings, told } = await openTestSpool(folder);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /cannot be used, records wait in memory/);
      queue.push(line(0));
      rmSync(inTheWay);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "000000000005.ndjson"), line(1));
      time.advance(10_000_000);
      await told(/is in use again/);
      assert.deepEqual(queue.counts(), { recovered: 1, queued: 2, spooled: 2, dropped: 0 });
      await queue.close();
    })
  ));

test("a folder that is removed is noticed, what was in it counted, and the folder made again", () =>
  withFolder((parent) =>
    withFakeTime(async (time) => {
      const folder = join(parent, "spool");
      const { queue, told } = await openTestSpool(folder);
      for (const number of count(0, 10)) queue.push(line(number));
      const taken = await queue.take({ bytes: MIB, records: 4 });
      rmSync(folder, { recursive: true });
      time.advance(2_000_000);
      await told(/the folder is gone/);
      assert.deepEqual(queue.counts(), { recovered: 0, queued: 4, spooled: 0, dropped: 6 });
      queue.release(taken!);
      queue.push(line(10));
      time.advance(10_000_000);
      await told(/is in use again/);
      assert.deepEqual(queue.counts(), { recovered: 0, queued: 1, spooled: 1, dropped: 6 });
      await queue.close();
      assert.equal(readFileSync(join(folder, readdirSync(folder).sort()[0]!), "utf8"), line(10));
    })
  ));

test("a write that was cut short leaves no torn line in the middle", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      const fs = createFailingFs();
      const { queue, told } = await openTestSpool(folder, { fs });
      queue.push(line(0));
      time.advance(200_000);
      assert.equal((await queue.take({ bytes: MIB, records: 1 }))!.records, 1);
      fs.error = FULL;
      queue.push(line(1));
      time.advance(200_000);
      await told(/ENOSPC/);
      const texts = (): string[] =>
        segmentsIn(folder).map((name) => readFileSync(join(folder, name), "utf8"));
      assert.equal(texts().join(""), line(0));
      fs.error = undefined;
      await queue.close();
      assert.equal(texts().join(""), line(0) + line(1));
    })
  ));
