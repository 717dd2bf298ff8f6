/**
 * A message with the hops that it has made. Fixed offsets, so that it is read and stamped in
 * place: nothing is parsed into objects on the way through a relay.
 *
 *      0               4       5       6       7       8
 *     +---------------+-------+-------+-------+-------+
 *     | length        | 4     | flags | slots | hops  |
 *     +---------------+-------+-------+-------+-------+
 *     | origin        | payload bytes |               16
 *     +---------------+---------------+
 *     | sequence (f64)                |               24
 *     +-------------------------------+
 *     | intended (f64)                |               32
 *     +-------------------------------+
 *     | slots × hop, 32 bytes each    |
 *     +-------------------------------+
 *     | payload                       |
 *     +-------------------------------+
 *
 * flags     bit 0: warm-up; bit 1: the origin asked for its echo
 * slots     u8: how many hops the frame has room for (the welcome says how many)
 * hops      u8: how many of them have begun; the last of these is open until it is received
 * origin    u32: number of the origin's session, set by the relay whatever the sender wrote
 * sequence  f64 that holds an integer: 1, 2, 3 … in each session
 * intended  f64, µs since 2020: the slot, when the message should have been sent
 *
 * A hop:
 *
 *      0               8              16              24      28   29   30    32
 *     +---------------+---------------+---------------+-------+----+----+-----+
 *     | sent (f64)    | received (f64)| correction    | error |how | 0  |relay|
 *     +---------------+---------------+---------------+-------+----+----+-----+
 *
 * sent        f64, µs since 2020 by the sender's clock
 * received    f64, by the receiver's clock; 0 while the hop is open
 * correction  f64, µs: delay = received − sent + correction
 * error       f32, µs: bound on the error of that delay; NaN where it is unknown
 * how         u8: how it was corrected, one of ClockMethod
 * relay       u16: number of the relay that received the hop; 0 (today there is one)
 */

import { MAX_SEQUENCE } from "./frame.ts";
import { MAX_TIME_US } from "./time.ts";

export const FLAG_WARM_UP = 1;
export const FLAG_ECHO = 2;

/** Hops that frames have room for today: to the relay, and from it. */
export const HOP_SLOTS = 2;

const FLAGS = 5;
const SLOTS = 6;
const HOPS = 7;
const ORIGIN = 8;
const PAYLOAD_BYTES = 12;
const SEQUENCE = 16;
const INTENDED = 24;
const HOPS_AT = 32;
const HOP_BYTES = 32;
const HOP_RECEIVED = 8;
const HOP_CORRECTION = 16;
const HOP_ERROR = 24;
const HOP_METHOD = 28;

/** How a hop's delay was corrected. */
export const ClockMethod = { none: 0, system: 1, estimate: 2 } as const;
export type ClockMethodName = keyof typeof ClockMethod;
const METHOD_NAMES: readonly ClockMethodName[] = ["none", "system", "estimate"];

/** Size of a frame that carries `payloadBytes`. */
export function dataFrameBytes(hopSlots: number, payloadBytes: number): number {
  return HOPS_AT + hopSlots * HOP_BYTES + payloadBytes;
}

/**
 * Writes everything but the payload and the send time of a new message at `at`: its first hop is
 * begun by `stampSent`.
 */
export function writeDataFrame(
  view: DataView,
  at: number,
  frame: {
    flags: number;
    hopSlots: number;
    origin: number;
    sequence: number;
    intendedUs: number;
    payloadBytes: number;
  },
): void {
  view.setUint32(at, dataFrameBytes(frame.hopSlots, frame.payloadBytes), true);
  view.setUint8(at + 4, 4);
  view.setUint8(at + FLAGS, frame.flags);
  view.setUint8(at + SLOTS, frame.hopSlots);
  view.setUint8(at + HOPS, 0);
  view.setUint32(at + ORIGIN, frame.origin, true);
  view.setUint32(at + PAYLOAD_BYTES, frame.payloadBytes, true);
  view.setFloat64(at + SEQUENCE, frame.sequence, true);
  view.setFloat64(at + INTENDED, frame.intendedUs, true);
}

/**
 * Why the frame at `at`, `frameBytes` long, is not a data frame as its sender must write it;
 * undefined where it is. Checked before any other function here reads or stamps it.
 */
export function dataFrameFault(view: DataView, at: number, frameBytes: number): string | undefined {
  if (frameBytes < HOPS_AT) return "data: ends too early";
  const slots = view.getUint8(at + SLOTS);
  const hops = view.getUint8(at + HOPS);
  const payloadBytes = view.getUint32(at + PAYLOAD_BYTES, true);
  if (HOPS_AT + slots * HOP_BYTES + payloadBytes !== frameBytes) {
    return `data: ${slots} hops and ${payloadBytes} bytes of payload are not ${frameBytes} bytes`;
  }
  if (hops < 1 || hops > slots) return `data: ${hops} hops begun, room for ${slots}`;
  const sequence = view.getFloat64(at + SEQUENCE, true);
  if (!(sequence >= 1 && sequence <= MAX_SEQUENCE) || sequence % 1 !== 0) {
    return "data: sequence is not a positive integer";
  }
  if (!isTime(view.getFloat64(at + INTENDED, true))) return "data: intended is no time";
  const last = hopOffset(at, hops - 1);
  for (let hopAt = hopOffset(at, 0); hopAt < last; hopAt += HOP_BYTES) {
    const fault = finishedHopFault(view, hopAt);
    if (fault !== undefined) return fault;
  }
  if (!isTime(view.getFloat64(last, true))) return "data: sent is no time";
  return undefined;
}

