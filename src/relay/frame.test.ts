import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameSplitter, type FrameSplitter, HEADER_BYTES } from "./frame.ts";
import { ProtocolError } from "./protocol-error.ts";

const LIMIT = 300;

/** A frame of so many bytes, each different from its neighbours'. */
function frameOf(length: number, claimed = length): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff);
  new DataView(frame.buffer).setUint32(0, claimed, true);
  return frame;
}

function joined(frames: Uint8Array[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((frame) => [...frame]));
}

/** Cuts a stream at the given places, into chunks that each have a buffer with margins. */
function cut(stream: Uint8Array, places: number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (stream.byteLength + 1)))]
    .sort((a, b) => a - b);
  let at = 0;
  return [...ends, stream.byteLength].filter((end) => end > 0).map((end) => {
    const chunk = new Uint8Array(end - at + 10).subarray(5, 5 + end - at);
    chunk.set(stream.subarray(at, end));
    at = end;
    return chunk;
  });
}

interface Taken {
  frame: Uint8Array;
  receivedUs: number;
  /** It is where it arrived: not a copy. */
  inPlace: boolean;
}

/** Everything that the splitter has ready. */
function take(splitter: FrameSplitter, chunk: Uint8Array): Taken[] {
  const frames: Taken[] = [];
  for (let region = splitter.next(); region !== undefined; region = splitter.next()) {
    assert.ok(region.start < region.end, "a region holds frames");
    while (region.start < region.end) {
      const length = region.view.getUint32(region.start, true);
      const frame = region.bytes.subarray(region.start, region.start + length);
      assert.equal(frame.byteLength, length);
      const { receivedUs } = region;
      frames.push({ frame, receivedUs, inPlace: frame.buffer === chunk.buffer });
      region.start += length;
    }
    assert.equal(region.start, region.end);
  }
  return frames;
}

const lengths = fc.array(fc.integer({ min: HEADER_BYTES, max: LIMIT }), { maxLength: 30 });
const places = fc.array(fc.nat(), { maxLength: 30 });

test("a stream gives the same frames however it is cut, each with the time of its last byte", () => {
  fc.assert(
    fc.property(lengths, places, (sizes, cuts) => {
      const frames = sizes.map((size) => frameOf(size));
      const stream = joined(frames);
      const splitter = createFrameSplitter(LIMIT);
      const taken: Taken[] = [];
      let arrived = 0;
      let begun = 0;
      for (const chunk of cut(stream, cuts)) {
        const chunkStart = arrived;
        arrived += chunk.byteLength;
        splitter.push(chunk, arrived);
        for (const one of take(splitter, chunk)) {
          assert.equal(one.inPlace, begun >= chunkStart, "only a straddling frame is a copy");
          begun += one.frame.byteLength;
          assert.ok(begun <= arrived && begun > chunkStart);
          assert.equal(one.receivedUs, arrived);
          taken.push(one);
        }
        assert.equal(splitter.pendingBytes, arrived - begun);
        assert.deepEqual(splitter.peek(), stream.subarray(begun, arrived));
      }
      assert.deepEqual(taken.map(({ frame }) => frame), frames);
    }),
    { numRuns: 500 },
  );
});

test("whole frames of a chunk are one region of it", () => {
  const splitter = createFrameSplitter(LIMIT);
  const chunk = joined([frameOf(10), frameOf(20), frameOf(6)]);
  splitter.push(chunk, 7);
  const region = splitter.next()!;
  assert.equal(region.bytes, chunk);
  assert.deepEqual([region.start, region.end, region.receivedUs], [0, 36, 7]);
  assert.equal(splitter.next(), undefined);
});

test("frames before one of a forbidden length are delivered, however the stream is cut", () => {
  const forbidden = fc.oneof(
    fc.integer({ min: 0, max: HEADER_BYTES - 1 }),
    fc.integer({ min: LIMIT + 1, max: 0xffff_ffff }),
  );
  fc.assert(
    fc.property(lengths, forbidden, places, (sizes, claimed, cuts) => {
      const frames = sizes.map((size) => frameOf(size));
      const stream = joined([...frames, frameOf(40, claimed), frameOf(10)]);
      const splitter = createFrameSplitter(LIMIT);
      const taken: Uint8Array[] = [];
      assert.throws(() => {
        for (const chunk of cut(stream, cuts)) {
          splitter.push(chunk, 0);
          for (let region = splitter.next(); region !== undefined; region = splitter.next()) {
            while (region.start < region.end) {
              const length = region.view.getUint32(region.start, true);
              taken.push(region.bytes.subarray(region.start, region.start + length));
              region.start += length;
            }
          }
        }
      }, ProtocolError);
      assert.deepEqual(taken, frames);
    }),
    { numRuns: 500 },
  );
});

test("nothing is allocated for a length beyond the limit", () => {
  const splitter = createFrameSplitter(LIMIT);
  splitter.push(Uint8Array.of(0xff, 0xff, 0xff), 0);
  assert.equal(splitter.next(), undefined);
  assert.ok(splitter.peek().buffer.byteLength <= LIMIT);
  splitter.push(Uint8Array.of(0x7f), 0);
  assert.throws(() => splitter.next(), /frame of 2147483647 bytes, at most 300/);
  assert.ok(splitter.peek().buffer.byteLength <= LIMIT);
});

test("a limit that is raised between two frames counts for the second, in one chunk or two", () => {
  for (const cuts of [[], [20], [22], [25], [7], [7, 22]]) {
    const splitter = createFrameSplitter(30);
    const taken: number[] = [];
    for (const chunk of cut(joined([frameOf(20), frameOf(200)]), cuts)) {
      splitter.push(chunk, 0);
      for (let region = splitter.next(); region !== undefined; region = splitter.next()) {
        taken.push(region.view.getUint32(region.start, true));
        splitter.setLimit(LIMIT);
      }
    }
    assert.deepEqual(taken, [20, 200], `cut at ${cuts}`);
  }
});
