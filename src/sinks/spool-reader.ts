/** Reads batches of whole lines back from segments. */
import type { SegmentFs } from "./segment-fs.ts";
import { cutLines } from "./segment-lines.ts";
import { readFully } from "./segment-tail.ts";
import type { Segment } from "./spool-segments.ts";

/** Firehose takes no larger record. */
export const MAX_LINE_BYTES = 1_000 * 1024;

export interface Lines {
  readonly bytes: Uint8Array;
  readonly records: number;
}

export interface SegmentReader {
  /**
   * The next lines that nobody took, within the limits but at least one. Without `bytes`: the next
   * line is too long to be sent, and so many bytes long. Rejects with the system's error.
   */
  read(
    segment: Segment,
    limits: { bytes: number; records: number },
  ): Promise<Lines | { bytes: undefined; tooLongBytes: number }>;
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

  const readPart = async (fd: number, from: number, length: number): Promise<Uint8Array> => {
    const part = await readFully(fs, fd, Buffer.allocUnsafeSlow(length), from);
    if (part.length < length) throw new Error("the file is shorter than what was written to it");
    return part;
  };

  /** Of a line that is longer than what was read of it. */
  const lineLength = async (fd: number, from: number, available: number): Promise<number> => {
    for (let length = 0; length < available;) {
      const part = await readPart(fd, from + length, Math.min(MAX_LINE_BYTES, available - length));
      const { end } = cutLines(part, { bytes: 0, records: 1, lineBytes: Infinity });
      if (end > 0) return length + end;
      length += part.length;
    }
    return available;
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
      for (let length = Math.min(limits.bytes, available);;) {
        const part = await readPart(fd, from, length);
        const cut = cutLines(part, { ...limits, lineBytes: MAX_LINE_BYTES });
        if (cut.isTooLong) return { bytes: undefined, tooLongBytes: cut.end };
        if (cut.end > 0) return { bytes: part.subarray(0, cut.end), records: cut.records };
        if (length > MAX_LINE_BYTES || length === available) {
          return { bytes: undefined, tooLongBytes: await lineLength(fd, from, available) };
        }
        length = Math.min(MAX_LINE_BYTES + 1, available);
      }
    },
    close,
  };
}
