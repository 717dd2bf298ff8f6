/**
 * One exchange of clock readings in three frames of equal size, after which both ends have all
 * four times:
 *
 *     client                              relay
 *       t1 ── 1: asks ───────────────────▶ t2
 *       t4 ◀───────────────── 2: answers ── t3
 *          ── 3: returns t1 … t4 ────────▶
 *
 *      0               4       5       6       8              12              16
 *     +---------------+-------+-------+-------+---------------+---------------+
 *     | length (64)   | 5     | phase | 0     | exchange      | soonest, ms   |
 *     +---------------+-------+-------+-------+---------------+---------------+
 *     | t1 (f64)                      | t2 (f64)                              |   32
 *     +-------------------------------+---------------------------------------+
 *     | t3 (f64)                      | t4 (f64)                              |   48
 *     +-------------------------------+---------------------------------------+
 *     | error (f64)                   | wall shift (f64)                      |   64
 *     +-------------------------------+---------------------------------------+
 *
 * phase       u8: 1, 2 or 3; times not yet known are 0
 * exchange    u32: number of the exchange in this session
 * soonest     u32, in the answer: the next exchange may come no sooner than this
 * t1 … t4     f64, µs since 2020, t1 and t4 by the client's clock, t2 and t3 by the relay's
 * error       f64, µs: bound on the error of the sender's wall clock, its anchor's included; NaN
 *             where it is unknown
 * wall shift  f64, µs: how far the sender's wall clock has moved against its hop clock
 */
import { FrameType } from "./frame.ts";
import { ProtocolError } from "./protocol-error.ts";
import { MAX_TIME_US } from "./time.ts";

export const CLOCK_FRAME_BYTES = 64;
const T1_AT = 16;
const T3_AT = 32;

export interface ClockFrame {
  phase: 1 | 2 | 3;
  exchange: number;
  soonestMs: number;
  t1Us: number;
  t2Us: number;
  t3Us: number;
  t4Us: number;
  errorUs: number;
  wallShiftUs: number;
}

export function writeClockFrame(clock: ClockFrame): Uint8Array {
  const frame = new Uint8Array(CLOCK_FRAME_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint32(0, CLOCK_FRAME_BYTES, true);
  view.setUint8(4, FrameType.clock);
  view.setUint8(5, clock.phase);
  view.setUint32(8, clock.exchange, true);
  view.setUint32(12, clock.soonestMs, true);
  view.setFloat64(T1_AT, clock.t1Us, true);
  view.setFloat64(24, clock.t2Us, true);
  view.setFloat64(T3_AT, clock.t3Us, true);
  view.setFloat64(40, clock.t4Us, true);
  view.setFloat64(48, clock.errorUs, true);
  view.setFloat64(56, clock.wallShiftUs, true);
  return frame;
}

/**
 * Writes the time of sending into a request: the last thing before it is handed over. Code that runs
 * a few times a second is slow code: between the stamp and the socket it would pass for a way that
 * takes longer than the other.
 */
export function stampRequest(frame: Uint8Array, t1Us: number): void {
  new DataView(frame.buffer, frame.byteOffset).setFloat64(T1_AT, t1Us, true);
}

/** As `stampRequest`, of an answer. */
export function stampAnswer(frame: Uint8Array, t3Us: number): void {
  new DataView(frame.buffer, frame.byteOffset).setFloat64(T3_AT, t3Us, true);
}

/** Throws ProtocolError where a time is not a number or the phase is unknown. */
export function readClockFrame(frame: Uint8Array): ClockFrame {
  if (frame.byteLength !== CLOCK_FRAME_BYTES) {
    throw new ProtocolError(`clock: ${frame.byteLength} bytes, not ${CLOCK_FRAME_BYTES}`);
  }
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const phase = view.getUint8(5);
  if (phase !== 1 && phase !== 2 && phase !== 3) throw new ProtocolError(`clock: phase ${phase}`);
  const clock: ClockFrame = {
    phase,
    exchange: view.getUint32(8, true),
    soonestMs: view.getUint32(12, true),
    t1Us: view.getFloat64(T1_AT, true),
    t2Us: view.getFloat64(24, true),
    t3Us: view.getFloat64(T3_AT, true),
    t4Us: view.getFloat64(40, true),
    errorUs: view.getFloat64(48, true),
    wallShiftUs: view.getFloat64(56, true),
  };
  const times = [clock.t1Us, clock.t2Us, clock.t3Us, clock.t4Us, clock.wallShiftUs];
  if (!times.every((us) => Math.abs(us) <= MAX_TIME_US)) {
    throw new ProtocolError("clock: a time is no time");
  }
  // A bound is a size; anything else is as good as unknown.
  if (!(clock.errorUs >= 0 && clock.errorUs <= MAX_TIME_US)) clock.errorUs = NaN;
  return clock;
}
