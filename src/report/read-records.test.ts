import assert from "node:assert/strict";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { readRecords } from "./read-records.ts";
import { documentOf, reportOn, run, workFolder } from "./report-world.ts";
import { BACK, DOWN, hopLine, UP } from "./sample-records.ts";

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const linesOf = (first: number, last: number) => range(first, last).map((n) => hopLine(UP, n));

test("files, folders, patterns and compressed files are read alike", async (t) => {
  const folder = await workFolder(t);
  const hour = join(folder, "2026/03/01/09");
  await mkdir(hour, { recursive: true });
  await writeFile(join(hour, "stream-1-a"), linesOf(1, 10).join(""));
  await writeFile(join(hour, "stream-1-b.gz"), gzipSync(linesOf(11, 20).join("")));
  await writeFile(join(folder, "more.ndjson"), linesOf(21, 30).join(""));
  await writeFile(join(folder, "notes.txt"), "no records");
  const counts = await Promise.all([
    [folder],
    [join(hour, "*")],
    [join(folder, "more.ndjson"), join(folder, "more.ndjson")],
    [join(folder, "**/*.gz"), join(folder, "more.ndjson")],
  ].map(async (args) => (await documentOf(args)).records.hops));
  assert.deepEqual(counts, [30, 20, 10, 20]);
});

test("a compressed file of several members is read to its end", async (t) => {
  const file = join(await workFolder(t), "a.ndjson.gz");
  for (const first of [1, 11, 21]) {
    await appendFile(file, gzipSync(linesOf(first, first + 9).join("")));
  }
  const { records } = await documentOf([file]);
  assert.deepEqual([records.hops, records.torn], [30, []]);
});

test("of a compressed file that is cut off, what is there counts, and it is told", async (t) => {
  const file = join(await workFolder(t), "a.ndjson.gz");
  const whole = gzipSync(linesOf(1, 5000).join(""));
  await writeFile(file, whole.subarray(0, whole.length - 200));
  const { records } = await documentOf([file]);
  assert.ok(records.hops > 1000, `${records.hops} hops`);
  assert.match(records.torn[0]!, /a\.ndjson\.gz: the compressed file is cut off$/);
  await writeFile(file, "plain text");
  assert.match((await documentOf([file])).records.torn[0]!, /not compressed by gzip$/);
});

test("standard input is read, compressed or not", async () => {
  const bytes = Buffer.from(linesOf(1, 100).join(""));
  const pieces = (of: Buffer) =>
    range(0, 99).map((n) =>
      of.subarray(Math.floor(n * of.length / 100), Math.floor((n + 1) * of.length / 100))
    );
  const plain = await documentOf(["-"], { stdin: pieces(bytes) });
  const compressed = await documentOf(["-"], { stdin: pieces(gzipSync(bytes)) });
  assert.deepEqual([plain.records.hops, compressed.records.hops], [100, 100]);
});

test("malformed lines are counted, and the first one is named by its place", async (t) => {
  const { records } = await reportOn(t, [
    hopLine(UP, 1),
    "\n",
    hopLine(UP, 2),
    "{nonsense\n",
    '{"kind":"other"}\n',
    hopLine(UP, 3).replace('"flow":0', '"flow":"x"'),
    hopLine(UP, 4),
  ]);
  assert.deepEqual([records.hops, records.malformed, records.lines], [3, 3, 6]);
  assert.match(records.first_malformed!, /records\.ndjson:4: not JSON$/);
});

test("a last line that is whole counts without its newline; one that is torn is told", async (t) => {
  const whole = await reportOn(t, [hopLine(UP, 1), hopLine(UP, 2).trimEnd()]);
  assert.deepEqual([whole.records.hops, whole.records.torn], [2, []]);
  const torn = await reportOn(t, [hopLine(UP, 1), hopLine(UP, 2).slice(0, 100)]);
  assert.deepEqual([torn.records.hops, torn.records.malformed], [1, 0]);
  assert.match(torn.records.torn[0]!, /records\.ndjson:2: the last line is cut off$/);
});

test("a line without end is skipped, whatever its length", async (t) => {
  const { records } = await reportOn(t, [
    hopLine(UP, 1),
    `${"x".repeat(5 << 20)}\n`,
    hopLine(UP, 2),
  ]);
  assert.deepEqual([records.hops, records.malformed], [2, 1]);
  assert.match(records.first_malformed!, /:2: longer than any record$/);
});

test("records are the same however their bytes are cut into chunks", async () => {
  const bytes = Buffer.from(
    range(1, 6).flatMap((n) => [UP, DOWN, BACK].map((spec) => hopLine({ ...spec, from: "a–ü" }, n)))
      .join(""),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
      const sorted = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const stdin = sorted.slice(1).map((to, index) => bytes.subarray(sorted[index]!, to));
      const { records } = await documentOf(["-"], { stdin });
      assert.deepEqual([records.hops, records.malformed], [18, 0]);
    }),
    { numRuns: 60 },
  );
});

test("no bytes make the reader fail", async () => {
  const good = Buffer.from(hopLine(BACK, 1) + hopLine(UP, 2));
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`${text}\n`)),
      fc.tuple(fc.nat(good.length), fc.nat(good.length)).map(([a, b]) =>
        good.subarray(Math.min(a, b), Math.max(a, b))
      ),
      fc.constant(good),
      fc.constant(Buffer.from("\n")),
    ),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, async (stdin) => {
      const { code } = await run(["-"], { stdin });
      assert.equal(code, 0);
    }),
    { numRuns: 300 },
  );
});

test("records with fields of wrong types are malformed, never more than that", async () => {
  const record = JSON.parse(hopLine(BACK, 1));
  const names = Object.keys(record);
  const lines = fc.tuple(fc.constantFrom(...names), fc.jsonValue()).map(([name, value]) =>
    `${JSON.stringify({ ...record, [name]: value })}\n`
  );
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { maxLength: 5 }), async (some) => {
      const stdin = [Buffer.from(some.join(""))];
      await run(["-", "--compare", "direct", "other"], { stdin }).catch((error) => {
        assert.match(error.message, /^nothing to compare/);
      });
      assert.equal((await run(["-"], { stdin })).code, 0);
    }),
    { numRuns: 200 },
  );
});

test("how far the reading is, is told in bytes of the files as they are on disk", async (t) => {
  const folder = await workFolder(t);
  const [a, b] = [join(folder, "a.ndjson.gz"), join(folder, "b.ndjson")];
  const compressed = gzipSync(linesOf(1, 5000).join(""));
  const plain = Buffer.from(linesOf(1, 5000).join(""));
  await writeFile(a, compressed);
  await writeFile(b, plain);
  const told: number[] = [];
  await readRecords(
    [a, b].map((path) => ({ name: path, path, bytes: 0, isCompressed: path === a })),
    { streamOf: () => 1, hop() {}, summary: () => undefined },
    { stdin: (async function* () {})(), progress: (bytes) => told.push(bytes) },
  );
  assert.deepEqual(told, told.toSorted((one, other) => one - other));
  assert.equal(told.at(-1), compressed.length + plain.length);
});
