import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { failed, taken, withFirehose } from "./fake-firehose.ts";
import type { PutOutcome } from "./firehose-put.ts";

const blocked: PutOutcome = { kind: "blocked", message: "access is denied: allow it" };
const invalid: PutOutcome = { kind: "invalid", message: "invalid records" };

test("a few records wait for others, and go together when the oldest is old enough", () =>
  withFirehose(async ({ write, pass, requests, written, summary }) => {
    write(3);
    await pass(3000);
    write(2);
    await pass(1900);
    assert.equal(requests.length, 0);
    assert.equal(summary().queued, 5);
    assert.ok(summary().oldest_waiting_s >= 4.9);
    await pass(200);
    assert.deepEqual(requests.map(({ texts }) => texts), [[written.join("")]]);
    assert.equal(summary().sent, 5);
    assert.equal(summary().oldest_waiting_s, 0);
  }));

test("enough bytes go at once, in requests of a quarter of a megabyte at most", () =>
  withFirehose(async ({ write, pass, requests, delivered }) => {
    write(3000);
    await pass(100);
    const sizes = requests.map(({ texts }) => texts.join("").length);
    assert.equal(sizes.length, 7);
    for (const size of sizes) assert.ok(size > 240_000 && size <= 250_000, String(size));
    await pass(5100);
    assert.equal(delivered.size, 3000);
  }));

test("without aggregation 500 records go at once, each by itself", () =>
  withFirehose(async ({ write, pass, requests }) => {
    write(499, 100);
    await pass(100);
    assert.equal(requests.length, 0);
    write(2, 100);
    await pass(100);
    assert.deepEqual(requests.map(({ texts }) => texts.length), [500]);
    await pass(5100);
    assert.deepEqual(requests.map(({ texts }) => texts.length), [500, 1]);
  }, { aggregate: false }));

test("eight requests are under way at once, and one that stalls holds up none of the others", () =>
  withFirehose(async ({ write, pass, requests, open, answerWith, delivered, summary }) => {
    answerWith(() => undefined);
    write(20_000);
    await pass(200);
    assert.equal(open().length, 8);
    const [stalled, ...others] = open();
    answerWith(() => taken);
    for (const request of others) request.answer(taken);
    await pass(5500);
    assert.equal(delivered.size, 20_000 - stalled!.texts.join("").length / 600);
    // In the end it is given up, and its records go again.
    await pass(20_000);
    assert.ok(stalled!.signal.aborted);
    assert.equal(delivered.size, 20_000);
    assert.equal(summary().sent, 20_000);
    assert.equal(summary().retried, stalled!.texts.join("").length / 600);
    assert.ok(requests.length > 40);
  }, { limitBytes: 16_000_000 }));

test("of a request that fails in part, only the records that failed go again", () =>
  withFirehose(async ({ write, pass, requests, answerWith, summary }) => {
    answerWith(() =>
      requests.length === 1 ? { kind: "answered", refused: [1, 3], message: "busy" } : taken
    );
    write(5);
    await pass(5500);
    assert.equal(requests.length, 2);
    assert.deepEqual(requests[1]!.texts, [requests[0]!.texts[1], requests[0]!.texts[3]]);
    assert.equal(summary().retried, 2);
    assert.equal(summary().sent, 5);
  }, { aggregate: false }));

test("while nothing succeeds one request at a time probes, ever less often; then all go on", () =>
  withFirehose(async ({ write, pass, requests, open, answerWith, delivered, log }) => {
    answerWith(() => failed);
    write(20_000);
    await pass(60_000);
    const times = requests.map(({ atMs }) => atMs);
    assert.ok(times.length < 25, `${times.length} requests in a minute`);
    const gaps = times.slice(-3).map((atMs, index) => atMs - times.at(index - 4)!);
    for (const gap of gaps) assert.ok(gap > 9_900 && gap < 10_200, `${gap} ms, half of 20 s`);
    assert.equal(log.length, 1);
    assert.match(log[0]!, /^warn firehose here:stream: Firehose fails; records wait$/);

    await pass(10_000);
    answerWith(() => undefined);
    const before = requests.length;
    while (requests.length === before) await pass(100);
    assert.equal(open().length, 1);
    await pass(1000);
    assert.equal(open().length, 1, "nobody else before the probe's answer");
    answerWith(() => taken);
    open()[0]!.answer(taken);
    await pass(6000);
    assert.equal(delivered.size, 20_000);
    assert.match(log.at(-1)!, /^info .*taken again$/);
    assert.equal(log.filter((line) => line.startsWith("warn")).length, 2, "one a minute");
  }, { limitBytes: 16_000_000 }));

