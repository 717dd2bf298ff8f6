import assert from "node:assert/strict";
import { test } from "node:test";
import { instant } from "./instant.ts";

const NOW = Date.parse("2026-03-08T12:00:00Z");

function isoOf(text: string): string {
  const parsed = instant(() => NOW).parse(text);
  return "problem" in parsed ? parsed.problem : new Date(parsed.value).toISOString();
}

test("times are ISO 8601, in UTC unless they say otherwise, or so long ago", () => {
  const cases = {
    "2026-03-01": "2026-03-01T00:00:00.000Z",
    "2026-03-01T10:20": "2026-03-01T10:20:00.000Z",
    "2026-03-01 10:20:30.5": "2026-03-01T10:20:30.500Z",
    "2026-03-01T10:20:30.123456Z": "2026-03-01T10:20:30.123Z",
    "2026-03-01T10:20+02:00": "2026-03-01T08:20:00.000Z",
    "90m": "2026-03-08T10:30:00.000Z",
    "36h": "2026-03-07T00:00:00.000Z",
    "7d": "2026-03-01T12:00:00.000Z",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(isoOf(text), expected);
});

test("what is no time is refused", () => {
  for (const text of ["", "now", "90", "2026-13-01", "2026-03-01T25:00", "1e3h", "-1h"]) {
    assert.match(isoOf(text), /is no time, such as 2026-03-01T12:00Z, or 90m, 36h or 7d ago$/);
  }
});
