/**
 * What waits to be written to one link: a queue of byte slices, handed over in bounded pieces, so
 * that a completed write is progress that can be seen.
 *
 * Data beyond the backlog's limit is refused; control frames always enter: what a peer can ask for
 * as often as it likes is sent as data, and a link that is beyond its limit and takes nothing is
 * closed within seconds.
 */
import type { Link } from "./link.ts";

/** Bytes handed to a link at once, at most (and one slice at least). */
export const PIECE_BYTES = 128 * 1024;

export interface Outbox {
  /** Queues a control frame. */
  sendControl(frame: Uint8Array, nowUs: number): void;
  /** Queues slices of data; false where they would exceed the limit: none was queued then. */
  sendData(slices: readonly Uint8Array[], nowUs: number): boolean;
  /** The link's piece has been written: hands over the next one. */
  written(nowUs: number): void;
  /** Bytes queued or handed over, not yet known as written. */
  readonly backlogBytes: number;
  /** When the last piece was written, or the queue was last empty. */
  readonly progressUs: number;
}

export function createOutbox(link: Link, maxBacklogBytes: number, startUs: number): Outbox {
  const queue: Uint8Array[] = [];
  /** Slices of `queue` before this one are already handed over. */
  let head = 0;
  let backlogBytes = 0;
  let inFlightBytes = 0;
  let progressUs = startUs;

  const takePiece = (): Uint8Array[] => {
    const piece: Uint8Array[] = [];
    let bytes = 0;
    while (head < queue.length) {
      const slice = queue[head]!;
      if (bytes > 0 && bytes + slice.byteLength > PIECE_BYTES) break;
      piece.push(slice);
      bytes += slice.byteLength;
      head++;
    }
    if (head === queue.length) {
      queue.length = 0;
      head = 0;
    } else if (head > 1024) {
      queue.splice(0, head);
      head = 0;
    }
    inFlightBytes = bytes;
    return piece;
  };

  const drain = (): void => {
    while (inFlightBytes === 0 && queue.length > 0) {
      const piece = takePiece();
      if (!link.write(piece)) return;
      backlogBytes -= inFlightBytes;
      inFlightBytes = 0;
    }
  };

  const enqueue = (slices: readonly Uint8Array[], bytes: number, nowUs: number): void => {
    if (backlogBytes === 0) {
      progressUs = nowUs;
      // The usual way: nothing waits, so nothing is queued.
      if (bytes <= PIECE_BYTES) {
        if (!link.write(slices)) backlogBytes = inFlightBytes = bytes;
        return;
      }
    }
    backlogBytes += bytes;
    for (const slice of slices) {
      // One and the same for all receivers: a view for each would be most of what their queues take.
      if (slice.byteLength <= PIECE_BYTES) {
        queue.push(slice);
        continue;
      }
      for (let at = 0; at < slice.byteLength; at += PIECE_BYTES) {
        queue.push(slice.subarray(at, at + PIECE_BYTES));
      }
    }
    drain();
  };

  return {
    sendControl(frame, nowUs) {
      enqueue([frame], frame.byteLength, nowUs);
    },
    sendData(slices, nowUs) {
      let bytes = 0;
      for (const slice of slices) bytes += slice.byteLength;
      if (backlogBytes + bytes > maxBacklogBytes) return false;
      enqueue(slices, bytes, nowUs);
      return true;
    },
    written(nowUs) {
      progressUs = nowUs;
      backlogBytes -= inFlightBytes;
      inFlightBytes = 0;
      drain();
    },
    get backlogBytes() {
      return backlogBytes;
    },
    get progressUs() {
      return progressUs;
    },
  };
}
