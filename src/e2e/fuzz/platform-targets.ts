/** What a machine's own services tell, or what answers in their place. */
import assert from "node:assert/strict";
import { clockBoundAt, parseClockBound } from "../../platform/clock-bound.ts";
import { ecsBoundAt, parseEcsClock } from "../../platform/ecs-clock.ts";
import { findPlace } from "../../platform/place.ts";
import { describeSdkError } from "../../sinks/firehose-errors.ts";
import { readAnswer } from "../../sinks/firehose-answer.ts";
import type { Target } from "./target.ts";

const utf8 = new TextEncoder();
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const json = (value: unknown): Uint8Array => utf8.encode(JSON.stringify(value));

function clockBoundFile(version: 1 | 2): Uint8Array {
  const bytes = new Uint8Array(version === 1 ? 72 : 80);
  const view = new DataView(bytes.buffer);
  const words: [number, number][] = [[0, 0x414d5a4e], [4, 0x43420200], [8, bytes.byteLength]];
  for (const [at, word] of words) view.setUint32(at, word, true);
  view.setUint16(12, version, true);
  view.setUint16(14, 2, true);
  view.setBigInt64(16, 100n, true);
  view.setBigInt64(32, 1100n, true);
  view.setBigInt64(48, 50_000n, true);
  view.setUint32(version === 1 ? 56 : 64, 15_000, true);
  view.setInt32(version === 1 ? 64 : 68, 1, true);
  return bytes;
}

const clockBound: Target = {
  name: "clock-bound",
  shape: "bytes",
  mostBytes: 256,
  seeds: () => [clockBoundFile(1), clockBoundFile(2)],
  run(input) {
    const reading = parseClockBound(input, input);
    if ("fault" in reading) {
      assert.notEqual(reading.fault, "");
      return false;
    }
    for (const nowNs of [0, 1e11, 5e11, reading.asOfNs, reading.voidAfterNs]) {
      const boundUs = clockBoundAt(reading, nowNs);
      assert.ok(Number.isNaN(boundUs) || (boundUs >= 0 && boundUs < Infinity), `${boundUs}`);
    }
    return true;
  },
};

const ecsClock: Target = {
  name: "ecs-clock",
  shape: "json",
  mostBytes: 4096,
  seeds: () => [
    json({
      TaskARN: "arn:aws:ecs:eu-west-1:123456789012:task/cluster/0123",
      ClockDrift: {
        ClockErrorBound: 0.54,
        ReferenceTimestamp: "2026-03-01T09:30:00Z",
        ClockSynchronizationStatus: "SYNCHRONIZED",
      },
    }),
  ],
  run(input) {
    const reading = parseEcsClock(text(input));
    if (typeof reading === "string") {
      assert.notEqual(reading, "");
      return false;
    }
    for (const nowUnixMs of [0, Date.UTC(2026, 2, 1, 9, 31), reading.asOfUnixMs, 8.64e15]) {
      const boundUs = ecsBoundAt(reading, nowUnixMs);
      assert.ok(Number.isNaN(boundUs) || (boundUs >= 0 && boundUs < Infinity), `${boundUs}`);
    }
    return true;
  },
};

const place: Target = {
  name: "place",
  shape: "json",
  mostBytes: 4096,
  seeds: () => [
    json({ TaskARN: "arn:aws:ecs:eu-west-1:1:task/0", AvailabilityZone: "eu-west-1a" }),
    utf8.encode("eu-west-1"),
  ],
  async run(input) {
    const found = await findPlace({
      env: { ECS_CONTAINER_METADATA_URI_V4: "http://task", AWS_EC2_METADATA_DISABLED: "false" },
      fetch: () => Promise.resolve({ ok: true, text: () => Promise.resolve(text(input)) }),
      timeoutMs: 1000,
    });
    // They stand in names: nothing that a terminal, a key or a log would obey.
    for (const part of [found.region, found.zone]) assert.match(part, /^[a-z0-9-]{1,40}$/);
    return found.region !== "any";
  },
};

const RECORDS = 3;
const SECRET = "a token, quoted";

/** A line for users, in words of our own. */
function checkMessage(message: string): void {
  assert.match(message, /^\P{C}{0,500}$/u);
}

/** What answers a request to Firehose: taken for so many records as are refused, or for none. */
const firehoseAnswer: Target = {
  name: "firehose-answer",
  shape: "json",
  mostBytes: 4096,
  seeds: () => {
    const [good, bad] = [{ RecordId: "a" }, { ErrorCode: "ServiceUnavailableException" }];
    return [
      json({ FailedPutCount: 0, RequestResponses: [good, good, good] }),
      json({ FailedPutCount: 1, RequestResponses: [good, bad, good] }),
    ];
  },
  run(input) {
    let answer: unknown;
    try {
      answer = JSON.parse(text(input));
    } catch {
      return false;
    }
    const outcome = readAnswer(answer, RECORDS);
    if (outcome.kind !== "answered") {
      checkMessage(outcome.message);
      return false;
    }
    checkMessage(outcome.message ?? "");
    const { FailedPutCount } = answer as { FailedPutCount: number };
    assert.equal(outcome.refused.length > 0, FailedPutCount > 0);
    assert.ok(outcome.refused.every((index) => index >= 0 && index < RECORDS));
    return true;
  },
};

const firehoseError: Target = {
  name: "firehose-error",
  shape: "json",
  mostBytes: 4096,
  seeds: () => [
    json({ name: "ThrottlingException", message: SECRET, $metadata: { httpStatusCode: 400 } }),
    json({ name: "InvalidSignatureException", $metadata: { clockSkewCorrected: true } }),
    json({ name: "Error", code: "ECONNREFUSED", errors: [{ code: "ETIMEDOUT" }] }),
    json({ name: "SyntaxError", message: SECRET, $retryable: { throttling: true } }),
  ],
  run(input) {
    let error: unknown;
    try {
      error = JSON.parse(text(input));
    } catch {
      return false;
    }
    const target = { stream: "stream", region: "eu-west-1", profile: undefined };
    const outcome = describeSdkError(error, target);
    checkMessage(outcome.message);
    // The SDK's own words may quote a request with its credentials.
    const { message } = Object(error) as { message?: unknown };
    if (message === SECRET) assert.ok(!outcome.message.includes(SECRET));
    return outcome.kind !== "failed";
  },
};

export const platformTargets: Target[] = [
  ...[clockBound, ecsClock, place, firehoseAnswer, firehoseError],
];
