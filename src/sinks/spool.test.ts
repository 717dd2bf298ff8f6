import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { cp, truncate } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../platform/failure.ts";
import type { RecordBatch } from "./record-queue.ts";
import {
  count,
  line,
  numbersOf,
  openTestSpool,
  segmentsIn,
  takeAll,
  withFolder,
} from "./spool-world.ts";

const MIB = 1024 * 1024;

/** A folder that a killed process leaves: all is there, but its lock's owner is dead. */
async function copyCrashed(folder: string, to: string): Promise<void> {
  await cp(folder, to, { recursive: true });
  const lock = join(to, "lock");
  const owner = JSON.parse(readFileSync(lock, "utf8"));
  writeFileSync(lock, JSON.stringify({ ...owner, start: "0" }));
}

test("what was not released is there again after a restart, in its order", () =>
  withFolder(async (folder) => {
    const { queue } = await openTestSpool(folder);
    for (const number of count(0, 1_000)) queue.push(line(number));
    const first = await queue.take({ bytes: MIB, records: 300 });
    const second = await queue.take({ bytes: MIB, records: 300 });
    assert.deepEqual(numbersOf(first!), count(0, 300));
    assert.deepEqual(numbersOf(second!), count(300, 600));
    queue.release(first!);
    assert.deepEqual(queue.counts(), { recovered: 0, queued: 700, spooled: 700, dropped: 0 });
    await queue.close();

    const again = await openTestSpool(folder);
    assert.deepEqual(again.queue.counts(), {
      recovered: 700,
      queued: 700,
      spooled: 700,
      dropped: 0,
    });
    for (const number of count(1_000, 1_100)) again.queue.push(line(number));
    const batches = await takeAll(again.queue);
    assert.deepEqual(batches.flatMap(numbersOf), count(300, 1_100));
    batches.forEach(again.queue.release);
    await again.queue.close();
    assert.deepEqual(segmentsIn(folder), []);
    assert.ok(!existsSync(join(folder, "lock")));
    assert.deepEqual(again.warnings, []);
    assert.deepEqual(again.infos, []);
  }));

test("batches that are released out of order are sent again from the first that was not", () =>
  withFolder(async (folder) => {
    const { queue } = await openTestSpool(folder);
    for (const number of count(0, 30)) queue.push(line(number));
    const batches = await takeAll(queue, { bytes: MIB, records: 10 });
    assert.equal(batches.length, 3);
    queue.release(batches[2]!);
    queue.release(batches[0]!);
    await queue.close();
    const { queue: again } = await openTestSpool(folder);
    assert.deepEqual((await takeAll(again)).flatMap(numbersOf), count(10, 30));
    await again.close();
  }));

test("a folder that a living process uses is a failure that names it", () =>
  withFolder(async (folder) => {
    const { queue } = await openTestSpool(folder);
    await assert.rejects(
      openTestSpool(folder),
      (error) =>
        error instanceof Failure && error.message.includes(folder) &&
        error.message.includes(String(process.pid)),
    );
    await queue.close();
  }));

test("whatever is pushed, taken and released before a crash at any byte, no spooled record is lost", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ push: fc.integer({ min: 1, max: 400 }) }),
          fc.record({ take: fc.integer({ min: 1, max: 300 }) }),
          fc.record({ release: fc.nat() }),
        ),
        { minLength: 1, maxLength: 30 },
      ),
      fc.nat(),
      (steps, torn) =>
        withFolder(async (parent) => {
          const folder = join(parent, "spool");
          const { queue } = await openTestSpool(folder, { limitBytes: MIB });
          let next = 0;
          const held: RecordBatch[] = [];
          const released = new Set<number>();
          for (const step of steps) {
            if ("push" in step) {
              for (let i = 0; i < step.push; i++) queue.push(line(next++, 60));
            } else if ("take" in step) {
              const batch = await queue.take({ bytes: MIB, records: step.take });
              if (batch) held.push(batch);
            } else if (held.length > 0) {
              const [batch] = held.splice(step.release % held.length, 1);
              numbersOf(batch!).forEach((number) => released.add(number));
              queue.release(batch!);
            }
          }
          const { spooled, queued, dropped } = queue.counts();
          assert.equal(queued, next - released.size);
          assert.equal(dropped, 0);
          const crashed = join(parent, "crashed");
          await copyCrashed(folder, crashed);
          // A later write was torn: what it wrote of a line was never told as spooled.
          const last = segmentsIn(crashed).at(-1);
          const rest = line(next, 60);
          if (last) appendFileSync(join(crashed, last), rest.slice(0, torn % rest.length));
          const again = await openTestSpool(crashed, { limitBytes: MIB });
          const found = (await takeAll(again.queue)).flatMap(numbersOf);
          // At least once: also what was sent after the last checkpoint.
          assert.deepEqual(found, [...new Set(found)].sort((a, b) => a - b));
          const missing = count(0, next).filter((number) =>
            !released.has(number) && !found.includes(number)
          );
          assert.ok(missing.length <= queued - spooled, `${missing.length} are missing`);
          assert.ok(missing.every((number) => number >= next - (queued - spooled)));
          await again.queue.close();
          await queue.close();
        }),
    ),
    { numRuns: 40 },
  ));

test("a torn tail is cut, counted out, and told with its bytes", () =>
  withFolder(async (folder) => {
    const { queue } = await openTestSpool(folder);
    for (const number of count(0, 10)) queue.push(line(number));
    await queue.close();
    const path = join(folder, segmentsIn(folder)[0]!);
    await truncate(path, readFileSync(path).length - 5);
    const { queue: again, warnings } = await openTestSpool(folder);
    assert.equal(again.counts().recovered, 9);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /the last \d+ bytes .* were torn/);
    assert.deepEqual((await takeAll(again)).flatMap(numbersOf), count(0, 9));
    await again.close();
  }));

