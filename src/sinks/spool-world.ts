/** What tests of the spool share: folders, lines, and a spool that tells what it warned about. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordBatch, RecordQueue } from "./record-queue.ts";
import { type SegmentFs, segmentFs } from "./segment-fs.ts";
import { openSpool, type SpoolOptions } from "./spool.ts";

export const ALL = { bytes: 4 * 1024 * 1024, records: Infinity };

export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "spool-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface TestSpool {
  queue: RecordQueue;
  warnings: string[];
  infos: string[];
  /** Resolves once a message matches. */
  told(pattern: RegExp): Promise<void>;
}

export async function openTestSpool(
  folder: string,
  options: Partial<SpoolOptions> = {},
): Promise<TestSpool> {
  const warnings: string[] = [];
  const infos: string[] = [];
  const waiting: { pattern: RegExp; resolve: () => void }[] = [];
  const tell = (messages: string[]) => (message: string): void => {
    messages.push(message);
    for (const { pattern, resolve } of waiting) if (pattern.test(message)) resolve();
  };
  const queue = await openSpool({
    folder,
    limitBytes: 64 * 1024 * 1024,
    nowMs: () => performance.now(),
    warn: tell(warnings),
    info: tell(infos),
    ...options,
  });
  return {
    queue,
    warnings,
    infos,
    told: (pattern) =>
      new Promise((resolve) => {
        if ([...warnings, ...infos].some((message) => pattern.test(message))) resolve();
        waiting.push({ pattern, resolve });
      }),
  };
}

/** Names of the segments' files, oldest first. */
export function segmentsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".ndjson")).sort();
}

/** A line that tells its number, about `bytes` long. */
export function line(number: number, bytes = 24): string {
  return `${JSON.stringify({ number, fill: "x".repeat(Math.max(0, bytes - 24)) })}\n`;
}

/** The numbers of a batch's lines. */
export function numbersOf({ bytes }: RecordBatch): number[] {
  const text = Buffer.from(bytes).toString();
  return text.split("\n").slice(0, -1).map((each) => JSON.parse(each).number);
}

export function count(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Takes all that waits. */
export async function takeAll(queue: RecordQueue, limits = ALL): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for (let batch; (batch = await queue.take(limits)) !== undefined;) batches.push(batch);
  return batches;
}

/** A file system that fails while `error` is set: half of each write goes through. */
export function createFailingFs(): SegmentFs & { error: Error | undefined } {
  const failing: SegmentFs & { error: Error | undefined } = {
    ...segmentFs,
    error: undefined,
    async write(fd, bytes, offset) {
      const { error } = failing;
      if (!error) return await segmentFs.write(fd, bytes, offset);
      if (offset > 0) throw error;
      return await segmentFs.write(fd, bytes.subarray(0, bytes.length >> 1), 0);
    },
  };
  return failing;
}

export const FULL = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
