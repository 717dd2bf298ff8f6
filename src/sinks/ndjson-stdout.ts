/** Records as lines of JSON on stdout, where the system takes them by its own stream. */
import { createGatherer } from "./segment-lines.ts";
import { type Sink, waitedS } from "./sink.ts";

export interface StdoutSinkOptions {
  gather: { gatherMs: number; gatherBytes: number; nowMs: () => number };
  /** What stdout has not yet taken, at most; beyond it records are dropped. */
  maxWaitingBytes: number;
  /** Told once. */
  failed: (message: string) => void;
}

export function createStdoutSink(options: StdoutSinkOptions): Sink {
  const { stdout } = process;
  const counts = { accepted: 0, sent: 0, failed: 0, dropped: 0 };
  /** Records that stdout has, not yet known as written. */
  let handedOver = 0;
  /** When the first line came of each chunk that stdout has. */
  const sinceMs: number[] = [];
  let broken = false;
  let warned = false;

  const warn = (message: string): void => {
    if (warned) return;
    warned = true;
    options.failed(message);
  };

  const giveUp = (message: string): void => {
    counts.failed += handedOver;
    handedOver = 0;
    warn(message);
  };

  stdout.on("error", (error) => {
    broken = true;
    giveUp(`records cannot be written to stdout: ${error.message}`);
  });

  const gatherer = createGatherer({
    ...options.gather,
    emit({ bytes, records, firstMs }) {
      if (broken) {
        counts.failed += records;
      } else if (stdout.writableLength > options.maxWaitingBytes) {
        counts.dropped += records;
        warn("records are dropped: stdout does not take them fast enough");
      } else {
        handedOver += records;
        sinceMs.push(firstMs);
        stdout.write(bytes, (error) => {
          sinceMs.shift();
          // Not every stream tells each write of its failure: they are counted together.
          if (error || broken || handedOver === 0) return;
          handedOver -= records;
          counts.sent += records;
        });
      }
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
      await Promise.race([
        new Promise<void>((resolve) => stdout.write("", () => resolve())),
        new Promise<void>((resolve) => {
          timer = setTimeout(() => {
            giveUp(`records were not taken within ${graceMs / 1000} s: -`);
            resolve();
          }, graceMs);
        }),
      ]);
      clearTimeout(timer);
    },
    summary: () => ({
      sink: "ndjson -",
      ...counts,
      queued: gatherer.records + handedOver,
      retried: 0,
      oldest_waiting_s: handedOver + gatherer.records > 0
        ? waitedS(sinceMs[0] ?? gatherer.firstMs, options.gather.nowMs())
        : 0,
    }),
  };
}