for (
  const [what, text] of Object.entries({
    "empty": "",
    "half written": '{"version":1,"segm',
    "of another version": '{"version":2,"segment":1,"offset":48}',
    "of another spool": '{"version":1,"segment":77,"offset":48}',
    "in the middle of a line": '{"version":1,"segment":1,"offset":50}',
  })
) {
  test(`with a checkpoint that is ${what}, all is sent again, with a warning`, () =>
    withFolder(async (folder) => {
      const { queue } = await openTestSpool(folder);
      for (const number of count(0, 10)) queue.push(line(number));
      queue.release((await queue.take({ bytes: MIB, records: 4 }))!);
      await queue.close();
      writeFileSync(join(folder, "checkpoint.json"), text);
      const { queue: again, warnings } = await openTestSpool(folder);
      assert.deepEqual((await takeAll(again)).flatMap(numbersOf), count(0, 10));
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /checkpoint\.json .* is not sound/);
      await again.close();
    }));
}

test("gaps in the numbers and files of others do no harm, and the files stay", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "000000000007.ndjson"), line(0));
    writeFileSync(join(folder, "000000000003.ndjson"), line(1));
    writeFileSync(join(folder, "notes.ndjson"), "mine\n");
    const { queue } = await openTestSpool(folder);
    queue.push(line(2));
    const batches = await takeAll(queue);
    assert.deepEqual(batches.flatMap(numbersOf), [1, 0, 2]);
    batches.forEach(queue.release);
    await queue.close();
    assert.deepEqual(segmentsIn(folder), ["notes.ndjson"]);
  }));

test("a file that cannot be read now is sent once it can be, whatever has been sent meanwhile", () =>
  withFolder(async (folder) => {
    const path = join(folder, "000000000001.ndjson");
    mkdirSync(path);
    writeFileSync(join(folder, "000000000002.ndjson"), line(2));
    const { queue, warnings } = await openTestSpool(folder);
    assert.match(warnings.join(), /000000000001.ndjson cannot be read/);
    queue.push(line(3));
    const batches = await takeAll(queue);
    assert.deepEqual(batches.flatMap(numbersOf), [2, 3]);
    batches.forEach(queue.release);
    await queue.close();
    rmdirSync(path);
    writeFileSync(path, line(1));
    const { queue: again } = await openTestSpool(folder);
    assert.deepEqual((await takeAll(again)).flatMap(numbersOf), [1]);
    await again.close();
  }));

test("a stranger's bytes are handed on as they are, and lines as long as they are", () =>
  withFolder(async (folder) => {
    const strange = Buffer.from([0, 0xff, 0xfe, 0xc0, 0x0a]);
    const long = Buffer.concat([Buffer.alloc(5 * MIB, 0x61), Buffer.from("\n")]);
    const all = [strange, long, strange, strange];
    writeFileSync(join(folder, "000000000001.ndjson"), Buffer.concat(all));
    const { queue } = await openTestSpool(folder);
    assert.equal(queue.counts().recovered, 4);
    const batches = await takeAll(queue, { bytes: MIB, records: Infinity });
    assert.deepEqual(batches.map(({ records }) => records), [1, 1, 2]);
    assert.ok(Buffer.concat(batches.map(({ bytes }) => bytes)).equals(Buffer.concat(all)));
    await queue.close();
  }));

test("beyond its limit the oldest whole segments that nobody took are dropped, exactly counted", () =>
  withFolder(async (folder) => {
    const { queue, warnings } = await openTestSpool(folder, { limitBytes: MIB, nowMs: () => 0 });
    const pushed = 6_000;
    for (const number of count(0, 500)) queue.push(line(number, 600));
    const taken = await queue.take({ bytes: MIB, records: 10 });
    for (const number of count(500, pushed)) queue.push(line(number, 600));
    // Whatever waits in memory is written before this resolves.
    await queue.close();
    const { dropped, queued, spooled } = queue.counts();
    assert.equal(dropped + queued, pushed);
    assert.equal(queued, spooled);
    assert.ok(dropped > 3_000 && spooled > 1_000, `${dropped} dropped, ${spooled} spooled`);
    // The first at once, the rest not within a minute, but at the end.
    const told = warnings.map((text) => Number(/^(\d+) records/.exec(text)?.[1]));
    assert.equal(told.length, 2, warnings.join("\n"));
    assert.equal(told[0]! + told[1]!, dropped);

    const { queue: again } = await openTestSpool(folder);
    const numbers = (await takeAll(again)).flatMap(numbersOf);
    assert.equal(numbers.length, spooled);
    assert.deepEqual(numbers.slice(0, 10), numbersOf(taken!), "what was taken stays");
    assert.equal(numbers.at(-1), pushed - 1, "the newest stay");
    await again.close();
  }));

test("the oldest record's time is that of the first that was not released", () =>
  withFolder(async (folder) => {
    let nowMs = 1_000;
    const { queue } = await openTestSpool(folder, { nowMs: () => nowMs });
    assert.ok(Number.isNaN(queue.oldestMs()));
    queue.push(line(0));
    nowMs = 2_000;
    const first = await queue.take({ bytes: MIB, records: 1 });
    queue.push(line(1));
    assert.equal(queue.oldestMs(), 1_000);
    queue.release(first!);
    assert.equal(queue.oldestMs(), 2_000);
    await queue.close();
  }));