test("waits are a random part of what doubles", () =>
  withFirehose(async ({ write, pass, requests, answerWith }) => {
    answerWith(() => failed);
    write(1);
    await pass(10_000);
    const times = requests.map(({ atMs }) => Math.round(atMs / 100) * 100);
    // From 5 s on: a quarter of 100, 200, 400, 800, 1600, 3200, 6400 ms.
    const gaps = requests.slice(1, 6).map(({ atMs }, index) => atMs - requests[index]!.atMs);
    [25, 50, 100, 200, 400].forEach((expected, index) => {
      const gap = gaps[index]!;
      assert.ok(gap >= expected && gap <= expected + 15, `${gap} ms for ${expected} (${times})`);
    });
  }, { random: () => 0.25 }));

test("a single failure holds up nothing and is not worth a line", () =>
  withFirehose(async ({ write, pass, requests, answerWith, log, delivered }) => {
    answerWith(() => requests.length % 10 === 5 ? failed : taken);
    write(20_000);
    await pass(6500);
    assert.equal(delivered.size, 20_000);
    assert.deepEqual(log, []);
  }, { limitBytes: 16_000_000 }));

test("what only an operator can change is told once, and asked for every 30 to 60 s", () =>
  withFirehose(async ({ write, pass, requests, answerWith, log, summary, delivered }) => {
    answerWith(() => blocked);
    write(10);
    await pass(55_000);
    assert.equal(requests.length, 2);
    assert.deepEqual(log, ["warn firehose here:stream: access is denied: allow it; records wait"]);
    answerWith(() => ({ kind: "blocked", message: "the credentials have expired: renew them" }));
    await pass(45_000);
    assert.equal(log.length, 2, "another reason is told at once");
    assert.equal(summary().queued, 10);
    answerWith(() => taken);
    await pass(45_000);
    assert.equal(delivered.size, 10);
    assert.match(log[2]!, /^info .*taken again/);
  }));

test("a record that the service never takes is singled out, told once and counted as failed", () =>
  withFirehose(async ({ write, written, pass, answerWith, log, summary, delivered }) => {
    const poison = (text: string) => /^(7|123|124) x/.test(text);
    answerWith(({ texts }) => texts.some(poison) ? invalid : taken);
    write(499, 100);
    await pass(20_000);
    assert.equal(summary().failed, 3);
    assert.equal(summary().sent, 496);
    assert.deepEqual([...delivered].sort(), written.filter((line) => !poison(line)).sort());
    assert.equal(log.filter((line) => /given up/.test(line)).length, 1);
  }, { aggregate: false }));

test("a lone invalid record blocks nothing, and is given up once others were taken", () =>
  withFirehose(async ({ write, pass, answerWith, summary }) => {
    answerWith(({ texts }) => texts.some((text) => text.startsWith("0 x")) ? invalid : taken);
    write(1);
    await pass(30_000);
    // It may be that no record would be taken.
    assert.equal(summary().failed, 0);
    write(1);
    await pass(30_000);
    assert.equal(summary().sent, 1);
    assert.equal(summary().failed, 1);
    assert.equal(summary().queued, 0);
  }));

test("where all is called invalid, nothing is given up", () =>
  withFirehose(async ({ write, pass, answerWith, summary, delivered }) => {
    answerWith(() => invalid);
    write(100);
    await pass(60_000);
    assert.equal(summary().failed, 0);
    answerWith(() => taken);
    await pass(30_000);
    assert.equal(delivered.size, 100);
    assert.equal(summary().sent, 100);
  }, { aggregate: false }));

test("a record that is refused over and over while others are taken is given up in the end", () =>
  withFirehose(async ({ write, pass, answerWith, summary }) => {
    answerWith(({ texts }) => ({
      kind: "answered",
      refused: texts.flatMap((text, index) => text.startsWith("0 x") ? [index] : []),
    }));
    write(1);
    for (let i = 0; i < 45; i++) {
      write(1);
      await pass(21_000);
    }
    assert.equal(summary().failed, 0);
    for (let i = 0; i < 65; i++) {
      write(1);
      await pass(21_000);
    }
    assert.equal(summary().failed, 1);
    assert.equal(summary().sent, 110);
  }, { aggregate: false }));

test("records that fail every time hold up none of the others", () =>
  withFirehose(async ({ write, pass, answerWith, summary }) => {
    answerWith(({ texts }) => texts.some((text) => text.startsWith("0 x")) ? failed : taken);
    for (let i = 0; i < 20; i++) {
      write(1);
      await pass(6000);
    }
    assert.ok(summary().queued <= 2, JSON.stringify(summary()));
  }));

test("a line longer than a Firehose record may be is counted as failed and told", () =>
  withFirehose(async ({ write, pass, log, summary }) => {
    write(1);
    write(1, 1_024_001);
    write(1, 1_024_000);
    await pass(5200);
    assert.equal(summary().failed, 1);
    assert.equal(summary().sent, 2);
    assert.equal(log.length, 1);
  }));

