/**
 * Bounds-checked reading and writing of control frames (everything but data, which has fixed
 * offsets and its own fast path).
 */
import { ProtocolError } from "./protocol-error.ts";

const utf8Encoder = new TextEncoder();
/** Of one code unit of a string. */
const MOST_UTF8_BYTES = 3;
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export interface ByteReader {
  u8(): number;
  u16(): number;
  u32(): number;
  f64(): number;
  /** An f64 that holds a whole number from 0 on, at most 2^53 − 1. */
  count(): number;
  bytes(count: number): Uint8Array;
  /** UTF-8 after a u16 count of bytes, at most `maxBytes`. */
  text(maxBytes: number): string;
  /** Throws unless everything was read: trailing bytes would be a rule that we do not know. */
  end(): void;
}

/**
 * Reads `frame` from `offset` on. Every read beyond the end throws a ProtocolError that names
 * `what` (the frame's type).
 */
export function createReader(frame: Uint8Array, offset: number, what: string): ByteReader {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let at = offset;
  const take = (count: number): number => {
    if (at + count > frame.byteLength) throw new ProtocolError(`${what}: ends too early`);
    const start = at;
    at += count;
    return start;
  };
  const reader: ByteReader = {
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    f64: () => view.getFloat64(take(8), true),
    count() {
      const value = reader.f64();
      if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER) || value % 1 !== 0) {
        throw new ProtocolError(`${what}: a count is not a whole number`);
      }
      return value;
    },
    bytes(count) {
      const start = take(count);
      return frame.slice(start, start + count);
    },
    text(maxBytes) {
      const count = reader.u16();
      if (count > maxBytes) {
        throw new ProtocolError(`${what}: text of ${count} bytes, at most ${maxBytes}`);
      }
      const start = take(count);
      try {
        return utf8Decoder.decode(frame.subarray(start, start + count));
      } catch {
        throw new ProtocolError(`${what}: text is not UTF-8`);
      }
    },
    end() {
      if (at !== frame.byteLength) {
        throw new ProtocolError(`${what}: ${frame.byteLength - at} bytes too many`);
      }
    },
  };
  return reader;
}

export interface ByteWriter {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  f64(value: number): void;
  bytes(value: Uint8Array): void;
  text(value: string): void;
  /** The bytes written so far. */
  readonly length: number;
  /** Fills in the frame's length (its first four bytes) and returns the frame. */
  finish(): Uint8Array;
}

/** Starts a frame of `type`: its header of length, type and flags, then whatever is appended. */
export function createWriter(type: number, flags: number): ByteWriter {
  let bytes = new Uint8Array(256);
  let view = new DataView(bytes.buffer);
  let at = 4;
  const grow = (count: number): number => {
    if (at + count > bytes.byteLength) {
      const larger = new Uint8Array(Math.max(bytes.byteLength * 2, at + count));
      larger.set(bytes);
      bytes = larger;
      view = new DataView(bytes.buffer);
    }
    const start = at;
    at += count;
    return start;
  };
  const writer: ByteWriter = {
    // Room is made first: growing replaces `view` and `bytes`.
    u8(value) {
      const start = grow(1);
      view.setUint8(start, value);
    },
    u16(value) {
      const start = grow(2);
      view.setUint16(start, value, true);
    },
    u32(value) {
      const start = grow(4);
      view.setUint32(start, value, true);
    },
    f64(value) {
      const start = grow(8);
      view.setFloat64(start, value, true);
    },
    bytes(value) {
      const start = grow(value.byteLength);
      bytes.set(value, start);
    },
    text(value) {
      const start = grow(2 + MOST_UTF8_BYTES * value.length) + 2;
      const { written } = utf8Encoder.encodeInto(value, bytes.subarray(start));
      view.setUint16(start - 2, written, true);
      at = start + written;
    },
    get length() {
      return at;
    },
    finish() {
      view.setUint32(0, at, true);
      return bytes.slice(0, at);
    },
  };
  writer.u8(type);
  writer.u8(flags);
  return writer;
}
