/** Where the whole part of a file ends: what a crash tore follows, and is cut. */
import { createReadStream } from "node:fs";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import type { SegmentFs } from "./segment-fs.ts";

const NEWLINE = 0x0a;
const BLOCK_BYTES = 64 * 1024;
/** More than one of our members takes, the last of which may be torn. */
const MEMBER_BYTES = 512 * 1024;
const TAIL_BYTES = 2 * MEMBER_BYTES;
/** RFC 1952: magic, deflate, no flags, no time. What follows depends on the system. */
const MEMBER_START = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0);
const TRAILER_BYTES = 8;

const decompressed = promisify<Uint8Array, Uint8Array>(gunzip);

/** Of a file of lines. `bytes` is its length; looks no further back than it must. */
export async function wholeLinesEnd(fs: SegmentFs, fd: number, bytes: number): Promise<number> {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let end = bytes; end > 0;) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const part = await readFully(fs, fd, block.subarray(0, end - start), start);
    const at = part.lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

/**
 * Of a file of gzip members that our writer made. Looks at its tail only. Undefined where the tail
 * does not tell: others made the file.
 */
export async function wholeMembersEnd(
  fs: SegmentFs,
  fd: number,
  bytes: number,
): Promise<number | undefined> {
  const start = Math.max(0, bytes - TAIL_BYTES);
  const tail = Buffer.from(await readFully(fs, fd, new Uint8Array(bytes - start), start));
  const last = tail.lastIndexOf(MEMBER_START);
  const torn = await tornStart(tail, Math.max(last, 0));
  if (torn !== undefined) return bytes - torn;
  if (last >= 0 && await isMember(tail.subarray(last))) return bytes;
  const isFirst = start === 0 && last <= 0;
  if (isFirst) return isMemberStart(tail) && bytes <= MEMBER_BYTES ? 0 : undefined;
  if (last <= 0) return undefined;
  // A member before it proves that it starts where it seems to.
  const previous = tail.lastIndexOf(MEMBER_START, last - 1);
  return await isMember(tail.subarray(Math.max(previous, 0), last)) ? start + last : undefined;
}

/** Whether the file can be decompressed to its end, whoever made it. */
export async function isWholeGzip(path: string): Promise<boolean> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(createReadStream(path), createGunzip(), nowhere);
    return true;
  } catch {
    return false;
  }
}

/** A whole member, then a few bytes of the next one's start: how many. */
async function tornStart(tail: Buffer, last: number): Promise<number | undefined> {
  for (let torn = MEMBER_START.length - 1; torn > 0; torn--) {
    const end = tail.length - torn;
    if (end <= last || !isMemberStart(tail.subarray(end))) continue;
    if (await isMember(tail.subarray(last, end))) return torn;
  }
  return undefined;
}

/** Of a member's first bytes, so many as there are. */
function isMemberStart(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, MEMBER_START.length);
  return bytes.subarray(0, length).equals(MEMBER_START.subarray(0, length));
}

/** One whole member and nothing else: its trailer ends with the length of its content. */
async function isMember(bytes: Buffer): Promise<boolean> {
  if (bytes.length < MEMBER_START.length + TRAILER_BYTES) return false;
  try {
    const content = await decompressed(bytes);
    return content.byteLength === bytes.readUInt32LE(bytes.length - 4);
  } catch {
    return false;
  }
}

/** Less than asked for only where the file ends before. */
export async function readFully(
  fs: SegmentFs,
  fd: number,
  into: Uint8Array,
  position: number,
): Promise<Uint8Array> {
  let have = 0;
  while (have < into.byteLength) {
    const more = await fs.read(fd, into.subarray(have), position + have);
    if (more === 0) break;
    have += more;
  }
  return into.subarray(0, have);
}
