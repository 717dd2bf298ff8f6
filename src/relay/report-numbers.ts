/**
 * Numbers of reports (report-frame.ts): delays as f32, and counts in base 128, which are mostly
 * short.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { ProtocolError } from "./protocol-error.ts";

/** Delays and bounds beyond this, in ms, are no figures: 32 years. */
const MOST_MS = 1e12;

const f32 = new DataView(new ArrayBuffer(4));

/** Delays in ms, each as an f32. */
export function writeMs(writer: ByteWriter, values: readonly number[]): void {
  for (const value of values) {
    f32.setFloat32(0, value, true);
    writer.u32(f32.getUint32(0, true));
  }
}

/** Throws ProtocolError for what is not a delay. */
export function readMs(reader: ByteReader, count: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    f32.setUint32(0, reader.u32(), true);
    const value = f32.getFloat32(0, true);
    if (!(Math.abs(value) <= MOST_MS)) throw new ProtocolError("report: a figure out of range");
    values.push(value);
  }
  return values;
}

/** A whole number from 0 to 2^53 − 1. */
export function writeCount(writer: ByteWriter, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    writer.u8((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  writer.u8(rest);
}

/** Throws ProtocolError for one of more than 53 bits. */
export function readCount(reader: ByteReader): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
    const byte = reader.u8();
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) break;
    if (byte < 0x80) return value;
  }
  throw new ProtocolError("report: a count of more than 53 bits");
}

/** A whole number of either sign, of up to 52 bits. */
export function writeSigned(writer: ByteWriter, value: number): void {
  writeCount(writer, value < 0 ? -2 * value - 1 : 2 * value);
}

/** Throws ProtocolError for one of more than 53 bits. */
export function readSigned(reader: ByteReader): number {
  const value = readCount(reader);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
