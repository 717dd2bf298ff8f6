import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderLines } from "./lines.ts";
import { printable } from "./printable.ts";
import { delays, difference, key, route, trend, twoRoutesRun } from "./sample-runs.ts";
import { finalTables, liveLines } from "./tables.ts";
import { textWidth } from "./text-width.ts";

test("no line is wider than the terminal, whatever the names and figures", () => {
  const name = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: "binary", maxLength: 90 }));
  const figure = fc.oneof(fc.double(), fc.double({ min: -1000, max: 1000 }));
  const count = fc.oneof(fc.nat(), fc.maxSafeNat());
  const anyKey = fc.tuple(fc.array(name, { minLength: 2, maxLength: 5 }), name, figure, count).map(
    ([names, label, p50, n]) => key(names, label, p50, { count: n, lost: n % 7, up: n % 3 }),
  );
  const world = fc.record({ keys: fc.array(anyKey, { maxLength: 6 }), name, figure, count });
  fc.assert(
    fc.property(
      world,
      fc.integer({ min: 60, max: 250 }),
      ({ keys, name, figure, count }, width) => {
        const run = twoRoutesRun({
          config: { name },
          keys: [...twoRoutesRun().keys, ...keys],
          routes: [
            route("direct"),
            route(name, { server: name, sent: count, rtt_ms: delays(figure) }),
          ],
          differences: [
            difference(["client-a", "server"], figure, figure, { b: name, pairs: count }),
          ],
          sinks: [{
            sink: name,
            accepted: count,
            queued: count,
            sent: count,
            retried: count,
            failed: count,
            dropped: count,
            oldest_waiting_s: count,
          }],
          sessions: [{ name, route: name, peer: name, backlog_bytes: count, dropped: count }],
          notes: [name],
        });
        const format = { width, colour: false };
        const p95 = Array.from(
          { length: 30 },
          (_, index) => index % 4 === 0 ? null : figure * index,
        );
        const trends = {
          intervalMs: 1 + count,
          keys: run.keys.map((one) =>
            trend(one, {
              p95_ms: p95,
              lost: p95.map((_, index) => index % 5),
              change: { ms: figure, from_ms: figure, error_ms: figure },
            })
          ),
        };
        const drawn = finalTables(run, format) +
          renderLines(liveLines(run, 75, width, trends), format);
        for (const line of drawn.split("\n")) {
          assert.ok(textWidth(line) <= width, `${textWidth(line)} > ${width}: ${line}`);
          assert.equal(printable(line), line);
        }
      },
    ),
    { numRuns: 60 },
  );
});
