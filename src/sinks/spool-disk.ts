/**
 * A spool's folder in use: segments of about 8 MiB, `checkpoint.json`, and the lock.
 *
 * What has been appended survives the process. Once a second while something is new, at each
 * segment's end and at close, the data is synced, and then the checkpoint tells what was sent.
 */
import { mkdir, open, unlink } from "node:fs/promises";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import type { RecordBatch } from "./record-queue.ts";
import { createSegmentFile } from "./segment-file.ts";
import type { SegmentFs } from "./segment-fs.ts";
import type { Chunk } from "./segment-lines.ts";
import { createSegmentWriter } from "./segment-writer.ts";
import { writeCheckpoint } from "./spool-checkpoint.ts";
import { createSegmentReader } from "./spool-reader.ts";
import { scanSpool, segmentPath, type SpoolContent } from "./spool-scan.ts";
import { createSegment, type Extent, type Segment, type SegmentList } from "./spool-segments.ts";

const SEGMENT_BYTES = 8 * 1024 * 1024;
const SYNC_EVERY_MS = 1_000;

export interface SpoolDiskOptions {
  folder: string;
  limitBytes: number;
  nowMs: () => number;
  fs: SegmentFs;
  warn: (message: string) => void;
  info: (message: string) => void;
  /** `why` is what the user reads. */
  dropped: (records: number, why: string) => void;
  /** What went wrong beside the appending: the checkpoint, a sync. */
  failed: (error: Error) => void;
  /** The folder is gone, or another process took it. */
  lost: () => void;
}

export interface SpoolDisk {
  /** Counts and times of what is in the folder. */
  readonly segments: Pick<SegmentList, "queued" | "waitingBytes" | "oldestMs">;
  /** Rejects with the system's error; then the chunk is not there. One call at a time. */
  append(chunk: Chunk): Promise<void>;
  /** The oldest lines that nobody took. Rejects with the system's error. One call at a time. */
  take(limits: { bytes: number; records: number }): Promise<RecordBatch | undefined>;
  /** False where the batch is not from here. */
  release(batch: RecordBatch): boolean;
  /** Gives up what nobody took, and leaves the folder as it is: it is gone, or another's. */
  abandon(): Promise<void>;
  /** Ends the segment, writes the checkpoint, releases the lock. */
  close(): Promise<void>;
}

