/**
 * Every frame starts with
 *
 *      0               4       5       6
 *     +---------------+-------+-------+------ …
 *     | length        | type  | flags | by type
 *     +---------------+-------+-------+------ …
 *
 * length  u32, little-endian as everything here: the whole frame in bytes, this field included
 * type    u8, one of FrameType
 * flags   u8, by type
 *
 * On a stream frames follow one another; in a datagram there is one. The first frame of a client
 * is its hello, after which it waits for the welcome; of a relay its welcome (or a bye, which
 * refuses).
 */
import { ProtocolError } from "./protocol-error.ts";

export const FrameType = {
  hello: 1,
  welcome: 2,
  directory: 3,
  data: 4,
  clock: 5,
  heartbeat: 6,
  bye: 7,
  report: 8,
  challenge: 9,
  proof: 10,
} as const;

/** "PFMT" in ASCII: in hello and welcome, so that strangers are told apart from peers. */
export const MAGIC = 0x544d4650;
/** The version of the wire format; hello and welcome carry it. */
export const VERSION = 1;

export const HEADER_BYTES = 6;
/** Largest payload of a message that this version allows. */
export const MAX_PAYLOAD_BYTES = 65_536;
/** Largest control frame: directories and counts are split to fit. */
export const MAX_CONTROL_BYTES = 65_536;
/** Highest sequence of a message: the next one is still an exact integer in an f64. */
export const MAX_SEQUENCE = Number.MAX_SAFE_INTEGER - 1;
/** Longest name of a node, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255;
/** Longest label of a route, in bytes of UTF-8: an address as written may be one. */
export const MAX_ROUTE_BYTES = 300;
/** Longest text that a client's payloads begin with, in bytes of UTF-8. */
export const MAX_PREFIX_BYTES = 1024;

/** A stretch of bytes that holds whole frames, and when it arrived. */
export interface Region {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Offset of the next frame; the reader moves it on. */
  start: number;
  readonly end: number;
  readonly receivedUs: number;
}

export interface FrameSplitter {
  /** Takes over a chunk that arrived at `receivedUs`. Only when `next` has nothing more. */
  push(chunk: Uint8Array, receivedUs: number): void;
  /**
   * The next stretch of whole frames, or undefined: then the bytes that remain are the beginning
   * of a frame. Frames are not copied, but for the one that straddles two chunks.
   * Throws ProtocolError for a length outside the limits, before anything is allocated for it.
   */
  next(): Region | undefined;
  /** Bytes that wait for the rest of their frame. */
  readonly pendingBytes: number;
  /** The first bytes of the frame that is not yet whole. */
  peek(): Uint8Array;
  /** From now on frames up to this size are taken. */
  setLimit(maxFrameBytes: number): void;
}

/** Cuts a stream of chunks into stretches of whole frames. */
export function createFrameSplitter(initialMaxFrameBytes: number): FrameSplitter {
  let maxFrameBytes = initialMaxFrameBytes;
  /** The beginning of a frame whose rest has not arrived. */
  let carry: Uint8Array | undefined;
  let carryBytes = 0;
  let chunk: Uint8Array | undefined;
  let chunkAt = 0;
  let chunkUs = 0;

  const checkLength = (length: number): number => {
    if (length < HEADER_BYTES || length > maxFrameBytes) {
      throw new ProtocolError(`frame of ${length} bytes, at most ${maxFrameBytes}`);
    }
    return length;
  };

  /** Moves bytes of the chunk to the carry until that holds `wanted`; true once it does. */
  const fillCarry = (wanted: number): boolean => {
    if (carry === undefined || chunk === undefined) return false;
    const count = Math.min(wanted - carryBytes, chunk.byteLength - chunkAt);
    if (count > 0) {
      carry.set(chunk.subarray(chunkAt, chunkAt + count), carryBytes);
      carryBytes += count;
      chunkAt += count;
    }
    return carryBytes >= wanted;
  };

  const completeCarry = (): Region | undefined => {
    if (carry === undefined || !fillCarry(4)) return undefined;
    const length = checkLength(new DataView(carry.buffer).getUint32(0, true));
    if (length > carry.byteLength) {
      const whole = new Uint8Array(length);
      whole.set(carry.subarray(0, carryBytes));
      carry = whole;
    }
    if (!fillCarry(length)) return undefined;
    const bytes = carry;
    carry = undefined;
    carryBytes = 0;
    const view = new DataView(bytes.buffer);
    return { bytes, view, start: 0, end: length, receivedUs: chunkUs };
  };

  const takeWhole = (source: Uint8Array): Region | undefined => {
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const start = chunkAt;
    const size = source.byteLength;
    let at = start;
    while (size - at >= 4) {
      const length = view.getUint32(at, true);
      if (length < HEADER_BYTES || length > maxFrameBytes) {
        // Frames before the bad one are still good: hand them out, fail at the next call.
        if (at > start) break;
        checkLength(length);
      }
      if (length > size - at) break;
      at += length;
    }
    chunkAt = at;
    if (at === start) return undefined;
    return { bytes: source, view, start, end: at, receivedUs: chunkUs };
  };

  return {
    push(next, receivedUs) {
      chunk = next;
      chunkAt = 0;
      chunkUs = receivedUs;
    },
    next() {
      if (chunk === undefined) return undefined;
      const region = carry === undefined ? takeWhole(chunk) : completeCarry();
      if (region !== undefined) return region;
      if (carry === undefined && chunkAt < chunk.byteLength) {
        // A frame's beginning: kept apart, so that the chunk it came in can be freed.
        const rest = chunk.subarray(chunkAt);
        const known = rest.byteLength >= 4
          ? checkLength(new DataView(rest.buffer, rest.byteOffset).getUint32(0, true))
          : 64;
        carry = new Uint8Array(known);
        carry.set(rest);
        carryBytes = rest.byteLength;
      }
      chunk = undefined;
      return undefined;
    },
    get pendingBytes() {
      return carryBytes;
    },
    peek: () => carry === undefined ? new Uint8Array(0) : carry.subarray(0, carryBytes),
    setLimit(limit) {
      maxFrameBytes = limit;
    },
  };
}
