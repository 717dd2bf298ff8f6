/**
 * Chunks of lines that wait in memory, up to a limit: for a spool, until they are written, or to be
 * sent while its disk fails; for all else, to be sent.
 */
import type { RecordBatch } from "./record-queue.ts";
import { type Chunk, headLines } from "./segment-lines.ts";

export interface ChunkMemory {
  /** Adds the newest. Returns how many of the oldest records were dropped for it. */
  add(chunk: Chunk): number;
  /** The oldest, which stays where it is until it is `settled`. */
  startWriting(): Chunk | undefined;
  /** The chunk is written, or must be written again. */
  settled(isWritten: boolean): void;
  /** The oldest lines, within the limits but at least one. Not while one is being written. */
  take(limits: { bytes: number; records: number }): RecordBatch | undefined;
  /** False where the batch is not from here. */
  release(batch: RecordBatch): boolean;
  /** What was taken and not released comes first again. */
  takeBack(): void;
  /** That nobody took. */
  readonly waitingBytes: number;
  /** When the oldest that is not released was accepted; NaN: none. */
  oldestMs(): number;
}

/** @param limitBytes what was taken included */
export function createChunkMemory(limitBytes: number): ChunkMemory {
  const chunks: Chunk[] = [];
  let waitingBytes = 0;
  const taken = new Map<RecordBatch, number>();
  let takenBytes = 0;
  let isWriting = false;

  const remove = (at: number): Chunk => {
    const [chunk] = chunks.splice(at, 1);
    waitingBytes -= chunk!.bytes.byteLength;
    return chunk!;
  };

  return {
    add(chunk) {
      chunks.push(chunk);
      waitingBytes += chunk.bytes.byteLength;
      let dropped = 0;
      const oldest = isWriting ? 1 : 0;
      while (waitingBytes + takenBytes > limitBytes && chunks.length > oldest) {
        dropped += remove(oldest).records;
      }
      return dropped;
    },
    startWriting() {
      isWriting = chunks.length > 0;
      return chunks[0];
    },
    settled(isWritten) {
      isWriting = false;
      if (isWritten) remove(0);
    },
    take(limits) {
      const firstMs = chunks[0]?.firstMs ?? NaN;
      const parts: Uint8Array[] = [];
      let records = 0;
      let leftBytes = limits.bytes;
      while (chunks.length > 0 && (records === 0 || records < limits.records)) {
        const chunk = chunks[0]!;
        const cut = headLines(chunk.bytes, {
          bytes: leftBytes,
          records: limits.records - records,
        });
        if (cut.end === 0 || (records > 0 && cut.end > leftBytes)) break;
        remove(0);
        parts.push(chunk.bytes.subarray(0, cut.end));
        records += cut.records;
        leftBytes -= cut.end;
        if (cut.end === chunk.bytes.byteLength) continue;
        const rest = chunk.bytes.subarray(cut.end);
        chunks.unshift({ ...chunk, bytes: rest, records: chunk.records - cut.records });
        waitingBytes += rest.byteLength;
        break;
      }
      if (records === 0) return undefined;
      const batch = { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), records };
      taken.set(batch, firstMs);
      takenBytes += batch.bytes.byteLength;
      return batch;
    },
    release(batch) {
      if (!taken.delete(batch)) return false;
      takenBytes -= batch.bytes.byteLength;
      return true;
    },
    takeBack() {
      const back = [...taken].map(([batch, firstMs]) => ({ ...batch, firstMs }));
      chunks.splice(0, 0, ...back);
      waitingBytes += takenBytes;
      takenBytes = 0;
      taken.clear();
    },
    get waitingBytes() {
      return waitingBytes;
    },
    oldestMs() {
      const oldestMs = Math.min(chunks[0]?.firstMs ?? Infinity, ...taken.values());
      return oldestMs === Infinity ? NaN : oldestMs;
    },
  };
}
