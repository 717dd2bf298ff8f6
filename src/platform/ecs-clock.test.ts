import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ecsBoundAt, parseEcsClock } from "./ecs-clock.ts";

/** As the metadata endpoint of Fargate answers, shortened. */
const task = (drift: unknown) =>
  JSON.stringify({
    Cluster: "arn:aws:ecs:eu-west-1:111122223333:cluster/mesh",
    TaskARN: "arn:aws:ecs:eu-west-1:111122223333:task/mesh/0123456789abcdef",
    AvailabilityZone: "eu-west-1a",
    LaunchType: "FARGATE",
    ...(drift === undefined ? {} : { ClockDrift: drift }),
  });
const synchronized = {
  ClockErrorBound: 0.5458234999999999,
  ReferenceTimestamp: "2026-03-07T16:57:44Z",
  ClockSynchronizationStatus: "SYNCHRONIZED",
};
const asOf = Date.parse("2026-03-07T16:57:44Z");

test("the bound of a synchronized host holds from its time on, a little wider as it ages", () => {
  const reading = parseEcsClock(task(synchronized));
  assert.ok(typeof reading === "object", String(reading));
  assert.ok(Math.abs(ecsBoundAt(reading, asOf) - 545.8235) < 1e-9);
  // A minute at 25 ppm is 1,500 µs.
  assert.ok(Math.abs(ecsBoundAt(reading, asOf + 60_000) - 2045.8235) < 1e-6);
  assert.ok(Number.isNaN(ecsBoundAt(reading, asOf + 601_000)), "old");
  assert.ok(Number.isNaN(ecsBoundAt(reading, asOf - 601_000)), "of a time to come");
});

test("what tells nothing says why", () => {
  const cases: [string, string][] = [
    ["<html>", "the task's metadata is not JSON"],
    ["null", "the task's metadata has no ClockDrift"],
    ["7", "the task's metadata has no ClockDrift"],
    [task(undefined), "the task's metadata has no ClockDrift"],
    [task(null), "the task's metadata has no ClockDrift"],
    [
      task({ ...synchronized, ClockSynchronizationStatus: "NOT_SYNCHRONIZED" }),
      "the task's host says that its clock is not synchronized",
    ],
    [task({ ...synchronized, ClockErrorBound: "0.5" }), "the task's ClockDrift is malformed"],
    [task({ ...synchronized, ClockErrorBound: -1 }), "the task's ClockDrift is malformed"],
    [task({ ...synchronized, ClockErrorBound: 1.7e308 }), "the task's ClockDrift is malformed"],
    [task({ ...synchronized, ReferenceTimestamp: "now" }), "the task's ClockDrift is malformed"],
    [task({ ...synchronized, ReferenceTimestamp: 5 }), "the task's ClockDrift is malformed"],
  ];
  for (const [text, why] of cases) assert.equal(parseEcsClock(text), why, text);
});

test("whatever the endpoint answers, the answer is a bound or a reason", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    const reading = parseEcsClock(text);
    assert.ok(typeof reading === "string" || reading.boundUs >= 0);
  }));
});
