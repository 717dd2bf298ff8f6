/** Records that wait in memory, and end with the process. */
import { createChunkMemory } from "./chunk-memory.ts";
import { createDropLog } from "./drop-log.ts";
import type { RecordQueue } from "./record-queue.ts";
import { createGatherer } from "./segment-lines.ts";

/** What a queue in memory may hold where the user says nothing. */
export const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;
/** Also what is dropped at once when the queue is full. */
const GATHER = { gatherMs: Infinity, gatherBytes: 64 * 1024 };
const FULL = "no more may wait in memory; the oldest go first";

/**
 * @param limitBytes for all that is held, what the sender took included
 * @param nowMs any clock; `oldestMs` is told on it
 * @param warn told of drops
 */
export function createMemoryQueue({ limitBytes = MEMORY_LIMIT_BYTES, nowMs, warn }: {
  limitBytes?: number;
  nowMs: () => number;
  warn: (message: string) => void;
}): RecordQueue {
  const memory = createChunkMemory(limitBytes);
  const drops = createDropLog(nowMs, warn);
  let accepted = 0;
  let released = 0;

  const gatherer = createGatherer({
    ...GATHER,
    nowMs,
    emit: (chunk) => drops.add(memory.add(chunk), FULL),
  });

  return {
    push(line) {
      accepted++;
      gatherer.add(line);
    },
    waitingBytes: () => memory.waitingBytes + gatherer.bytes,
    oldestMs() {
      const oldestMs = memory.oldestMs();
      return Number.isNaN(oldestMs) ? gatherer.firstMs : oldestMs;
    },
    take(limits) {
      gatherer.flush();
      return Promise.resolve(memory.take(limits));
    },
    release(batch) {
      if (!memory.release(batch)) throw new Error("a batch is released that is not taken");
      released += batch.records;
    },
    counts: () => ({
      recovered: 0,
      queued: accepted - released - drops.records,
      spooled: 0,
      dropped: drops.records,
    }),
    close() {
      drops.tell();
      return Promise.resolve();
    },
  };
}
