import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { createOutbox, PIECE_BYTES } from "./outbox.ts";
import type { Link } from "./link.ts";

const LIMIT = 1 << 20;

/** A link that takes pieces at once, or keeps each until it is told to have written it. */
function createFakeLink() {
  const link = {
    takesAtOnce: true,
    inFlight: undefined as number | undefined,
    pieces: [] as number[][],
    written: [] as Uint8Array[],
    transport: "tcp" as const,
    peer: "test",
    write(piece: readonly Uint8Array[]): boolean {
      assert.equal(link.inFlight, undefined, "one piece at a time");
      const sizes = piece.map((slice) => slice.byteLength);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(bytes > 0 && bytes <= PIECE_BYTES, `a piece of ${bytes}`);
      link.pieces.push(sizes);
      link.written.push(...piece);
      if (!link.takesAtOnce) link.inFlight = bytes;
      return link.takesAtOnce;
    },
    pause() {},
    resume() {},
    end() {},
    destroy() {},
  };
  return link satisfies Link & Record<string, unknown>;
}

const bytesOf = (size: number, seed = size): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed) & 0xff);

test("what finds nothing waiting is handed over at once, uncopied", () => {
  const link = createFakeLink();
  const outbox = createOutbox(link, LIMIT, 0);
  const message = bytesOf(100);
  assert.ok(outbox.sendData([message], 5));
  assert.equal(link.written[0], message);
  assert.equal(outbox.backlogBytes, 0);
  assert.equal(outbox.progressUs, 5);
});

test("while a piece is on its way nothing else is written, then the rest in one piece", () => {
  const link = createFakeLink();
  const outbox = createOutbox(link, LIMIT, 0);
  link.takesAtOnce = false;
  for (const size of [100, 200, 300]) outbox.sendData([bytesOf(size)], 1);
  assert.deepEqual(link.pieces, [[100]]);
  assert.equal(outbox.backlogBytes, 600);
  link.inFlight = undefined;
  outbox.written(9);
  assert.deepEqual(link.pieces, [[100], [200, 300]]);
  assert.equal(outbox.backlogBytes, 500);
  assert.equal(outbox.progressUs, 9);
});

test("data beyond the limit are refused whole, control frames enter", () => {
  const link = createFakeLink();
  const outbox = createOutbox(link, 1000, 0);
  link.takesAtOnce = false;
  assert.ok(outbox.sendData([bytesOf(900)], 0));
  assert.equal(outbox.sendData([bytesOf(101)], 0), false);
  assert.ok(outbox.sendData([bytesOf(100)], 0));
  assert.equal(outbox.backlogBytes, 1000);
  outbox.sendControl(bytesOf(50), 0);
  assert.equal(outbox.backlogBytes, 1050);
  assert.equal(outbox.sendData([bytesOf(1)], 0), false);
});

test("progress stands still while a piece does, whatever is queued meanwhile", () => {
  const link = createFakeLink();
  const outbox = createOutbox(link, LIMIT, 0);
  link.takesAtOnce = false;
  outbox.sendData([bytesOf(10)], 100);
  outbox.sendData([bytesOf(10)], 200);
  outbox.sendControl(bytesOf(10), 300);
  assert.equal(outbox.progressUs, 100);
  link.inFlight = undefined;
  outbox.written(400);
  assert.equal(outbox.progressUs, 400);
});

test("any sequence of sends and writes leaves in order, in bounded pieces, counted to the byte", () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 2000 }),
    fc.integer({ min: PIECE_BYTES - 2, max: PIECE_BYTES + 2 }),
    fc.integer({ min: 1, max: 3 * PIECE_BYTES }),
  );
  const event = fc.oneof(
    fc.record({ control: size }),
    { weight: 3, arbitrary: fc.record({ data: size }) },
    { weight: 3, arbitrary: fc.constant({ written: true }) },
    fc.record({ takesAtOnce: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const link = createFakeLink();
      const outbox = createOutbox(link, LIMIT, 0);
      const queued: Uint8Array[] = [];
      let confirmed = 0;
      let atUs = 0;
      const sum = (slices: Uint8Array[]) =>
        slices.reduce((total, slice) => total + slice.byteLength, 0);
      const check = () => {
        confirmed = sum(link.written) - (link.inFlight ?? 0);
        assert.equal(outbox.backlogBytes, sum(queued) - confirmed);
        if (link.inFlight === undefined) assert.equal(outbox.backlogBytes, 0, "nothing waits idly");
      };
      for (const each of events) {
        atUs++;
        if ("takesAtOnce" in each) link.takesAtOnce = each.takesAtOnce;
        else if ("control" in each) {
          const bytes = new Uint8Array(each.control).fill(atUs);
          outbox.sendControl(bytes, atUs);
          queued.push(bytes);
        } else if ("data" in each) {
          const bytes = new Uint8Array(each.data).fill(atUs);
          const fits = outbox.backlogBytes + each.data <= LIMIT;
          assert.equal(outbox.sendData([bytes], atUs), fits);
          if (fits) queued.push(bytes);
        } else if (link.inFlight !== undefined) {
          link.inFlight = undefined;
          outbox.written(atUs);
          assert.equal(outbox.progressUs, atUs);
        }
        check();
      }
      while (link.inFlight !== undefined) {
        link.inFlight = undefined;
        outbox.written(++atUs);
      }
      check();
      assert.equal(Buffer.compare(Buffer.concat(link.written), Buffer.concat(queued)), 0);
    }),
    { numRuns: 300 },
  );
});

test("a long queue of small messages drains completely, and its memory is reused", () => {
  const link = createFakeLink();
  const outbox = createOutbox(link, LIMIT, 0);
  link.takesAtOnce = false;
  for (let i = 0; i < 8000; i++) assert.ok(outbox.sendData([bytesOf(128, i)], 0));
  while (link.inFlight !== undefined) {
    link.inFlight = undefined;
    outbox.written(1);
  }
  assert.equal(outbox.backlogBytes, 0);
  assert.equal(link.written.length, 8000);
  for (let i = 0; i < 8000; i++) assert.equal(link.written[i]![0], bytesOf(1, i)[0]);
});
