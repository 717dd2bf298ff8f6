/**
 * Records as lines of JSON, to a file that is appended to (compressed where its name ends in `.gz`)
 * or to stdout. Lines are gathered for a moment, so that a record costs no system call of its own.
 */
import { createWriteStream, openSync } from "node:fs";
import type { Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Failure } from "../platform/failure.ts";
import type { Sink } from "./sink.ts";

/** Lines wait this long at most before they are handed to the system. */
const GATHER_MS = 200;
const GATHER_CHARACTERS = 64 * 1024;
/** What the system has not yet taken, at most; beyond it records are dropped. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export interface NdjsonOptions {
  /** A path; `-` is stdout. */
  path: string;
  /** Told once, when writing fails or the first record is dropped. */
  failed: (message: string) => void;
}

/** Throws a Failure where the file cannot be opened. */
export function createNdjsonSink(options: NdjsonOptions): Sink {
  const { path } = options;
  const { output, ended } = openOutput(path);
  let lines = "";
  let linesCount = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Records that the output has, not yet known as written. */
  let handedOver = 0;
  let broken = false;
  let warned = false;
  const counts = { accepted: 0, sent: 0, failed: 0, dropped: 0 };

  const warn = (message: string): void => {
    if (warned) return;
    warned = true;
    options.failed(message);
  };

  const done = ended.catch((error: Error) => {
    broken = true;
    counts.failed += handedOver;
    warn(`records cannot be written to ${path}: ${error.message}`);
  });

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (linesCount === 0) return;
    const count = linesCount;
    const text = lines;
    lines = "";
    linesCount = 0;
    if (broken) {
      counts.failed += count;
    } else if (output.writableLength > MAX_WAITING_BYTES) {
      counts.dropped += count;
      warn(`records are dropped: ${path} does not take them fast enough`);
    } else {
      handedOver += count;
      output.write(text, (error) => {
        // Not every stream tells each write of its failure: they are counted together.
        if (error || broken) return;
        handedOver -= count;
        counts.sent += count;
      });
    }
  };

  return {
    write(line) {
      counts.accepted++;
      lines += line;
      linesCount++;
      if (lines.length >= GATHER_CHARACTERS) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
    },
    async close(graceMs) {
      flush();
      const written = path === "-"
        ? new Promise<void>((resolve) => output.write("", () => resolve()))
        : done;
      if (path !== "-") output.end();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const givenUp = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          counts.failed += handedOver;
          handedOver = 0;
          warn(`records were not taken within ${graceMs / 1000} s: ${path}`);
          resolve();
        }, graceMs);
      });
      await Promise.race([written, givenUp]);
      clearTimeout(timer);
    },
    summary: () => ({
      sink: `ndjson ${path}`,
      ...counts,
      queued: counts.accepted - counts.sent - counts.failed - counts.dropped,
      retried: 0,
      oldest_waiting_s: 0,
    }),
  };
}

/** `ended` resolves once all has been written after the end; rejects when that fails. */
function openOutput(path: string): { output: Writable; ended: Promise<void> } {
  if (path === "-") {
    const { stdout } = process;
    return { output: stdout, ended: new Promise((_, reject) => stdout.on("error", reject)) };
  }
  const file = createWriteStream(path, { fd: openForAppending(path) });
  if (!path.endsWith(".gz")) return { output: file, ended: finished(file) };
  const gzip = createGzip();
  return { output: gzip, ended: pipeline(gzip, file) };
}

function openForAppending(path: string): number {
  try {
    return openSync(path, "a");
  } catch (error) {
    throw new Failure(`records cannot be written to ${path}: ${(error as Error).message}`);
  }
}
