import assert from "node:assert/strict";
import { test } from "node:test";
import { createAllowances } from "./allowances.ts";
import { createBench } from "./simulation/relay-bench.ts";

const SECOND = 1_000_000;
const limits = { messages: 10, bytes: Infinity };
const HERE = "192.0.2.1";

test("whoever goes and comes again has no more than an address may, however often", () => {
  const allowances = createAllowances(limits, 3);
  let sent = 0;
  for (let ms = 0; ms < 10_000; ms += 10) {
    const all = [1, 2, 3].map(() => allowances.take(HERE, ms * 1000));
    for (const rate of all) {
      while (!rate.isExceeded(ms * 1000)) {
        rate.take(1, 0, ms * 1000);
        sent++;
      }
      allowances.release(HERE, rate);
    }
  }
  const most = 3 * 10 * (10 + 10 * 1.01) + 3;
  assert.ok(sent <= most && sent > 0.95 * most, `${sent} of ${most}`);
});

test("others of an address find rates that are full, while there are such", () => {
  const allowances = createAllowances(limits, 3);
  const greedy = allowances.take(HERE, 0);
  greedy.take(500, 0, 0);
  allowances.release(HERE, greedy);
  for (const _ of [1, 2]) assert.equal(allowances.take(HERE, 0).filled(0), 1);
  assert.equal(allowances.take("192.0.2.2", 0).filled(0), 1);
  assert.equal(allowances.take(HERE, 0), greedy);
  assert.ok(greedy.isExceeded(39 * SECOND));
  assert.ok(!greedy.isExceeded(41 * SECOND));
});

test("of addresses where nobody is, only the latest are known", () => {
  const allowances = createAllowances(limits, 1, 2);
  for (const source of ["a", "b", "c"]) {
    const rate = allowances.take(source, 0);
    rate.take(100, 0, 0);
    allowances.release(source, rate);
  }
  assert.deepEqual(["a", "b", "c"].map((source) => allowances.take(source, 0).filled(0)), [
    1,
    0,
    0,
  ]);
});

test("a client that was sent away for its rate finds it used up when it comes back", () => {
  const bench = createBench({ maxRate: limits, maxPerAddress: 1 });
  const first = bench.join();
  first.send(101);
  assert.equal(first.bye!.reason, "rate");
  first.vanish();
  const second = bench.join();
  second.send(1);
  assert.equal(second.bye!.reason, "rate");
  second.vanish();
  bench.pass(5 * SECOND);
  const third = bench.join();
  third.send(40);
  assert.equal(third.bye, undefined);
});
