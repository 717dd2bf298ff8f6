/**
 * Records that wait on disk: they survive the process, and are sent at the next start.
 *
 * Lines are gathered for a fifth of a second, then written; what `counts().spooled` tells has been
 * written, and no kill loses it. Batches are read back from the files, which the system still has
 * in memory, so that sending after a restart is nothing else than sending all the time. While the
 * folder cannot be written, records wait in memory, up to a limit; it is tried again and again.
 */
import { Failure } from "../platform/failure.ts";
import { createChunkMemory } from "./chunk-memory.ts";
import { createDropLog, TELL_EVERY_MS } from "./drop-log.ts";
import { MEMORY_LIMIT_BYTES } from "./memory-queue.ts";
import type { RecordQueue } from "./record-queue.ts";
import { type SegmentFs, segmentFs } from "./segment-fs.ts";
import { createGatherer } from "./segment-lines.ts";
import { openSpoolDisk, type SpoolDisk } from "./spool-disk.ts";

const GATHER = { gatherMs: 200, gatherBytes: 64 * 1024 };
const RETRY_MS = 10_000;

export interface SpoolOptions {
  /** Made where it is missing. One process to a folder. */
  folder: string;
  /**
   * Of all files in it. Beyond it the oldest records that nobody took are dropped, an eighth of it
   * at once: it should be several times what is under way.
   */
  limitBytes: number;
  /** Any clock; `oldestMs` is told on it. */
  nowMs: () => number;
  warn: (message: string) => void;
  info: (message: string) => void;
  fs?: SegmentFs;
  memoryLimitBytes?: number;
}

/**
 * Rejects with a Failure where a living process uses the folder. A folder that cannot be used for
 * another reason is warned about, and tried again every ten seconds.
 */
export async function openSpool(options: SpoolOptions): Promise<RecordQueue> {
  const { folder, nowMs, warn, info, fs = segmentFs } = options;
  const memory = createChunkMemory(options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES);
  const drops = createDropLog(nowMs, warn);
  const counts = { accepted: 0, recovered: 0, released: 0 };
  let disk: SpoolDisk | undefined;
  /** The folder cannot be written. */
  let isDown = false;
  let toldDown = false;
  /** What failed beside the appending, not told yet. */
  let trouble: string | undefined;
  let toldTroubleMs = -Infinity;
  let closed = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let retrying: Promise<void> | undefined;
  let writing: Promise<void> | undefined;
  let taking: Promise<unknown> = Promise.resolve();

  const attach = async (): Promise<void> => {
    const gone = "the folder is gone, or another process took it";
    let isLost = false;
    const opened: SpoolDisk = await openSpoolDisk({
      folder,
      limitBytes: options.limitBytes,
      nowMs,
      fs,
      warn,
      info,
      dropped: drops.add,
      failed(error) {
        trouble = error.message;
      },
      lost() {
        isLost = true;
        if (disk === opened) detach();
        goDown(gone);
      },
    });
    if (isLost) {
      await opened.abandon();
      throw new Error(gone);
    }
    disk = opened;
    counts.recovered += opened.segments.queued;
  };

  /** Where the folder cannot be written either, that says it all. */
  const tellTrouble = (): void => {
    if (trouble !== undefined && !isDown && nowMs() - toldTroubleMs >= TELL_EVERY_MS) {
      warn(`the spool ${folder} is in trouble: ${trouble}`);
      toldTroubleMs = nowMs();
    }
    trouble = undefined;
  };

  const detach = (): void => {
    void disk?.abandon();
    disk = undefined;
  };

  const goDown = (reason: string): void => {
    isDown = true;
    if (closed) return;
    if (!toldDown) warn(`the spool ${folder} cannot be used, records wait in memory: ${reason}`);
    toldDown = true;
    retryTimer ??= setTimeout(() => {
      retrying = comeBack();
    }, RETRY_MS);
  };

  const comeBack = async (): Promise<void> => {
    retryTimer = undefined;
    try {
      if (!disk) await attach();
      isDown = false;
    } catch (error) {
      goDown((error as Error).message);
    }
    await write();
  };

  /** Resolves when nothing waits in memory, or the disk fails. */
  const write = (): Promise<void> => writing ??= writeAll();

  const writeAll = async (): Promise<void> => {
    // So that `writing` is set before it is cleared.
    await undefined;
    while (disk && !isDown) {
      const to: SpoolDisk = disk;
      const chunk = memory.startWriting();
      if (!chunk) break;
      try {
        await to.append(chunk);
        // Otherwise it went to a file that is gone by now.
        memory.settled(disk === to);
        if (disk === to && toldDown) {
          info(`the spool ${folder} is in use again`);
          toldDown = false;
          // It was part of what has passed.
          trouble = undefined;
        }
        tellTrouble();
      } catch (error) {
        memory.settled(false);
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" && disk === to) detach();
        goDown(message);
      }
    }
    writing = undefined;
  };

  const gatherer = createGatherer({
    ...GATHER,
    nowMs,
    emit(chunk) {
      drops.add(
        memory.add(chunk),
        `the spool ${folder} cannot take them, nor may more wait in memory`,
      );
      if (!isDown) void write();
    },
  });

  const take: RecordQueue["take"] = async (limits) => {
    while (!closed) {
      const batch = await disk?.take(limits);
      if (batch) return batch;
      if (gatherer.records === 0 && memory.waitingBytes === 0) return undefined;
      gatherer.flush();
      if (isDown) return memory.take(limits);
      await write();
    }
    return undefined;
  };

  try {
    await attach();
  } catch (error) {
    if (error instanceof Failure) throw error;
    goDown((error as Error).message);
  }

  return {
    push(line) {
      counts.accepted++;
      gatherer.add(line);
    },
    waitingBytes: () => (disk?.segments.waitingBytes ?? 0) + memory.waitingBytes + gatherer.bytes,
    oldestMs() {
      const times = [disk?.segments.oldestMs() ?? NaN, memory.oldestMs(), gatherer.firstMs]
        .filter((ms) => !Number.isNaN(ms));
      return times.length === 0 ? NaN : Math.min(...times);
    },
    take(limits) {
      const batch = take(limits);
      taking = batch.catch(() => {});
      return batch;
    },
    release(batch) {
      counts.released += batch.records;
      // From neither: its file is gone.
      if (!disk?.release(batch)) memory.release(batch);
    },
    counts: () => ({
      recovered: counts.recovered,
      queued: counts.accepted + counts.recovered - counts.released - drops.records,
      spooled: disk?.segments.queued ?? 0,
      dropped: drops.records,
    }),
    async close() {
      closed = true;
      clearTimeout(retryTimer);
      gatherer.flush();
      await Promise.all([taking, retrying, writing]);
      memory.takeBack();
      try {
        if (!disk) await attach();
        isDown = false;
        await write();
      } catch {
        // What that means is said below.
      }
      await disk?.close();
      tellTrouble();
      drops.tell();
      const lost = counts.accepted + counts.recovered - counts.released - drops.records -
        (disk?.segments.queued ?? 0);
      if (lost > 0) warn(`${lost} records could not be written to the spool ${folder}`);
    },
  };
}
