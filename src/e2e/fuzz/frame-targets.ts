/** Decoders of frames, each by itself: what they take can be written, and reads the same again. */
import assert from "node:assert/strict";
import { type Bye, readBye, writeBye } from "../../relay/bye.ts";
import { readClockFrame, writeClockFrame } from "../../relay/clock-frame.ts";
import {
  beginHop,
  dataFrameFault,
  finishHop,
  hopOffset,
  payloadOffset,
  readHopCount,
  readHopMethod,
  readHopSentUs,
  readHopSlots,
  readPayloadBytes,
  readSequence,
  stampOrigin,
  stampSent,
} from "../../relay/data-frame.ts";
import { readDirectory, writeDirectory } from "../../relay/directory.ts";
import { createFrameSplitter, HEADER_BYTES } from "../../relay/frame.ts";
import { readHeartbeat, writeHeartbeat } from "../../relay/heartbeat.ts";
import { helloFault, readHello, writeHello } from "../../relay/hello.ts";
import { ProtocolError } from "../../relay/protocol-error.ts";
import { writeReports } from "../../relay/report-frame.ts";
import { readReport } from "../../relay/report-reading.ts";
import { readWelcome, writeWelcome } from "../../relay/welcome.ts";
import { aDirectory, aHello, aMessage, aReport, aWelcome, COUNTS } from "./samples.ts";
import { readOrRefuse, type Target } from "./target.ts";

const MOST_FRAME_BYTES = 4096;

/** What a frame says takes so much memory for each of its bytes at most: bounds what one costs. */
const MOST_ENTRIES_PER_BYTE = 1;

export function codec<T>(
  name: string,
  seeds: readonly T[],
  read: (frame: Uint8Array) => T,
  write: (value: T) => Uint8Array,
  check: (value: T, frame: Uint8Array) => void = () => {},
): Target {
  return {
    name,
    shape: "frames",
    mostBytes: MOST_FRAME_BYTES,
    seeds: () => seeds.map(write),
    run(input) {
      // The splitter gives nobody less.
      if (input.byteLength < HEADER_BYTES) return false;
      const value = readOrRefuse(() => read(input), ProtocolError);
      if (value === undefined) return false;
      assert.ok(entriesOf(value) <= MOST_ENTRIES_PER_BYTE * input.byteLength + 100, "too much");
      check(value, input);
      assert.deepEqual(read(write(value)), value);
      return true;
    },
  };
}

/** Numbers, texts and objects in a value. */
function entriesOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + entriesOf(each), 1);
}

const bye = (text: string): Bye => ({ reason: "done", counts: COUNTS, text });

/** A stream, cut into chunks of the size that its first byte tells. */
const splitter: Target = {
  name: "stream",
  shape: "frames",
  mostBytes: MOST_FRAME_BYTES,
  seeds: () => [
    writeHello(aHello),
    Uint8Array.of(...writeHeartbeat(COUNTS), ...writeBye(bye("")), ...writeHello(aHello)),
  ],
  run(input) {
    const limit = 600;
    const frames = createFrameSplitter(limit);
    const chunkBytes = 1 + (input[0] ?? 0);
    let taken = 0;
    for (let at = 0; at < input.byteLength; at += chunkBytes) {
      frames.push(input.slice(at, at + chunkBytes), at);
      const isGood = readOrRefuse(() => {
        for (let region = frames.next(); region !== undefined; region = frames.next()) {
          while (region.start < region.end) {
            const size = region.view.getUint32(region.start, true);
            assert.ok(size >= HEADER_BYTES && size <= limit && region.start + size <= region.end);
            const frame = region.bytes.subarray(region.start, region.start + size);
            assert.deepEqual(frame, input.subarray(taken, taken + size));
            taken += size;
            region.start += size;
          }
        }
        return true;
      }, ProtocolError);
      if (!isGood) return false;
      assert.equal(taken + frames.pendingBytes, Math.min(at + chunkBytes, input.byteLength));
      assert.ok(frames.pendingBytes < limit);
    }
    return taken > 0;
  },
};

const GUARD_BYTES = 64;
const GUARD = 0xee;

/** A message, read and stamped where it stands among others. */
const message: Target = {
  name: "data",
  shape: "frames",
  mostBytes: MOST_FRAME_BYTES,
  seeds: () => [aMessage(1, 3, 16), aMessage(2, 1, 0), aMessage(2, 9, 300)],
  run(input) {
    if (input.byteLength < HEADER_BYTES) return false;
    const size = input.byteLength;
    const around = new Uint8Array(size + 2 * GUARD_BYTES).fill(GUARD);
    around.set(input, GUARD_BYTES);
    const view = new DataView(around.buffer);
    const at = GUARD_BYTES;
    if (dataFrameFault(view, at, size) !== undefined) return false;
    const payloadAt = payloadOffset(view, at);
    assert.equal(payloadAt + readPayloadBytes(view, at), at + size);
    assert.ok(Number.isSafeInteger(readSequence(view, at) + 1));
    assert.ok(readHopCount(view, at) >= 1 && readHopCount(view, at) <= readHopSlots(view, at));
    for (let hop = 0; hop < readHopCount(view, at); hop++) {
      assert.ok(Number.isFinite(readHopSentUs(view, hopOffset(at, hop))));
      assert.match(readHopMethod(view, hopOffset(at, hop)), /^(none|system|estimate)$/);
    }
    const payload = around.slice(payloadAt);
    stampOrigin(view, at, 9);
    finishHop(view, at, 1, 2, 3, 1);
    if (readHopCount(view, at) < readHopSlots(view, at)) {
      beginHop(view, at);
      stampSent(view, at, 4);
    }
    assert.equal(dataFrameFault(view, at, size), undefined, "stamped, it is a message still");
    assert.deepEqual(around.subarray(payloadAt), payload, "nothing but its hops is stamped");
    assert.ok(around.subarray(0, GUARD_BYTES).every((byte) => byte === GUARD));
    return true;
  },
};

const clock = {
  ...{ phase: 2 as const, exchange: 3, soonestMs: 100 },
  ...{ t1Us: 1e14, t2Us: 1e14 + 5, t3Us: 1e14 + 6, t4Us: 1e14 + 9, errorUs: NaN, wallShiftUs: 0 },
};

export const frameTargets: Target[] = [
  splitter,
  message,
  codec(
    "hello",
    [aHello, { ...aHello, mode: "flood" as const }],
    readHello,
    writeHello,
    (_, frame) => {
      assert.equal(helloFault(frame), undefined);
    },
  ),
  codec("welcome", [aWelcome], readWelcome, writeWelcome),
  codec("directory", [aDirectory, { joined: [], left: [] }], readDirectory, writeDirectory),
  codec("clock", [clock], readClockFrame, writeClockFrame),
  codec("heartbeat", [COUNTS, { sent: 0, origins: [] }], readHeartbeat, writeHeartbeat),
  codec("bye", [bye("über"), bye("")], readBye, writeBye),
  codec(
    "report",
    [aReport],
    readReport,
    (report) => writeReports(report)[0] ?? new Uint8Array([6, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]),
  ),
];
