import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { withFakeTime } from "../platform/fake-time.ts";
import type { RecordBatch } from "./record-queue.ts";
import {
  createFailingFs,
  FULL,
  line,
  numbersOf,
  openTestSpool,
  takeAll,
  withFolder,
} from "./spool-world.ts";

const MIB = 1024 * 1024;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 3, arbitrary: fc.record({ take: fc.constant(250_000) }) },
  { weight: 2, arbitrary: fc.record({ release: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 4_000 }) }) },
  { weight: 1, arbitrary: fc.record({ isFull: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ remove: true }) },
);

/** Deno does not try again, whatever `maxRetries` says: a segment may just be made in there. */
function removeWhileWritten(folder: string): void {
  for (;;) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    }
  }
}

test("whatever fails and comes back, each record is accounted for, and none told safe is lost", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      (steps) =>
        withFolder((parent) =>
          withFakeTime(async (time) => {
            const folder = join(parent, "spool");
            const fs = createFailingFs();
            const limits = { limitBytes: 2 * MIB, memoryLimitBytes: MIB };
            const { queue } = await openTestSpool(folder, { ...limits, fs });
            const held: RecordBatch[] = [];
            const released = new Set<number>();
            let pushed = 0;
            let releases = 0;
            let isRemoved = false;
            for (const step of steps) {
              if ("push" in step) {
                for (let i = 0; i < step.push; i++) queue.push(line(pushed++, 600));
              } else if ("take" in step) {
                const batch = await queue.take({ bytes: step.take, records: Infinity });
                if (batch) held.push(batch);
              } else if ("release" in step) {
                const [batch] = held.splice(step.release % Math.max(1, held.length), 1);
                if (!batch) continue;
                numbersOf(batch).forEach((number) => released.add(number));
                releases += batch.records;
                queue.release(batch);
              } else if ("isFull" in step) {
                fs.error = step.isFull ? FULL : undefined;
              } else if ("remove" in step) {
                removeWhileWritten(folder);
                isRemoved = true;
              } else {
                time.advance(step.passMs * 1000);
                await turn();
              }
              const { recovered, queued, spooled, dropped } = queue.counts();
              assert.equal(recovered + pushed, queued + releases + dropped);
              assert.ok(spooled <= queued, `${spooled} of ${queued} are spooled`);
            }
            await queue.close();
            const { queued, spooled, dropped } = queue.counts();
            assert.ok(spooled <= queued, `${spooled} of ${queued} are spooled`);

            const { queue: again } = await openTestSpool(folder);
            const found = (await takeAll(again)).flatMap(numbersOf);
            await again.close();
            if (isRemoved) return;
            assert.ok(found.length >= spooled, `${found.length} are there, ${spooled} were told`);
            const safe = new Set([...found, ...released]);
            assert.ok(pushed - safe.size <= dropped + queued - spooled, "none is lost in silence");
          })
        ),
    ),
    { numRuns: 30 },
  ));
