/** Which blocks of the sources have run, by V8's own count. */
import { Session } from "node:inspector";

export interface Coverage {
  /** Blocks that ran since the last call, and never before. */
  fresh(): Set<string>;
  /** From now on these count as having run. */
  keep(blocks: Iterable<string>): void;
  /** Blocks that are kept. */
  readonly size: number;
  stop(): void;
}

interface Taken {
  result: {
    url: string;
    functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[];
  }[];
}

const OURS = /\/src\/(?!e2e\/).*\.ts$/;

export function createCoverage(): Coverage {
  const session = new Session();
  const seen = new Set<string>();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

  return {
    fresh() {
      const blocks = new Set<string>();
      // Answered before it returns, as the session is in this thread.
      session.post("Profiler.takePreciseCoverage", (error, taken) => {
        if (error) throw error;
        for (const { url, functions } of (taken as Taken).result) {
          if (!OURS.test(url)) continue;
          for (const { ranges } of functions) {
            for (const { startOffset, endOffset, count } of ranges) {
              const block = `${url}:${startOffset}-${endOffset}`;
              if (count > 0 && !seen.has(block)) blocks.add(block);
            }
          }
        }
      });
      return blocks;
    },
    keep(blocks) {
      for (const block of blocks) seen.add(block);
    },
    get size() {
      return seen.size;
    },
    stop() {
      session.post("Profiler.stopPreciseCoverage");
      session.disconnect();
    },
  };
}
