/** What an earlier process left in a spool's folder. */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { SegmentFs } from "./segment-fs.ts";
import { countLines } from "./segment-lines.ts";
import { readFully } from "./segment-tail.ts";
import { CHECKPOINT, type Checkpoint, readCheckpoint } from "./spool-checkpoint.ts";
import { createSegment, createSegmentList, type SegmentList } from "./spool-segments.ts";

const BLOCK_BYTES = 256 * 1024;
const NAME = /^(\d{12})\.ndjson$/;

export function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(12, "0")}.ndjson`);
}

export interface SpoolContent {
  segments: SegmentList;
  nextNumber: number;
  /** Where the oldest file is to be read from that cannot be read now. Another start may do. */
  unread: Checkpoint | undefined;
}

export interface ScanOptions {
  folder: string;
  fs: SegmentFs;
  nowMs: () => number;
  warn: (message: string) => void;
}

/**
 * Counts what waits, cuts what was torn, deletes what was sent. Reads in small blocks, so that a
 * full spool takes neither memory nor the event loop. Files of other names are left alone.
 */
export async function scanSpool(
  options: ScanOptions,
): Promise<SpoolContent> {
  const { folder, fs, nowMs, warn } = options;
  const numbers = (await readdir(folder))
    .flatMap((name) => Number(NAME.exec(name)?.[1] ?? NaN))
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b);
  const newest = numbers.at(-1) ?? 0;
  const checkpoint = await soundCheckpoint(options, newest);
  const segments = createSegmentList();
  let tornBytes = 0;
  let unread: Checkpoint | undefined;

  for (const number of numbers) {
    const path = segmentPath(folder, number);
    if (checkpoint && number < checkpoint.segment) {
      await unlink(path);
      continue;
    }
    const offset = checkpoint?.segment === number ? checkpoint.offset : 0;
    try {
      const { size, mtimeMs, birthtimeMs } = await stat(path);
      const from = Math.min(offset, size);
      const { start, end, records } = await countFrom(fs, path, from);
      if (start !== from) warnOfAll(options);
      if (end < size) {
        tornBytes += size - end;
        await cut(fs, path, end);
      }
      if (records === 0) {
        await unlink(path);
        continue;
      }
      const segment = createSegment(number, path);
      segment.takenBytes = segment.doneBytes = start;
      segment.bytes = end;
      segment.queued = records;
      const ageMs = Date.now() - Math.min(birthtimeMs || mtimeMs, mtimeMs);
      segment.times.push({ endBytes: end, ms: nowMs() - ageMs });
      segments.add(segment);
    } catch (error) {
      unread ??= { segment: number, offset };
      const { message } = error as Error;
      warn(`${path} cannot be read, and is left for the next start: ${message}`);
    }
  }
  if (tornBytes > 0) {
    warn(`the last ${tornBytes} bytes in the spool ${folder} were torn, and have been cut off`);
  }
  return { segments, nextNumber: Math.max(newest, checkpoint?.segment ?? 0) + 1, unread };
}

/** Undefined where there is none that can be trusted. */
async function soundCheckpoint(
  options: ScanOptions,
  newest: number,
): Promise<Checkpoint | undefined> {
  const checkpoint = await readCheckpoint(options.folder);
  if (checkpoint === undefined) return undefined;
  // Segments are numbered without gaps at their end: what names a later one is not of this spool.
  if (checkpoint === "corrupt" || (newest > 0 && checkpoint.segment > newest + 1)) {
    warnOfAll(options);
    return undefined;
  }
  return checkpoint;
}

function warnOfAll({ warn, folder }: ScanOptions): void {
  warn(`${CHECKPOINT} in the spool ${folder} is not sound: all records there are sent again`);
}

/** Counts the lines from an offset on, or from 0 where no line starts there. */
async function countFrom(
  fs: SegmentFs,
  path: string,
  from: number,
): Promise<{ start: number; end: number; records: number }> {
  const fd = await fs.open(path, "r");
  try {
    const block = new Uint8Array(BLOCK_BYTES);
    // The byte before must end a line, if there is one.
    const before = Math.max(0, from - 1);
    const first = await readFully(fs, fd, block.subarray(0, from - before), before);
    const start = first.length === 0 || countLines(first).records === 1 ? from : 0;
    let end = start;
    let records = 0;
    for (let at = start;;) {
      const part = await readFully(fs, fd, block, at);
      if (part.length === 0) return { start, end, records };
      const lines = countLines(part);
      records += lines.records;
      if (lines.records > 0) end = at + lines.end;
      at += part.length;
    }
  } finally {
    await fs.close(fd);
  }
}

async function cut(fs: SegmentFs, path: string, bytes: number): Promise<void> {
  const fd = await fs.open(path, "r+");
  try {
    await fs.truncate(fd, bytes);
  } finally {
    await fs.close(fd);
  }
}
