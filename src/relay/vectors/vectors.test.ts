import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readBye, writeBye } from "../bye.ts";
import { readClockFrame, writeClockFrame } from "../clock-frame.ts";
import {
  beginHop,
  ClockMethod,
  type ClockMethodName,
  dataFrameFault,
  finishHop,
  hopOffset,
  payloadOffset,
  readFlags,
  readHopCorrectionUs,
  readHopCount,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
  readHopSlots,
  readIntendedUs,
  readOrigin,
  readPayloadBytes,
  readSequence,
  stampSent,
  writeDataFrame,
} from "../data-frame.ts";
import { readDirectory, writeDirectory } from "../directory.ts";
import { FrameType } from "../frame.ts";
import { readHeartbeat, writeHeartbeat } from "../heartbeat.ts";
import { readHello, writeHello } from "../hello.ts";
import { toHex } from "../hex.ts";
import { readChallengeFrame, readProof, writeChallengeFrame, writeProof } from "../proof.ts";
import { type Report, writeReports } from "../report-frame.ts";
import { readReport } from "../report-reading.ts";
import { readWelcome, writeWelcome } from "../welcome.ts";

/** The bytes of a frame, field by field, each with its meaning, and what they say together. */
interface Vector {
  frame: keyof typeof FrameType;
  about: string;
  fields: [hex: string, meaning: string][];
  /** Bytes as hexadecimal digits, NaN as "NaN". */
  value: unknown;
}

interface HopValue {
  sentUs: number;
  receivedUs?: number;
  correctionUs: number;
  errorUs: number;
  method: ClockMethodName;
}

interface DataValue {
  flags: number;
  hopSlots: number;
  origin: number;
  sequence: number;
  intendedUs: number;
  payload: Uint8Array;
  hops: HopValue[];
}

const BYTES = new Set(["processId", "previousSession", "sessionId", "payload", "nonce", "proof"]);
const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("frames.json", import.meta.url), "utf8"),
  (key, value) => BYTES.has(key) ? fromHex(value) : value === "NaN" ? NaN : value,
);

/** Writes a message as its ends and its relay do, one after another. */
function writeData({ hops, payload, ...start }: DataValue): Uint8Array {
  const bytes = new Uint8Array(32 + start.hopSlots * 32 + payload.byteLength);
  const view = new DataView(bytes.buffer);
  writeDataFrame(view, 0, { ...start, payloadBytes: payload.byteLength });
  for (const hop of hops) {
    beginHop(view, 0);
    stampSent(view, 0, hop.sentUs);
    if (hop.receivedUs === undefined) continue;
    const { receivedUs, correctionUs, errorUs, method } = hop;
    finishHop(view, 0, receivedUs, correctionUs, errorUs, ClockMethod[method]);
  }
  bytes.set(payload, payloadOffset(view, 0));
  return bytes;
}

function readData(bytes: Uint8Array): DataValue {
  const view = new DataView(bytes.buffer);
  assert.equal(dataFrameFault(view, 0, bytes.byteLength), undefined);
  const hops = Array.from({ length: readHopCount(view, 0) }, (_, index) => {
    const at = hopOffset(0, index);
    const receivedUs = readHopReceivedUs(view, at);
    if (receivedUs === 0) return { sentUs: readHopSentUs(view, at) } as HopValue;
    return {
      sentUs: readHopSentUs(view, at),
      receivedUs,
      correctionUs: readHopCorrectionUs(view, at),
      errorUs: readHopErrorUs(view, at),
      method: readHopMethod(view, at),
    };
  });
  const at = payloadOffset(view, 0);
  return {
    flags: readFlags(view, 0),
    hopSlots: readHopSlots(view, 0),
    origin: readOrigin(view, 0),
    sequence: readSequence(view, 0),
    intendedUs: readIntendedUs(view, 0),
    payload: bytes.slice(at, at + readPayloadBytes(view, 0)),
    hops,
  };
}

// deno-lint-ignore no-explicit-any
const codecs: Record<keyof typeof FrameType, [read: (b: Uint8Array) => any, write: any]> = {
  hello: [readHello, writeHello],
  welcome: [readWelcome, writeWelcome],
  directory: [readDirectory, writeDirectory],
  data: [readData, writeData],
  clock: [readClockFrame, writeClockFrame],
  heartbeat: [readHeartbeat, writeHeartbeat],
  bye: [readBye, writeBye],
  challenge: [
    (frame) => ({ nonce: readChallengeFrame(frame) }),
    ({ nonce }: { nonce: Uint8Array }) => writeChallengeFrame(nonce),
  ],
  proof: [
    (frame) => ({ proof: readProof(frame) }),
    ({ proof }: { proof: Uint8Array }) => writeProof(proof),
  ],
  report: [readReport, (report: Report) => writeReports(report)[0]],
};

for (const { frame, about, fields, value } of vectors) {
  const bytes = fromHex(fields.map(([hex]) => hex).join(""));
  test(`${frame}: ${about}`, () => {
    const [read, write] = codecs[frame];
    assert.equal(bytes[4], FrameType[frame]);
    assert.equal(toHex(write(value)), toHex(bytes));
    assert.deepEqual(read(bytes), value);
  });
}

test("every type of frame has a vector", () => {
  assert.deepEqual(
    new Set(vectors.map(({ frame }) => frame)),
    new Set(Object.keys(FrameType)),
  );
});