test("when the queue is full the oldest are dropped, counted exactly, and told once a minute", () =>
  withFirehose(async ({ write, written, pass, answerWith, log, summary, delivered }) => {
    answerWith(() => failed);
    for (let second = 0; second < 110; second++) {
      write(300);
      await pass(1000);
    }
    const lines = log.filter((line) => /dropped/.test(line));
    assert.equal(lines.length, 2);
    answerWith(() => taken);
    await pass(40_000);
    const { dropped, sent } = summary();
    assert.ok(dropped > 0);
    assert.equal(sent, delivered.size);
    assert.equal(sent + dropped, written.length);
    assert.ok(delivered.has(written.at(-1)!), "the newest is there");
  }, { limitBytes: 6_000_000 }));

test("closing sends what waits at once, and ends when it is sent", () =>
  withFirehose(async ({ sink, write, pass, summary }) => {
    write(1000);
    const closed = sink.close(10_000);
    await pass(50);
    await closed;
    assert.equal(summary().sent, 1000);
    assert.equal(summary().queued, 0);
  }));

test("closing cuts a long wait short, so that what has recovered takes the records", () =>
  withFirehose(async ({ sink, write, pass, answerWith, summary }) => {
    answerWith(() => blocked);
    write(10);
    await pass(6000);
    answerWith(() => taken);
    const closed = sink.close(10_000);
    await pass(50);
    await closed;
    assert.equal(summary().sent, 10);
  }));

test("closing gives up when the grace has passed; what is under way counts as not sent", () =>
  withFirehose(async ({ sink, write, pass, answerWith, open, requests, nowMs, summary }) => {
    answerWith(({ texts }) =>
      requests.length === 1
        ? { kind: "answered", refused: texts.slice(10).map((_, index) => index + 10) }
        : undefined
    );
    write(100);
    const beforeMs = nowMs();
    let atMs = NaN;
    const closed = sink.close(10_000).then(() => atMs = nowMs());
    await pass(9000);
    const [underWay] = open();
    await pass(2000);
    await closed;
    assert.ok(atMs - beforeMs >= 10_000 && atMs - beforeMs <= 10_010, String(atMs - beforeMs));
    assert.ok(underWay!.signal.aborted);
    const { sent, failed, queued } = summary();
    assert.deepEqual({ sent, failed, queued }, { sent: 10, failed: 90, queued: 0 });
  }, { aggregate: false }));

test("closing does not wait for what only an operator can change", () =>
  withFirehose(async ({ sink, write, pass, answerWith, summary }) => {
    answerWith(() => blocked);
    write(10);
    const closed = sink.close(10_000);
    await pass(50);
    await closed;
    assert.equal(summary().failed, 10);
  }));

test("whatever fails for a while, each record is delivered or counted", async () => {
  const outcome = fc.oneof(
    { weight: 4, arbitrary: fc.constant("taken" as const) },
    { weight: 3, arbitrary: fc.constantFrom("partly" as const, "failed" as const) },
    { weight: 1, arbitrary: fc.constantFrom("blocked" as const, "invalid" as const) },
    { weight: 1, arbitrary: fc.constantFrom("hang" as const, "lost" as const) },
  );
  const world = fc.record({
    outcomes: fc.array(outcome, { minLength: 5, maxLength: 60 }),
    writes: fc.array(fc.nat({ max: 800 }), { minLength: 5, maxLength: 20 }),
    aggregate: fc.boolean(),
    limitBytes: fc.constantFrom(300_000, 8_000_000),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(
      world,
      ({ outcomes, writes, aggregate, limitBytes, jitter }) =>
        withFirehose(async ({ write, written, pass, answerWith, summary, delivered }) => {
          let step = 0;
          answerWith((request) => {
            const kind = outcomes[step++] ?? "taken";
            if (kind === "failed") return failed;
            if (kind === "blocked") return blocked;
            if (kind === "invalid") return invalid;
            if (kind === "hang") return undefined;
            if (kind === "lost") {
              // Taken, but the answer never came.
              request.answer(taken);
              return undefined;
            }
            if (kind === "taken") return taken;
            return {
              kind: "answered",
              refused: request.texts.flatMap((_, index) => (index * 7 + step) % 3 ? [] : [index]),
            };
          });
          for (const count of writes) {
            write(count);
            await pass(500);
            summary();
          }
          for (let i = 0; i < 200 && summary().queued > 0; i++) await pass(15_000);
          const { queued, sent, dropped, failed: givenUp } = summary();
          assert.equal(queued, 0);
          assert.equal(sent + dropped + givenUp, written.length);
          assert.ok(delivered.size >= sent, "what counts as sent was delivered");
          if (limitBytes > 1_000_000) assert.equal(dropped, 0);
        }, { aggregate, limitBytes, random: () => jitter }),
    ),
    { numRuns: 25 },
  );
});
