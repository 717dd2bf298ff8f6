/** One file of whole lines (or whole gzip members) that is appended to, and never left torn. */
import type { SegmentFs } from "./segment-fs.ts";

export interface SegmentFile {
  /** What the file holds, all of it whole: it survives the process. */
  readonly bytes: number;
  /** Whole lines or a whole member. Rejects with the system's error; then none of it is kept. */
  append(piece: Uint8Array): Promise<void>;
  /** What has been appended so far survives the machine. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface SegmentFileOptions {
  fs: SegmentFs;
  /** Open for appending. Belongs to the segment file from now on. */
  fd: number;
  /** What it holds already. */
  bytes: number;
  /** Pipes and devices cannot be cut or synced. */
  isRegular: boolean;
}

export function createSegmentFile(options: SegmentFileOptions): SegmentFile {
  const { fs, fd, isRegular } = options;
  let { bytes } = options;
  let syncedBytes = bytes;
  /** Of a piece that could not be written whole. */
  let tornBytes = 0;

  const cut = async (): Promise<void> => {
    // Where others append to the same file too, what is theirs must stay.
    if (isRegular && await fs.size(fd) === bytes + tornBytes) await fs.truncate(fd, bytes);
    tornBytes = 0;
  };

  return {
    get bytes() {
      return bytes;
    },
    async append(piece) {
      if (tornBytes > 0) await cut();
      let taken = 0;
      try {
        while (taken < piece.byteLength) {
          const more = await fs.write(fd, piece, taken);
          if (more === 0) throw new Error("no more bytes are taken");
          taken += more;
        }
      } catch (error) {
        tornBytes = taken;
        // Where even this fails, it is tried again before anything else is appended.
        if (tornBytes > 0) await cut().catch(() => {});
        throw error;
      }
      bytes += piece.byteLength;
    },
    async sync() {
      if (!isRegular || syncedBytes === bytes) return;
      const upTo = bytes;
      await fs.sync(fd);
      syncedBytes = upTo;
    },
    async close() {
      if (tornBytes > 0) await cut().catch(() => {});
      await fs.close(fd);
    },
  };
}
