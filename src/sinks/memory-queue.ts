/**
 * Records that wait in memory. A record costs an append to a string; strings are turned into bytes
 * some 16 KiB at a time, so that a full queue is a few thousand objects, whatever it holds.
 */
import type { RecordBatch, RecordQueue } from "./record-queue.ts";

/** What a queue may hold where the user says nothing. */
export const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;
/** Gathered before it is encoded; also what is dropped at once when the queue is full. */
const PIECE_CHARACTERS = 16 * 1024;
const NEWLINE = 10;

/** Whole lines that nobody took yet. */
interface Piece {
  bytes: Uint8Array;
  records: number;
  /** When the first of them was accepted. */
  acceptedMs: number;
}

/**
 * @param limitBytes for all that is held, what the sender took included
 * @param nowMs any clock; `oldestMs` is told on it
 */
export function createMemoryQueue({ limitBytes = MEMORY_LIMIT_BYTES, nowMs }: {
  limitBytes?: number;
  nowMs: () => number;
}): RecordQueue {
  const pieces: Piece[] = [];
  let piecesBytes = 0;
  let text = "";
  let textRecords = 0;
  let textSinceMs = NaN;
  /** Taken and not released: when the first of their records was accepted. */
  const taken = new Map<RecordBatch, number>();
  let takenBytes = 0;
  let queued = 0;
  let dropped = 0;

  const encode = (): void => {
    if (textRecords === 0) return;
    const bytes = Buffer.from(text);
    pieces.push({ bytes, records: textRecords, acceptedMs: textSinceMs });
    piecesBytes += bytes.byteLength;
    text = "";
    textRecords = 0;
    while (piecesBytes + takenBytes > limitBytes && pieces.length > 0) {
      const oldest = pieces.shift()!;
      piecesBytes -= oldest.bytes.byteLength;
      queued -= oldest.records;
      dropped += oldest.records;
    }
  };

  return {
    push(line) {
      if (textRecords === 0) textSinceMs = nowMs();
      text += line;
      textRecords++;
      queued++;
      if (text.length >= PIECE_CHARACTERS) encode();
    },
    waitingBytes: () => piecesBytes + text.length,
    oldestMs() {
      const waitingMs = pieces[0]?.acceptedMs ?? (textRecords > 0 ? textSinceMs : Infinity);
      const oldestMs = Math.min(waitingMs, ...taken.values());
      return oldestMs === Infinity ? NaN : oldestMs;
    },
    take(limits) {
      encode();
      const parts: Uint8Array[] = [];
      let bytes = 0;
      let records = 0;
      const sinceMs = pieces[0]?.acceptedMs ?? NaN;
      for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
        const fits = piece.records <= limits.records - records &&
          piece.bytes.byteLength <= limits.bytes - bytes;
        const part = fits
          ? piece
          : head(piece, limits.bytes - bytes, limits.records - records, records === 0);
        if (part.records === 0) break;
        parts.push(part.bytes);
        bytes += part.bytes.byteLength;
        records += part.records;
        if (part.records === piece.records) {
          pieces.shift();
        } else {
          piece.bytes = piece.bytes.subarray(part.bytes.byteLength);
          piece.records -= part.records;
          break;
        }
      }
      if (records === 0) return Promise.resolve(undefined);
      const batch = {
        bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes),
        records,
      };
      piecesBytes -= bytes;
      takenBytes += bytes;
      taken.set(batch, sinceMs);
      return Promise.resolve(batch);
    },
    release(batch) {
      if (!taken.delete(batch)) throw new Error("a batch is released that is not taken");
      takenBytes -= batch.bytes.byteLength;
      queued -= batch.records;
    },
    counts: () => ({ recovered: 0, queued, spooled: 0, dropped }),
    close: () => Promise.resolve(),
  };
}

/** The first lines of a piece within the limits; one where `oneAtLeast`, however long. */
function head(
  { bytes }: Piece,
  maxBytes: number,
  maxRecords: number,
  oneAtLeast: boolean,
): Pick<Piece, "bytes" | "records"> {
  let end = 0;
  let records = 0;
  while (records < maxRecords) {
    const next = bytes.indexOf(NEWLINE, end) + 1;
    if (next === 0 || (next > maxBytes && !(oneAtLeast && records === 0))) break;
    end = next;
    records++;
  }
  return { bytes: bytes.subarray(0, end), records };
}
