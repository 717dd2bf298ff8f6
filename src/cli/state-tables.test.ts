import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSummary } from "../metrics/summary.ts";
import { serverRun } from "./sample-runs.ts";
import { finalTables } from "./tables.ts";

const at = (run: RunSummary, width: number) => finalTables(run, { width, colour: false });

test("a server lists at most 20 sessions, those that lose frames first", () => {
  const sessions = Array.from({ length: 1000 }, (_, index) => ({
    name: `client-${index}`,
    route: "direct",
    peer: `10.0.0.7:${10_000 + index}`,
    backlog_bytes: index === 700 ? 4096 : 0,
    dropped: index === 900 ? 5 : 0,
  }));
  const text = at(serverRun({ sessions }), 80);
  assert.equal(text.match(/10\.0\.0\.7:/g)?.length, 20);
  assert.match(text, /^client-900 .*\nclient-700 /m);
  assert.match(text, /^… 980 more$/m);
});
