import assert from "node:assert/strict";
import { test } from "node:test";
import { describeNetworkError } from "./network-error.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 192.0.2.1:8080`), { code });
}

test("errors of the network are told in words", () => {
  assert.equal(
    describeNetworkError(systemError("ECONNREFUSED")),
    "connection refused: nothing listens there",
  );
  assert.equal(describeNetworkError(systemError("ENOTFOUND")), "no such host");
});

test("an error that has no words is told by its code, one without a code by its message", () => {
  assert.equal(describeNetworkError(systemError("EBADF")), "EBADF");
  assert.equal(describeNetworkError(new Error("no answer within 3 s")), "no answer within 3 s");
});

test("several attempts are told together, those that failed alike once", () => {
  const [refused, unreachable] = [systemError("ECONNREFUSED"), systemError("ENETUNREACH")];
  assert.equal(
    describeNetworkError(new AggregateError([refused, refused])),
    "connection refused: nothing listens there",
  );
  assert.equal(
    describeNetworkError(new AggregateError([unreachable, refused, refused])),
    "the network cannot be reached; connection refused: nothing listens there",
  );
});
