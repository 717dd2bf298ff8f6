/** Reads histograms in HdrHistogram's compressed V2 format; see metrics/histogram-encoding.ts. */

import { inflateSync } from "node:zlib";

const COMPRESSED_COOKIE = 0x1c84_9314;
const PLAIN_COOKIE = 0x1c84_9313;
const HEADER_SIZE = 40;
const UNITS_PER_US = 10;
/** Records have two or three digits. */
const MOST_DIGITS = 3;
/** A histogram of so many digits with all its counters needs less. */
const MOST_BYTES = 1 << 20;
/** Values of the format are whole numbers below 2^63. */
const MOST_BITS = 63;

/** Values of one counter: the middle of their range, in µs, and how many there are. */
export interface CountedValue {
  valueUs: number;
  count: number;
}

/**
 * The counters above zero of a histogram in units of 0.1 µs, in ascending order.
 *
 * @param base64 as a summary record's `hdr`
 * @throws RangeError where it is no such histogram
 */
export function decodeHistogram(base64: string): CountedValue[] {
  const plain = inflate(Buffer.from(base64, "base64"));
  const digits = plain.readInt32BE(12);
  if (digits < 1 || digits > MOST_DIGITS) throw new RangeError("digits out of range");
  const payload = plain.subarray(HEADER_SIZE, HEADER_SIZE + plain.readInt32BE(4));
  const shift = Math.floor(Math.log2(Math.max(1, Number(plain.readBigInt64BE(16)))));
  // Steps of the lowest range: enough for values of so many digits, a power of two.
  const half = 2 ** (Math.ceil(Math.log2(2 * 10 ** digits)) - 1);
  const mostIndex = (MOST_BITS - shift - Math.log2(half) + 1) * half;
  const counted: CountedValue[] = [];
  let index = 0;
  let total = 0;
  for (let at = 0; at < payload.length;) {
    const { value, next } = readZigZag(payload, at);
    at = next;
    if (value < 0) {
      index -= value;
      continue;
    }
    if (value > 0) {
      if (index >= mostIndex) throw new RangeError("a value is too large");
      total += value;
      if (total > Number.MAX_SAFE_INTEGER) throw new RangeError("a counter is too large");
      counted.push({ valueUs: middleOf(index, half, shift), count: value });
    }
    index++;
  }
  return counted;
}

function inflate(frame: Buffer): Buffer {
  try {
    if (frame.readInt32BE(0) !== COMPRESSED_COOKIE) throw new RangeError("no histogram");
    const length = frame.readInt32BE(4);
    const plain = inflateSync(frame.subarray(8, 8 + length), { maxOutputLength: MOST_BYTES });
    if (plain.length < HEADER_SIZE || plain.readInt32BE(0) !== PLAIN_COOKIE) {
      throw new RangeError("no histogram");
    }
    return plain;
  } catch (error) {
    throw new RangeError(`not a compressed V2 histogram: ${(error as Error).message}`);
  }
}

function middleOf(index: number, half: number, shift: number): number {
  const octave = Math.max(0, Math.floor(index / half) - 1);
  const lowest = (index - octave * half) * 2 ** octave;
  return (lowest + (2 ** octave - 1) / 2) * 2 ** shift / UNITS_PER_US;
}

/** ZigZag LEB128, by multiplication, as counts may need more than the 32 bits of a shift. */
function readZigZag(bytes: Uint8Array, at: number): { value: number; next: number } {
  let raw = 0;
  let scale = 1;
  let next = at;
  for (;;) {
    const byte = bytes[next];
    if (byte === undefined) throw new RangeError("the histogram is cut off");
    next++;
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 0x80;
    if (scale > Number.MAX_SAFE_INTEGER) throw new RangeError("a counter is too large");
  }
  return { value: raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2, next };
}
