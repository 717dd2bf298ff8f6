/** The file of `--ndjson`: opened where it ended, freed of what a crash tore, renamed when full. */
import { access, rename, stat } from "node:fs/promises";
import { fstatSync, openSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { createSegmentFile } from "./segment-file.ts";
import type { SegmentFs } from "./segment-fs.ts";
import { isWholeGzip, wholeLinesEnd, wholeMembersEnd } from "./segment-tail.ts";
import type { OpenSegment } from "./segment-writer.ts";

export interface NdjsonFile {
  /** False for pipes and devices, which are never renamed or cut. */
  readonly isRegular: boolean;
  /** Opens what is to be appended to; `firstMs` is the time of its first line where it is empty. */
  open(firstMs: number): Promise<OpenSegment>;
  /** Renames the closed file after the time of its first line. */
  setAside(firstMs: number): Promise<void>;
  /** Closes what was opened and never asked for. */
  close(): Promise<void>;
}

/** Throws a Failure where the file cannot be opened. `warn` hears of what was cut. */
export function openNdjsonFile(options: {
  path: string;
  fs: SegmentFs;
  warn: (message: string) => void;
}): NdjsonFile {
  const { path, fs, warn } = options;
  const fd = openForAppending(path);
  const { size, birthtimeMs, mtimeMs } = fstatSync(fd);
  const isRegular = fstatSync(fd).isFile();

  const setAside = async (firstMs: number): Promise<void> => {
    await rename(path, await freeName(path, firstMs));
  };

  /** The file as it was found, cut to what is whole; not all of it where others tore it. */
  const prepare = async (): Promise<OpenSegment> => {
    // Some systems do not tell when a file was made.
    const firstMs = Math.min(birthtimeMs || mtimeMs, mtimeMs);
    const adopt = (bytes: number) => ({
      file: createSegmentFile({ fs, fd, bytes, isRegular }),
      firstMs: bytes > 0 ? firstMs : NaN,
    });
    if (!isRegular || size === 0) return adopt(0);
    try {
      const end = await wholeEnd(path, fs, size);
      if (end === undefined) {
        await setAside(mtimeMs);
        await fs.close(fd);
        warn(`${path} cannot be decompressed to its end: it is kept under another name`);
        return await openAgain();
      }
      if (end === size) return adopt(size);
      await fs.truncate(fd, end);
      warn(`the last ${size - end} bytes of ${path} were torn, and have been cut off`);
      return adopt(end);
    } catch (error) {
      warn(`the end of ${path} cannot be examined: ${(error as Error).message}`);
      return adopt(size);
    }
  };

  const openAgain = async (): Promise<OpenSegment> => {
    const again = await fs.open(path, "a");
    const bytes = isRegular ? await fs.size(again) : 0;
    const file = createSegmentFile({ fs, fd: again, bytes, isRegular });
    return { file, firstMs: bytes > 0 ? (await stat(path)).mtimeMs : NaN };
  };

  let prepared: Promise<OpenSegment> | undefined = prepare();
  // Whoever opens it hears of it.
  prepared.catch(() => {});

  return {
    isRegular,
    async open(firstMs) {
      const opening = prepared ?? openAgain();
      prepared = undefined;
      const opened = await opening;
      return Number.isNaN(opened.firstMs) ? { ...opened, firstMs } : opened;
    },
    setAside,
    async close() {
      await (await prepared)?.file.close();
    },
  };
}

/** Undefined where the whole part cannot be told. */
async function wholeEnd(path: string, fs: SegmentFs, size: number): Promise<number | undefined> {
  const fd = await fs.open(path, "r");
  try {
    if (!path.endsWith(".gz")) return await wholeLinesEnd(fs, fd, size);
    return await wholeMembersEnd(fs, fd, size) ?? (await isWholeGzip(path) ? size : undefined);
  } finally {
    await fs.close(fd);
  }
}

/** `records.ndjson.gz` → `records-20261124T225746Z-0001.ndjson.gz`: sorts by time. */
async function freeName(path: string, firstMs: number): Promise<string> {
  const base = basename(path);
  const plain = base.endsWith(".gz") ? base.slice(0, -".gz".length) : base;
  const stem = basename(plain, extname(plain));
  const time = new Date(firstMs).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  for (let number = 1;; number++) {
    const count = String(number).padStart(4, "0");
    const name = join(dirname(path), `${stem}-${time}-${count}${base.slice(stem.length)}`);
    try {
      await access(name);
    } catch {
      return name;
    }
  }
}

function openForAppending(path: string): number {
  try {
    return openSync(path, "a");
  } catch (error) {
    throw new Failure(`records cannot be written to ${path}: ${(error as Error).message}`);
  }
}
