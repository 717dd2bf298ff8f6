import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { withFakeTime } from "../platform/fake-time.ts";
import { createFirehoseSink } from "./firehose-sink.ts";
import { createMemoryQueue } from "./memory-queue.ts";

test("a queue whose disk hangs does not keep the process at the end", () =>
  withFakeTime(async (time) => {
    const nowMs = (): number => time.nowUs() / 1000;
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const queue = createMemoryQueue({ nowMs, warn });
    const sink = createFirehoseSink({
      name: "here:stream",
      queue: { ...queue, close: () => new Promise(() => {}) },
      put: () => Promise.resolve({ kind: "answered", refused: [] }),
      flushMs: 5000,
      aggregate: true,
      nowMs,
      random: () => 0.5,
      log: { warn, info() {}, debug() {} },
    });
    let closed = false;
    const closing = sink.close(1000).then(() => closed = true);
    for (let ms = 0; ms < 9_900; ms += 100) {
      assert.equal(closed, false);
      time.advance(100_000);
      await turn();
    }
    time.advance(200_000);
    await closing;
    assert.match(warnings.join(), /disk does not answer/);
  }));
