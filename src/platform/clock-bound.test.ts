import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clockBoundAt, type ClockBoundReading, parseClockBound } from "./clock-bound.ts";

/** A segment as the daemon leaves it, 45 µs at 1000.5 s of uptime, void 1000 s later. */
function segment(version: 1 | 2, change: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(version === 1 ? 72 : 80);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x414d5a4e, true);
  view.setUint32(4, 0x43420200, true);
  view.setUint32(8, bytes.byteLength, true);
  view.setUint16(12, version, true);
  view.setUint16(14, 246, true);
  const times = [1000n, 500_000_000n, 2000n, 500_000_000n];
  times.forEach((value, index) => view.setBigInt64(16 + index * 8, value, true));
  view.setBigInt64(48, 45_123n, true);
  view.setUint32(version === 1 ? 56 : 64, 15_000, true);
  view.setInt32(version === 1 ? 64 : 68, 1, true);
  change(view);
  return bytes;
}

function read(bytes: Uint8Array, again = bytes): ClockBoundReading {
  const reading = parseClockBound(bytes, again);
  assert.ok(!("fault" in reading), JSON.stringify(reading));
  return reading;
}

function faultOf(bytes: Uint8Array, again = bytes): string {
  const reading = parseClockBound(bytes, again);
  assert.ok("fault" in reading, JSON.stringify(reading));
  return reading.fault;
}

for (const version of [1, 2] as const) {
  const statusAt = version === 1 ? 64 : 68;

  test(`version ${version}: the bound grows by the drift from when it was read, until it is void`, () => {
    const reading = read(segment(version));
    assert.deepEqual(reading, {
      asOfNs: 1000.5e9,
      voidAfterNs: 2000.5e9,
      boundNs: 45_123,
      driftPpb: 15_000,
      freeRunning: false,
    });
    assert.equal(clockBoundAt(reading, 1000.5e9), 45.123);
    // 100 s at 15 ppm are 1,500 µs.
    assert.ok(Math.abs(clockBoundAt(reading, 1100.5e9) - 1545.123) < 1e-6);
    assert.ok(Number.isNaN(clockBoundAt(reading, 2000.6e9)));
  });

  test(`version ${version}: a clock that runs free is still bounded, others are not`, () => {
    const withStatus = (status: number) =>
      segment(version, (view) => view.setInt32(statusAt, status, true));
    assert.equal(read(withStatus(2)).freeRunning, true);
    assert.equal(faultOf(withStatus(0)), "says that the clock is not synchronized");
    assert.equal(faultOf(withStatus(3)), "says that the clock was disrupted");
  });
}

test("a file that is being written, wiped or of another kind says so", () => {
  const generation = (value: number) => segment(2, (view) => view.setUint16(14, value, true));
  assert.equal(faultOf(generation(247)), "is being written");
  assert.equal(faultOf(generation(246), generation(248)), "is being written");
  assert.equal(faultOf(generation(0)), "is not initialised");
  assert.equal(faultOf(segment(2, (view) => view.setUint16(12, 0, true))), "is not initialised");
  assert.equal(
    faultOf(segment(2, (view) => view.setUint16(12, 3, true))),
    "has version 3, which is not known",
  );
  assert.equal(faultOf(segment(2, (view) => view.setUint8(0, 0))), "is not ClockBound's");
  assert.equal(faultOf(segment(2).subarray(0, 15)), "is too short: 15 bytes");
  assert.equal(faultOf(segment(2).subarray(0, 79)), "is too short: 79 bytes");
  const negative = segment(1, (view) => view.setBigInt64(48, -1n, true));
  assert.equal(faultOf(negative), "holds values that cannot be");
});

test("whatever bytes stand there, the answer is a bound or a fault", () => {
  const layouts = fc.constantFrom<1 | 2>(1, 2);
  fc.assert(fc.property(
    layouts,
    fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 6 }),
    fc.nat(80),
    (version, changes, length) => {
      const bytes = segment(version);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const cut = bytes.subarray(0, length);
      const reading = parseClockBound(cut, cut);
      if ("fault" in reading) return;
      const boundUs = clockBoundAt(reading, reading.asOfNs);
      assert.ok(boundUs >= 0, String(boundUs));
    },
  ));
});
