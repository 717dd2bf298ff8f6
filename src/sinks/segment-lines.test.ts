import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chunk, createGatherer } from "./segment-lines.ts";

test("what waits takes about the memory of its lines, be it few or many at a time", () => {
  const chunks: Chunk[] = [];
  const gatherer = createGatherer({
    gatherMs: 1e6,
    gatherBytes: 64 * 1024,
    nowMs: () => 0,
    emit: (chunk) => chunks.push(chunk),
  });
  const lines: string[] = [];
  for (let i = 0; i < 2000; i++) {
    lines.push(`${i}${"é".repeat(300)}\n`);
    gatherer.add(lines.at(-1)!);
    if (i < 1000) gatherer.flush();
  }
  gatherer.flush();
  assert.equal(chunks.map(({ bytes }) => Buffer.from(bytes).toString()).join(""), lines.join(""));
  const used = chunks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const held = chunks.reduce((sum, { bytes }) => sum + bytes.buffer.byteLength, 0);
  assert.ok(held <= 2 * used, `${held} bytes are held for ${used}`);
});

test("a line larger than what is gathered is kept whole, whatever came before it", () => {
  let text = "";
  const gatherer = createGatherer({
    gatherMs: Infinity,
    gatherBytes: 100,
    nowMs: () => 0,
    emit: ({ bytes }) => text += Buffer.from(bytes).toString(),
  });
  const lines = [1, 99, 300, 1, 1, 40, 200, 1].map((length) => `${"é".repeat(length)}\n`);
  for (const line of lines) gatherer.add(line);
  gatherer.flush();
  assert.equal(text, lines.join(""));
});
