import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSdkError } from "./firehose-errors.ts";

const target = { stream: "records", region: "eu-west-1" };
const describe = (error: object, profile?: string) =>
  describeSdkError(Object.assign(new Error("raw"), error), { ...target, profile });
const answer = (httpStatusCode: number, name: string, more: object = {}) =>
  describe({ name, $metadata: { httpStatusCode, ...more } });

test("what only an operator can change is told with what to do", () => {
  const told: [string, RegExp][] = [
    ["ResourceNotFoundException", /no delivery stream records in eu-west-1.*-k REGION:NAME/],
    ["AccessDeniedException", /allow these credentials firehose:PutRecordBatch/],
    ["ExpiredTokenException", /have expired: renew/],
    ["UnrecognizedClientException", /does not know these credentials/],
    ["InvalidSignatureException", /check the secret key/],
    ["InvalidKMSResourceException", /encryption key/],
    ["InvalidSourceException", /Direct PUT/],
  ];
  for (const [name, message] of told) {
    const outcome = answer(400, name);
    assert.equal(outcome.kind, "blocked", name);
    assert.match(outcome.message, message);
  }
  assert.equal(answer(403, "SomethingNew").kind, "blocked");
  const elsewhere = answer(404, "Unknown");
  assert.equal(elsewhere.kind, "blocked");
  assert.match(elsewhere.message, /not Firehose \(404\): check AWS_ENDPOINT_URL_FIREHOSE/);
});

test("missing credentials name the profile that should have them", () => {
  const error = { name: "CredentialsProviderError" };
  assert.match(describe(error).message, /set AWS_PROFILE or AWS_ACCESS_KEY_ID/);
  assert.match(describe(error, "work").message, /profile work/);
});

test("what passes by itself is tried again soon", () => {
  const outcomes = [
    answer(500, "InternalFailure"),
    answer(503, "ServiceUnavailableException"),
    answer(400, "ThrottlingException"),
    answer(400, "LimitExceededException"),
    answer(429, "Unknown"),
    describe({ name: "TimeoutError" }),
    describe({ name: "AbortError" }),
    describe({ code: "ECONNREFUSED" }),
    describe({ errors: [{ code: "ECONNREFUSED" }, { code: "ENETUNREACH" }] }),
    describe({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    describe({ name: "SomethingElse" }),
    answer(400, "InvalidSignatureException", { clockSkewCorrected: true }),
  ];
  for (const outcome of outcomes) assert.equal(outcome.kind, "failed", outcome.message);
});

test("other refusals are about the records", () => {
  const names = ["InvalidArgumentException", "ValidationException", "SerializationException"];
  for (const name of names) assert.equal(answer(400, name).kind, "invalid");
  assert.equal(answer(413, "").kind, "invalid");
});

test("neither the SDK's words nor a line's end are shown", () => {
  const secret = "canonical\nx-amz-security-token:TOKEN";
  for (const name of ["InvalidSignatureException", "ValidationException", "Odd"]) {
    const { message } = describe({ name, message: secret, $metadata: { httpStatusCode: 400 } });
    assert.doesNotMatch(message, /TOKEN|\n/);
  }
});

test("whatever is thrown, what is shown is one line, with names of errors at most", () => {
  const forged = "Odd\u001b[2J\nfirehose: all is well";
  const thrown = [
    ...[null, undefined, 7, "text", { name: 7, code: {}, errors: [] }, { name: forged }],
    ...[{ code: forged }, { code: "constructor" }, { $metadata: { httpStatusCode: forged } }],
    { name: forged, $metadata: { httpStatusCode: 500 } },
  ];
  for (const error of thrown) {
    const { message } = describeSdkError(error, { stream: "s", region: "r" });
    assert.match(message, /^\P{C}+$/u);
    assert.doesNotMatch(message, /all is well/);
  }
});
