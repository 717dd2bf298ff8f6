/** Reads batches of whole lines back from segments. */
import type { SegmentFs } from "./segment-fs.ts";
import { headLines } from "./segment-lines.ts";
import { readFully } from "./segment-tail.ts";
import type { Segment } from "./spool-segments.ts";

export interface Lines {
  readonly bytes: Uint8Array;
  readonly records: number;
}

export interface SegmentReader {
  /**
   * The next lines that nobody took, within the limits but at least one. Rejects with the system's
   * error.
   */
  read(segment: Segment, limits: { bytes: number; records: number }): Promise<Lines>;
  /** A removed file takes room as long as it is open. Not while it is read. */
  forget(path: string): Promise<void>;
  close(): Promise<void>;
}

export function createSegmentReader(fs: SegmentFs): SegmentReader {
  /** One segment is read after the other. */
  let opened: { path: string; fd: number } | undefined;

  const close = async (): Promise<void> => {
    const closing = opened;
    opened = undefined;
    if (closing) await fs.close(closing.fd);
  };

  return {
    async read(segment, limits) {
      if (opened?.path !== segment.path) {
        await close();
        opened = { path: segment.path, fd: await fs.open(segment.path, "r") };
      }
      const { fd } = opened!;
      const from = segment.takenBytes;
      const available = segment.bytes - from;
      for (let length = limits.bytes;; length *= 2) {
        const wanted = Math.min(length, available);
        const part = await readFully(fs, fd, Buffer.allocUnsafeSlow(wanted), from);
        if (part.length < wanted) throw new Error(`${segment.path} is shorter than it was`);
        const { records, end } = headLines(part, limits);
        if (end > 0) return { bytes: part.subarray(0, end), records };
        if (wanted === available) throw new Error(`${segment.path} is not what was written`);
      }
    },
    async forget(path) {
      if (opened?.path === path) await close();
    },
    close,
  };
}
