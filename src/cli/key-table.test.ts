import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSummary } from "../metrics/summary.ts";
import { clientRun, key, twoRoutesRun } from "./sample-runs.ts";
import { finalTables, logLines } from "./tables.ts";

const at = (run: RunSummary, width: number) => finalTables(run, { width, colour: false });

test("what went wrong is told below the figures, and notes at the end", () => {
  const troubles = { lost: 12, up: 5, down: 7, dropped: 2, duplicates: 1, reordered: 3 };
  const run = clientRun({
    keys: [
      key(["server", "client-a"], "localhost", 11.81, {
        ...troubles,
        negative: 4,
        uncorrected: 1200,
      }),
    ],
    notes: [
      "The server's clock stepped by 5,000 ms at 12:00:31: hops of the next 2 s are uncorrected.",
    ],
  });
  assert.equal(
    at(run, 80),
    `\
performance-client client-a: 62.0 s, 1,250 sent, 1,240 received, 10 for warm-up

ms: corrected one-way delay; ± is the bound on its error
Hops, ms           count  lost       ±    p50    p90    p95    p99  p99.9    max
server → client-a  1,240    12  0.0512  11.81  12.99  13.46  14.76  18.90  24.80
    12 lost (0.96 %): 5 up, 7 down, 2 of these dropped by the relay; 1
      duplicate; 3 reordered; 4 below zero; 1,200 uncorrected, not in ms

Routes, ms          sent  unsent  unconfirmed  reconnects  RTT p50    p99    max
localhost  closed  1,250       0            0           0    24.10  30.13  50.61

Own times, ms     min    mean     p50     p90     p95     p99   p99.9     max
schedule lag   0.0037  0.0042  0.0041  0.0045  0.0047  0.0051  0.0066  0.0086

Note: The server's clock stepped by 5,000 ms at 12:00:31: hops of the next 2 s
  are uncorrected.
`,
  );
});

test("few messages say where their percentiles may lie", () => {
  const confidence_ms = {
    p50: { low: 11.2, high: 12.5 },
    p95: { low: 13 },
    p99: { low: 14.1 },
  };
  const run = clientRun({ keys: [key(["a", "b"], "localhost", 12, { confidence_ms })] });
  assert.match(
    at(run, 80),
    /^ {4}few messages; 95 % sure: p50 11\.20 to 12\.50, p95 at least 13\.00, p99 at\n {6}least 14\.10$/m,
  );
  const many = { ...confidence_ms, p99: { low: 14.1, high: 15 } };
  const known = clientRun({ keys: [key(["a", "b"], "localhost", 12, { confidence_ms: many })] });
  assert.doesNotMatch(at(known, 80), /few messages/);
});

test("a figure without a known bound says so", () => {
  const run = clientRun({ keys: [key(["a", "b"], "localhost", 1.5)] });
  for (const one of run.keys) delete one.error_ms;
  assert.match(at(run, 80), /where none is known/);
  assert.match(at(run, 80), /^a → b +1,240 .* 0 +\? .* 1\.500/m);
  assert.doesNotMatch(at(clientRun(), 80), /where none is known/);
  assert.match(logLines(run)[0] ?? "", /p50 1\.500 ±\?/);
});

test("keys are found in the original's notation on wide terminals", () => {
  assert.match(at(clientRun(), 200), / client-b::~::server<~>server::~::client-a$/m);
  const names = ["client-us-west-1", "server-sa-east-1"];
  const keys = ["direct", "accelerated"].map((label) => key(names, label, 80));
  const heading = /^client-us-west-1 → server-sa-east-1 {3}client-us-west-1::~::server-sa-east-1$/m;
  assert.match(at(twoRoutesRun({ keys }), 120), heading);
  assert.doesNotMatch(at(twoRoutesRun({ keys }), 119), /::~::/);
});

test("throughput is shown on wide terminals where it is known", () => {
  const known = key(["a", "b"], "localhost", 1.5, { bytes_per_second: 1_250_000 });
  assert.match(at(clientRun({ keys: [known] }), 250), / kB\/s .*\na → b .* 1,250 /);
  assert.doesNotMatch(at(clientRun(), 250), /kB\/s/);
});