/** Throws a Failure where a living process uses the folder; otherwise the system's error. */
export async function openSpoolDisk(options: SpoolDiskOptions): Promise<SpoolDisk> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const lock = await lockFolder({ folder, lost: options.lost, info: options.info });
  try {
    return useFolder(options, lock, await scanSpool(options));
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function useFolder(
  options: SpoolDiskOptions,
  lock: FolderLock,
  { segments, nextNumber, unread }: SpoolContent,
): SpoolDisk {
  const { folder, fs, nowMs, limitBytes } = options;
  const reader = createSegmentReader(fs);
  const extents = new Map<RecordBatch, Extent>();
  let number = nextNumber;
  let current: Segment | undefined;
  let checkpoint = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tidying: Promise<void> = Promise.resolve();
  let isOurs = true;
  const isFull = `the spool ${folder} is full (--spool-limit); the oldest go first`;

  const writer = createSegmentWriter({
    async open(firstMs) {
      const segment = createSegment(number, segmentPath(folder, number));
      number++;
      const fd = await fs.open(segment.path, "ax");
      await syncFolder(folder);
      segment.isOpen = true;
      segments.add(segment);
      current = segment;
      return { file: createSegmentFile({ fs, fd, bytes: 0, isRegular: true }), firstMs };
    },
    ended() {
      if (current) segments.ended(current);
      current = undefined;
      void tidy();
    },
    // So that a small spool, too, is given up in small parts.
    segmentBytes: Math.min(SEGMENT_BYTES, limitBytes / 8),
    segmentAgeMs: Infinity,
    compress: false,
    syncEveryMs: SYNC_EVERY_MS,
    nowMs,
    failed: options.failed,
  });

  const removeFile = async (path: string): Promise<void> => {
    await reader.forget(path).catch(() => {});
    // What cannot be deleted is sent again, or its folder is gone.
    await unlink(path).catch(() => {});
  };

  /** Deletes what is done with, and tells in the checkpoint what is sent. */
  const tidyNow = async (): Promise<void> => {
    if (!isOurs) return;
    const done = segments.removeDone();
    for (const { path } of done) await removeFile(path);
    // What comes before the checkpoint is deleted at the next start.
    const at = unread ?? segments.checkpoint() ?? { segment: number, offset: 0 };
    const text = JSON.stringify(at);
    if (text === checkpoint) return;
    // A checkpoint must not know more than the disk does.
    if (at.segment === current?.number) await writer.sync();
    if (!isOurs) return;
    await writeCheckpoint(fs, folder, at);
    await syncFolder(folder);
    checkpoint = text;
  };

  const tidy = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    tidying = tidying.then(tidyNow).catch(options.failed);
    return tidying;
  };

  const tidySoon = (): void => {
    timer ??= setTimeout(tidy, SYNC_EVERY_MS);
  };

  /** Gives up the oldest until there is room. False where there can be none. */
  const makeRoom = async (bytes: number): Promise<boolean> => {
    let mayEnd = true;
    while (segments.bytes + bytes > limitBytes) {
      const oldest = segments.dropOldest();
      if (oldest) {
        options.dropped(oldest.queued, isFull);
        await removeFile(oldest.path);
      } else if (mayEnd && current) {
        mayEnd = false;
        await writer.end();
      } else {
        return false;
      }
    }
    return true;
  };

  const write = async (chunk: Chunk): Promise<Segment> => {
    await writer.append(chunk);
    // The writer has ended it where it is no longer the current one.
    const segment = current!;
    if (segment.isGone) throw new Error(`${segment.path} is gone`);
    return segment;
  };

  /** What of it is under way is not given up: it may still be sent. */
  const giveUp = (segment: Segment): void => {
    const underWay = segment.extents.reduce(
      (sum, { isDone, records }) => isDone ? sum : sum + records,
      0,
    );
    segments.remove(segment);
    options.dropped(segment.queued - underWay, `their file in ${folder} is gone`);
  };

  return {
    segments,
    async append(chunk) {
      if (!await makeRoom(chunk.bytes.byteLength)) {
        return options.dropped(chunk.records, isFull);
      }
      const segment = await write(chunk).catch(async () => {
        // Another file may do: this one is gone, or all of it is sent and it takes the room.
        await writer.end();
        await tidy();
        return await write(chunk);
      });
      segments.grown(segment, chunk);
    },
    async take(limits) {
      for (let segment; (segment = segments.toRead()) !== undefined;) {
        segment.isRead = true;
        try {
          const lines = await reader.read(segment, limits);
          if (segment.isGone) continue;
          extents.set(lines, segments.taken(segment, lines.bytes.byteLength, lines.records));
          return lines;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
          if (!segment.isGone) giveUp(segment);
        } finally {
          segment.isRead = false;
        }
      }
      return undefined;
    },
    release(batch) {
      const extent = extents.get(batch);
      if (!extent) return false;
      extents.delete(batch);
      segments.done(extent);
      tidySoon();
      return true;
    },
    async abandon() {
      isOurs = false;
      clearTimeout(timer);
      segments.all().forEach(giveUp);
      await writer.end();
      await reader.close().catch(() => {});
      await lock.release().catch(() => {});
    },
    async close() {
      await writer.end();
      await tidy();
      clearTimeout(timer);
      await reader.close().catch(() => {});
      await lock.release().catch(() => {});
    },
  };
}

/** So that the names in it survive the machine. Not all systems open folders. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // What is in the files is safe from the process in any case.
  }
}
