import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMemoryQueue } from "./memory-queue.ts";
import type { RecordBatch } from "./record-queue.ts";

const warn = (): void => {};
const ALL = { bytes: Infinity, records: Infinity };
const textOf = (batch: RecordBatch | undefined): string => Buffer.from(batch!.bytes).toString();

test("lines come out as they went in, within the limits, whole", async () => {
  const line = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) =>
    `${text.replaceAll("\n", "")}\n`
  );
  const limits = fc.record({
    bytes: fc.integer({ min: 1, max: 300 }),
    records: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(limits, { minLength: 1 }), async (lines, limits) => {
      const queue = createMemoryQueue({ nowMs: () => 0, warn });
      for (const line of lines) queue.push(line);
      let text = "";
      for (let i = 0; queue.waitingBytes() > 0; i++) {
        const { bytes, records } = limits[i % limits.length]!;
        const batch = await queue.take({ bytes, records });
        const part = textOf(batch);
        assert.ok(part.endsWith("\n"));
        assert.equal(part.split("\n").length - 1, batch!.records);
        assert.ok(batch!.records <= records);
        assert.ok(batch!.records === 1 || batch!.bytes.byteLength <= bytes);
        text += part;
        queue.release(batch!);
      }
      assert.equal(text, lines.join(""));
      assert.equal(await queue.take(ALL), undefined);
      assert.equal(queue.counts().queued, 0);
    }),
  );
});

test("a batch is as large as the limits let it be, however the lines are kept", async () => {
  const queue = createMemoryQueue({ nowMs: () => 0, warn });
  for (let i = 0; i < 10_000; i++) queue.push(`${"x".repeat(599)}\n`);
  const batch = await queue.take({ bytes: 250_000, records: Infinity });
  assert.equal(batch!.bytes.byteLength, 249_600);
});

test("a full queue drops the oldest that nobody took, and counts them exactly", async () => {
  const queue = createMemoryQueue({ limitBytes: 200_000, nowMs: () => 0, warn });
  const push = (from: number, to: number) => {
    for (let i = from; i < to; i++) queue.push(`${String(i).padEnd(99)}\n`);
  };
  push(0, 500);
  const taken = await queue.take({ bytes: 50_000, records: Infinity });
  push(500, 5000);
  assert.ok(queue.waitingBytes() + 50_000 <= 200_000 + 64 * 1024);
  const rest = await queue.take(ALL);
  const { queued, dropped } = queue.counts();
  assert.equal(queued + dropped, 5000);
  assert.equal(taken!.records + rest!.records, queued);
  assert.equal(parseInt(textOf(taken)), 0, "what was taken is kept");
  assert.equal(parseInt(textOf(rest)), taken!.records + dropped);
  assert.equal(parseInt(textOf(rest).trimEnd().split("\n").at(-1)!), 4999);
});

test("a line larger than the whole queue is dropped", () => {
  const queue = createMemoryQueue({ limitBytes: 50_000, nowMs: () => 0, warn });
  queue.push(`${"x".repeat(70_000)}\n`);
  assert.deepEqual(queue.counts(), { recovered: 0, queued: 0, spooled: 0, dropped: 1 });
});

test("it tells since when the oldest waits, be it taken or not", async () => {
  let nowMs = 1000;
  const queue = createMemoryQueue({ nowMs: () => nowMs, warn });
  assert.ok(Number.isNaN(queue.oldestMs()));
  queue.push("a\n");
  nowMs = 2000;
  queue.push("b\n");
  assert.equal(queue.oldestMs(), 1000);
  const first = await queue.take(ALL);
  nowMs = 3000;
  queue.push("c\n");
  assert.equal(queue.oldestMs(), 1000);
  queue.release(first!);
  assert.equal(queue.oldestMs(), 3000);
  const second = await queue.take(ALL);
  queue.release(second!);
  assert.ok(Number.isNaN(queue.oldestMs()));
});

test("a batch cannot be released twice", async () => {
  const queue = createMemoryQueue({ nowMs: () => 0, warn });
  queue.push("a\n");
  const batch = await queue.take(ALL);
  queue.release(batch!);
  assert.throws(() => queue.release(batch!));
});
