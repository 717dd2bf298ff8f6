/**
 * Writes chunks of lines to one file after another: a segment each, ended by its size or its age.
 * All is done in order and asynchronously. With `compress` each chunk becomes a gzip member of its
 * own, made in the thread pool, so that whatever is in the file can be read after a crash.
 *
 * What an append has resolved for survives the process. It survives the machine once it is synced:
 * at each segment's end and at close, and in between every `syncEveryMs` while there is new data.
 * Syncing goes on beside the appending, so that a slow medium does not hold up what follows.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { SegmentFile } from "./segment-file.ts";
import type { Chunk } from "./segment-lines.ts";

const MAX_TIMER_MS = 2 ** 31 - 1;
const compressed = promisify<Uint8Array, Uint8Array>(gzip);

export interface SegmentWriter {
  /** Resolves once the system has the chunk. Rejects with its error; then no part of it is kept. */
  append(chunk: Chunk): Promise<void>;
  /** Given to `append`, neither written nor failed. */
  readonly waitingBytes: number;
  /** What has been appended survives the machine. Rejects with the system's error. */
  sync(): Promise<void>;
  /** Ends the current segment once what waits has been written. The next append opens another. */
  end(): Promise<void>;
}

export interface OpenSegment {
  readonly file: SegmentFile;
  /** When its first line came. */
  readonly firstMs: number;
}

export interface SegmentWriterOptions {
  /** Opens the next segment; `firstMs` is the time of the first line that it will get. */
  open(firstMs: number): Promise<OpenSegment>;
  /**
   * A segment is written, synced and closed, because it was full or old, or was `asked` to end.
   * What this rejects with goes to `failed`.
   */
  ended?(firstMs: number, asked: boolean): Promise<void> | void;
  /** A chunk that would make a segment larger starts the next one. Infinity: never. */
  segmentBytes: number;
  /** A segment ends this long after its first line. Infinity: never. */
  segmentAgeMs: number;
  compress: boolean;
  /** Infinity: only at a segment's end. */
  syncEveryMs: number;
  nowMs: () => number;
  /** What failed beside the appending: a sync, the end of a segment. */
  failed: (error: Error) => void;
}

export function createSegmentWriter(options: SegmentWriterOptions): SegmentWriter {
  const { nowMs } = options;
  let current: OpenSegment | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  let waitingBytes = 0;
  let ageTimer: ReturnType<typeof setTimeout> | undefined;
  let syncTimer: ReturnType<typeof setTimeout> | undefined;
  let syncing: Promise<void> = Promise.resolve();

  /** Does one thing after another, whatever becomes of each. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = tail.then(task);
    tail = done.catch(() => {});
    return done;
  };

  const endCurrent = async (asked: boolean): Promise<void> => {
    if (!current) return;
    const { file, firstMs } = current;
    current = undefined;
    clearTimeout(ageTimer);
    clearTimeout(syncTimer);
    syncTimer = undefined;
    try {
      await syncing;
      await file.sync();
    } catch (error) {
      options.failed(error as Error);
    }
    try {
      await file.close();
      await options.ended?.(firstMs, asked);
    } catch (error) {
      options.failed(error as Error);
    }
  };

  const isOld = (): boolean =>
    current !== undefined && nowMs() - current.firstMs >= options.segmentAgeMs;

  /** The segment ends by its age even where no more lines come. */
  const endWhenOld = (segment: OpenSegment): void => {
    if (options.segmentAgeMs === Infinity) return;
    const leftMs = segment.firstMs + options.segmentAgeMs - nowMs();
    ageTimer = setTimeout(() => {
      void inTurn(async () => {
        if (current !== segment) return;
        if (isOld()) await endCurrent(false);
        else endWhenOld(segment);
      });
    }, Math.min(Math.max(leftMs, 0), MAX_TIMER_MS));
  };

  const sync = (): Promise<void> => {
    const file = current?.file;
    if (!file) return Promise.resolve();
    const done = syncing.then(() => file.sync());
    syncing = done.catch(() => {});
    return done;
  };

  const syncSoon = (): void => {
    if (options.syncEveryMs === Infinity || syncTimer !== undefined) return;
    syncTimer = setTimeout(() => {
      syncTimer = undefined;
      sync().catch(options.failed);
    }, options.syncEveryMs);
  };

  const open = async (chunk: Chunk): Promise<OpenSegment> => {
    const opened = await options.open(chunk.firstMs);
    endWhenOld(opened);
    return opened;
  };

  const appendNow = async (chunk: Chunk): Promise<void> => {
    const piece = options.compress ? await compressed(chunk.bytes) : chunk.bytes;
    current ??= await open(chunk);
    const { bytes } = current.file;
    if (bytes > 0 && (bytes + piece.byteLength > options.segmentBytes || isOld())) {
      await endCurrent(false);
      current = await open(chunk);
    }
    await current.file.append(piece);
    syncSoon();
  };

  return {
    append(chunk) {
      waitingBytes += chunk.bytes.byteLength;
      return inTurn(() => appendNow(chunk)).finally(() => {
        waitingBytes -= chunk.bytes.byteLength;
      });
    },
    get waitingBytes() {
      return waitingBytes;
    },
    sync,
    end: () => inTurn(() => endCurrent(true)),
  };
}
