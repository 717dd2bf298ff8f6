import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAnswer } from "./firehose-answer.ts";

const good = { RecordId: "a" };
const bad = { ErrorCode: "ServiceUnavailableException", ErrorMessage: "later" };

test("records that Firehose refuses are told by their places", () => {
  assert.deepEqual(readAnswer({ FailedPutCount: 0, RequestResponses: [good, good] }, 2), {
    kind: "answered",
    refused: [],
  });
  assert.deepEqual(readAnswer({ FailedPutCount: 1, RequestResponses: [good, bad] }, 2), {
    kind: "answered",
    refused: [1],
    message: "Firehose refuses some records (ServiceUnavailableException)",
  });
});

test("an answer that contradicts itself, or is none, shows of no record that it is safe", () => {
  const answers = [
    ...[null, undefined, "text", 7, [], {}, { RequestResponses: [bad, bad] }],
    { FailedPutCount: 1, RequestResponses: [good, good] },
    { FailedPutCount: 2, RequestResponses: [good, bad] },
    { FailedPutCount: 1, RequestResponses: [bad] },
    { FailedPutCount: 1, RequestResponses: { length: 2 } },
    { FailedPutCount: "0", RequestResponses: [good, good] },
  ];
  for (const answer of answers) {
    assert.equal(readAnswer(answer, 2).kind, "failed", JSON.stringify(answer));
  }
});

test("whatever the answer is, no more is refused than was sent, and its words are not shown", () => {
  const entry = fc.oneof(
    fc.constantFrom(good, bad, null),
    fc.record({ ErrorCode: fc.oneof(fc.string(), fc.jsonValue()) }),
  );
  const answer = fc.record({
    FailedPutCount: fc.oneof(fc.nat(3), fc.jsonValue()),
    RequestResponses: fc.oneof(fc.array(entry, { maxLength: 4 }), fc.jsonValue()),
  });
  fc.assert(fc.property(fc.oneof(answer, fc.jsonValue()), (value) => {
    const outcome = readAnswer(value, 3);
    if (outcome.kind === "answered") assert.ok(outcome.refused.every((place) => place < 3));
    assert.match(outcome.message ?? "none", /^[\w :,()]+$/);
  }));
});
