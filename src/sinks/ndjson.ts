/**
 * Records as lines of JSON: to a file that is appended to (compressed where its name ends in
 * `.gz`), or to stdout. With rotation the file is renamed when it is full or old, and begun anew.
 * A file is synced when it ends, and when the sink is closed.
 */
import { openNdjsonFile } from "./ndjson-file.ts";
import { createStdoutSink } from "./ndjson-stdout.ts";
import { type SegmentFs, segmentFs } from "./segment-fs.ts";
import { createGatherer } from "./segment-lines.ts";
import { createSegmentWriter } from "./segment-writer.ts";
import { type Sink, waitedS } from "./sink.ts";

/** Lines wait this long at most before they are handed to the system. */
const PLAIN = { gatherMs: 200, gatherBytes: 64 * 1024 };
/** Compression needs more of them at once. */
const COMPRESSED = { gatherMs: 5_000, gatherBytes: 256 * 1024 };
/** What the system has not yet taken, at most; beyond it records are dropped. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export interface NdjsonOptions {
  /** A path; `-` is stdout. */
  path: string;
  /** Told when writing fails (once until it succeeds again), records are dropped, a file was torn. */
  failed: (message: string) => void;
  /** Told when writing succeeds again. */
  info?: (message: string) => void;
  /** A file of this size is renamed, and begun anew. */
  rotateBytes?: number | undefined;
  /** So is one whose first line is this old. */
  rotateAgeMs?: number | undefined;
  /** Unix milliseconds. */
  nowMs?: () => number;
  fs?: SegmentFs;
}

/** Throws a Failure where the file cannot be opened. */
export function createNdjsonSink(options: NdjsonOptions): Sink {
  const { path, failed, nowMs = Date.now, fs = segmentFs } = options;
  if (path === "-") {
    return createStdoutSink({
      gather: { ...PLAIN, nowMs },
      maxWaitingBytes: MAX_WAITING_BYTES,
      failed,
    });
  }
  const file = openNdjsonFile({ path, fs, warn: failed });
  const compress = path.endsWith(".gz");
  const counts = { accepted: 0, sent: 0, failed: 0, dropped: 0 };
  const queued = (): number => counts.accepted - counts.sent - counts.failed - counts.dropped;
  /** Records lost since writing failed; undefined while it succeeds. */
  let outage: number | undefined;
  let toldOfDrops = false;
  /** When the first line came of each chunk that the writer has; it settles them in their order. */
  const sinceMs: number[] = [];
  let givenUp = false;

  const fails = (error: Error, records: number): void => {
    if (outage === undefined) failed(`records cannot be written to ${path}: ${error.message}`);
    outage = (outage ?? 0) + records;
  };

  const writer = createSegmentWriter({
    open: file.open,
    ended: (firstMs, asked) => asked ? undefined : file.setAside(firstMs),
    segmentBytes: file.isRegular ? options.rotateBytes ?? Infinity : Infinity,
    segmentAgeMs: file.isRegular ? options.rotateAgeMs ?? Infinity : Infinity,
    compress,
    syncEveryMs: Infinity,
    nowMs,
    failed: (error) => fails(error, 0),
  });

  const gatherer = createGatherer({
    ...(compress ? COMPRESSED : PLAIN),
    nowMs,
    emit(chunk) {
      const { records } = chunk;
      if (writer.waitingBytes > MAX_WAITING_BYTES) {
        counts.dropped += records;
        if (!toldOfDrops) failed(`records are dropped: ${path} does not take them fast enough`);
        toldOfDrops = true;
        return;
      }
      sinceMs.push(chunk.firstMs);
      writer.append(chunk).finally(() => sinceMs.shift()).then(() => {
        if (givenUp) return;
        counts.sent += records;
        if (outage === undefined) return;
        options.info?.(`records are written to ${path} again; ${outage} could not be written`);
        outage = undefined;
      }, (error: Error) => {
        if (givenUp) return;
        counts.failed += records;
        fails(error, records);
      });
    },
  });

  return {
    write(line) {
      counts.accepted++;
      gatherer.add(line);
    },
    async close(graceMs) {
      gatherer.flush();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          givenUp = true;
          counts.failed += queued();
          failed(`records were not taken within ${graceMs / 1000} s: ${path}`);
          resolve();
        }, graceMs);
      });
      await Promise.race([writer.end().then(file.close), late]);
      clearTimeout(timer);
    },
    summary: () => ({
      sink: `ndjson ${path}`,
      ...counts,
      queued: queued(),
      retried: 0,
      oldest_waiting_s: queued() > 0 ? waitedS(sinceMs[0] ?? gatherer.firstMs, nowMs()) : 0,
    }),
  };
}