function finishedHopFault(view: DataView, hopAt: number): string | undefined {
  if (!isTime(view.getFloat64(hopAt, true))) return "data: sent is no time";
  if (!isTime(view.getFloat64(hopAt + HOP_RECEIVED, true))) return "data: received is no time";
  if (!isTime(view.getFloat64(hopAt + HOP_CORRECTION, true))) return "data: correction is no time";
  const errorUs = view.getFloat32(hopAt + HOP_ERROR, true);
  // NaN: the bound is unknown.
  if (errorUs < 0 || errorUs > 2 * MAX_TIME_US) return "data: error is no bound";
  return undefined;
}

/** False for NaN and infinities too. */
function isTime(us: number): boolean {
  return Math.abs(us) <= MAX_TIME_US;
}

export const readFlags = (view: DataView, at: number): number => view.getUint8(at + FLAGS);
export const readHopSlots = (view: DataView, at: number): number => view.getUint8(at + SLOTS);
export const readHopCount = (view: DataView, at: number): number => view.getUint8(at + HOPS);
export const readOrigin = (view: DataView, at: number): number => view.getUint32(at + ORIGIN, true);
export const readSequence = (view: DataView, at: number): number =>
  view.getFloat64(at + SEQUENCE, true);
export const readIntendedUs = (view: DataView, at: number): number =>
  view.getFloat64(at + INTENDED, true);
export const readPayloadBytes = (view: DataView, at: number): number =>
  view.getUint32(at + PAYLOAD_BYTES, true);

/** Where the payload of the frame at `at` begins. */
export function payloadOffset(view: DataView, at: number): number {
  return at + HOPS_AT + view.getUint8(at + SLOTS) * HOP_BYTES;
}

/** Where hop `index` (from 0) of the frame at `at` begins. */
export function hopOffset(at: number, index: number): number {
  return at + HOPS_AT + index * HOP_BYTES;
}

export const readHopSentUs = (view: DataView, hopAt: number): number =>
  view.getFloat64(hopAt, true);
export const readHopReceivedUs = (view: DataView, hopAt: number): number =>
  view.getFloat64(hopAt + HOP_RECEIVED, true);
export const readHopCorrectionUs = (view: DataView, hopAt: number): number =>
  view.getFloat64(hopAt + HOP_CORRECTION, true);
export const readHopErrorUs = (view: DataView, hopAt: number): number =>
  view.getFloat32(hopAt + HOP_ERROR, true);
/** A method that this version does not know reads as "none". */
export const readHopMethod = (view: DataView, hopAt: number): ClockMethodName =>
  METHOD_NAMES[view.getUint8(hopAt + HOP_METHOD)] ?? "none";

/** Begins the next hop of the frame at `at`. There must be a free slot. */
export function beginHop(view: DataView, at: number): void {
  const hops = view.getUint8(at + HOPS);
  view.setUint8(at + HOPS, hops + 1);
  view.setFloat64(at + HOPS_AT + hops * HOP_BYTES + HOP_RECEIVED, 0, true);
}

/** Stamps the open hop with its send time: the last thing before the frame is written. */
export function stampSent(view: DataView, at: number, sentUs: number): void {
  view.setFloat64(at + HOPS_AT + (view.getUint8(at + HOPS) - 1) * HOP_BYTES, sentUs, true);
}

/** Finishes the open hop: when it was received, and how its delay is to be corrected. */
export function finishHop(
  view: DataView,
  at: number,
  receivedUs: number,
  correctionUs: number,
  errorUs: number,
  method: number,
): void {
  const hopAt = at + HOPS_AT + (view.getUint8(at + HOPS) - 1) * HOP_BYTES;
  view.setFloat64(hopAt + HOP_RECEIVED, receivedUs, true);
  view.setFloat64(hopAt + HOP_CORRECTION, correctionUs, true);
  view.setFloat32(hopAt + HOP_ERROR, errorUs, true);
  view.setUint8(hopAt + HOP_METHOD, method);
  view.setUint8(hopAt + HOP_METHOD + 1, 0);
  view.setUint16(hopAt + HOP_METHOD + 2, 0, true);
}

/** Sets the number of the origin's session: the relay's word, whatever the sender wrote. */
export function stampOrigin(view: DataView, at: number, origin: number): void {
  view.setUint32(at + ORIGIN, origin, true);
}
