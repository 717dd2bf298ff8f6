/**
 * The compressed V2 format of HdrHistogram, big-endian:
 *
 *     0   i32  0x1c849314   cookie of the compressed format
 *     4   i32               length of what follows
 *     8        zlib stream of:
 *       0   i32  0x1c849313   cookie of the plain format
 *       4   i32               length of the payload
 *       8   i32  0            normalizing index offset
 *       12  i32               significant digits
 *       16  i64  1            lowest discernible value
 *       24  i64               highest trackable value
 *       32  f64  1.0          integer to double conversion ratio
 *       40       payload
 *
 * The payload is a list of ZigZag LEB128 numbers: a positive one is the next counter, a negative
 * one stands for that many counters of zero. Readers that apply the ratio and readers that do not
 * must see the same values, hence 1: values are whole units of 0.1 µs.
 */

import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";

const COMPRESSED_COOKIE = 0x1c84_9314;
const PLAIN_COOKIE = 0x1c84_9313;
const HEADER_SIZE = 40;

/** Counters by pages: a page without values may be `undefined`. */
export interface EncodableCounts {
  digits: number;
  highestUnits: number;
  pageSize: number;
  pages: number;
  page(index: number): ArrayLike<number> | undefined;
}

/** Base64 of the counters in the compressed V2 format. */
export function encodeCounts(counts: EncodableCounts): string {
  const payload = encodePayload(counts);
  const plain = Buffer.alloc(HEADER_SIZE + payload.length);
  plain.writeInt32BE(PLAIN_COOKIE, 0);
  plain.writeInt32BE(payload.length, 4);
  plain.writeInt32BE(counts.digits, 12);
  plain.writeBigInt64BE(1n, 16);
  plain.writeBigInt64BE(BigInt(counts.highestUnits), 24);
  plain.writeDoubleBE(1, 32);
  plain.set(payload, HEADER_SIZE);
  const compressed = deflateSync(plain);
  const frame = Buffer.alloc(8);
  frame.writeInt32BE(COMPRESSED_COOKIE, 0);
  frame.writeInt32BE(compressed.length, 4);
  return Buffer.concat([frame, compressed]).toString("base64");
}

function encodePayload(counts: EncodableCounts): number[] {
  const bytes: number[] = [];
  let zeros = 0;
  for (let index = 0; index < counts.pages; index++) {
    const page = counts.page(index);
    if (page === undefined) {
      zeros += counts.pageSize;
      continue;
    }
    for (let i = 0; i < counts.pageSize; i++) {
      const count = page[i]!;
      if (count === 0) {
        zeros++;
        continue;
      }
      // ZigZag: −n becomes 2n − 1, n becomes 2n.
      if (zeros > 0) pushLeb128(bytes, 2 * zeros - 1);
      zeros = 0;
      pushLeb128(bytes, 2 * count);
    }
  }
  return bytes;
}

/** By division, as counts may need more than the 32 bits of a shift. */
function pushLeb128(bytes: number[], value: number): void {
  while (value >= 0x80) {
    bytes.push((value % 0x80) | 0x80);
    value = Math.floor(value / 0x80);
  }
  bytes.push(value);
}
