/** The one file that tells up to where a spool has been sent. */
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { createSegmentFile } from "./segment-file.ts";
import type { SegmentFs } from "./segment-fs.ts";

export const CHECKPOINT = "checkpoint.json";
const VERSION = 1;

/** All segments of a lower number are sent, and of this one what comes before the offset. */
export interface Checkpoint {
  segment: number;
  offset: number;
}

/** Undefined: there is none. "corrupt": there is something else. */
export async function readCheckpoint(folder: string): Promise<Checkpoint | undefined | "corrupt"> {
  let text;
  try {
    text = await readFile(join(folder, CHECKPOINT), "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "corrupt";
  }
  try {
    const { version, segment, offset } = JSON.parse(text) as Record<string, unknown>;
    if (version === VERSION && isCount(segment) && isCount(offset)) return { segment, offset };
  } catch {
    // Said below.
  }
  return "corrupt";
}

/** Replaces it as a whole: whenever the machine stops, there is the old one or the new one. */
export async function writeCheckpoint(
  fs: SegmentFs,
  folder: string,
  checkpoint: Checkpoint,
): Promise<void> {
  const path = join(folder, CHECKPOINT);
  const fd = await fs.open(`${path}.new`, "w");
  const file = createSegmentFile({ fs, fd, bytes: 0, isRegular: true });
  try {
    await file.append(Buffer.from(`${JSON.stringify({ version: VERSION, ...checkpoint })}\n`));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
