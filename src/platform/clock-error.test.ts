import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClockError } from "./clock-error.ts";
import type { Fetch } from "./metadata.ts";

const nobody: Fetch = () => Promise.reject(new Error("nobody is there"));
const skipOnDeno = "Deno" in globalThis ? "Deno's monotonic clock has another origin" : false;

function answering(answer: () => string): Fetch {
  return () => Promise.resolve({ ok: true, text: () => Promise.resolve(answer()) });
}

function collect(): { told: string[]; tell: (message: string) => void } {
  const told: string[] = [];
  return { told, tell: (message) => told.push(message) };
}

/** A segment of version 2 with a bound of 30 µs, as of now. */
function segment({ status = 1, voidInS = 1000n } = {}): Uint8Array {
  const view = new DataView(new ArrayBuffer(80));
  view.setUint32(0, 0x414d5a4e, true);
  view.setUint32(4, 0x43420200, true);
  view.setUint32(8, 80, true);
  view.setUint16(12, 2, true);
  view.setUint16(14, 2, true);
  const [nowS, nowNs] = [process.hrtime.bigint() / 1_000_000_000n, 0n];
  [nowS, nowNs, nowS + voidInS, 0n].forEach((value, index) =>
    view.setBigInt64(16 + index * 8, value, true)
  );
  view.setBigInt64(48, 30_000n, true);
  view.setUint32(64, 1_000, true);
  view.setInt32(68, status, true);
  return new Uint8Array(view.buffer);
}

test("--clock-error is taken as it is, and nobody is asked", () => {
  const { told, tell } = collect();
  const env = { ECS_CONTAINER_METADATA_URI_V4: "http://task" };
  const error = createClockError({ clockErrorMs: 1.5, env, fetch: nobody, tell });
  assert.equal(error.boundUs(), 1500);
  assert.deepEqual(told, []);
});

test("a machine without any source is silent, and its bound unknown", async () => {
  const { told, tell } = collect();
  const error = createClockError({
    clockErrorMs: undefined,
    env: {},
    fetch: nobody,
    tell,
    files: ["/nowhere/shm"],
  });
  await error.refresh();
  assert.ok(Number.isNaN(error.boundUs()));
  assert.deepEqual(told, []);
});

test("on Fargate the task's metadata tells, and each change is told once", async () => {
  const drift = (status: string) =>
    JSON.stringify({
      ClockDrift: {
        ClockErrorBound: 0.5,
        ReferenceTimestamp: new Date().toISOString(),
        ClockSynchronizationStatus: status,
      },
    });
  let answer = drift("SYNCHRONIZED");
  const { told, tell } = collect();
  const error = createClockError({
    clockErrorMs: undefined,
    env: { ECS_CONTAINER_METADATA_URI_V4: "http://task" },
    fetch: answering(() => answer),
    tell,
  });
  await error.refresh();
  await error.refresh();
  assert.ok(error.boundUs() >= 500 && error.boundUs() < 600, String(error.boundUs()));
  answer = drift("NOT_SYNCHRONIZED");
  await error.refresh();
  assert.ok(Number.isNaN(error.boundUs()));
  answer = "<html>";
  await error.refresh();
  assert.deepEqual(told, [
    "this host's clock error is known from the task's metadata",
    "this host's clock error is unknown: the task's host says that its clock is not synchronized",
    "this host's clock error is unknown: the task's metadata is not JSON",
  ]);
});

test(
  "ClockBound's file is read, and what is wrong with it told",
  { skip: skipOnDeno },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "clockbound-"));
    try {
      const file = join(folder, "shm0");
      const { told, tell } = collect();
      const at = async (bytes: Uint8Array) => {
        writeFileSync(file, bytes);
        await error.refresh();
        return error.boundUs();
      };
      writeFileSync(file, segment());
      const error = createClockError({
        clockErrorMs: undefined,
        env: {},
        fetch: nobody,
        tell,
        files: [join(folder, "missing"), file],
      });
      const boundUs = await at(segment());
      assert.ok(boundUs >= 30 && boundUs < 31, String(boundUs));
      assert.ok(Number.isNaN(await at(segment({ status: 0 }))));
      assert.ok(Number.isNaN(await at(segment({ voidInS: -1n }).fill(0, 16, 32))));
      assert.ok(Number.isNaN(await at(new Uint8Array(3))));
      rmSync(file);
      await error.refresh();
      const unknown = "this host's clock error is unknown:";
      assert.deepEqual(told, [
        "this host's clock error is known from ClockBound",
        `${unknown} ${file} says that the clock is not synchronized`,
        `${unknown} ${file} is stale: its daemon does not write`,
        `${unknown} ${file} is too short: 3 bytes`,
        `${unknown} ClockBound's file is gone`,
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
