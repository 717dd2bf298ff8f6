/** Which blocks of the sources have run, by V8's own count. */
import { Session } from "node:inspector";

export interface Coverage {
  /** Blocks that ran since the last call, and never before. */
  fresh(): Set<string>;
  /** From now on these count as having run. */
  keep(blocks: Iterable<string>): void;
  /** Blocks that are kept. */
  readonly size: number;
  /** Nothing has run yet, for another target. (What is stopped and begun again sees less.) */
  forget(): void;
  stop(): void;
}

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}

interface Taken {
  result: { url: string; functions: { ranges: Range[] }[] }[];
}

const OURS = /\/src\/(?!e2e\/).*\.ts$/;

/**
 * A block that ran as often as what is around it is not told of by V8, one that did not run is: so
 * what counts as new is a function that ran, and a block that was once told not to have run.
 *
 * @param isOurs of which scripts, by their addresses; of what is compiled from now on
 */
export function createCoverage(isOurs = (url: string): boolean => OURS.test(url)): Coverage {
  const session = new Session();
  const seen = new Set<string>();
  /** Blocks that have not run at some time, by function. */
  const gaps = new Map<string, Map<string, Range>>();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

  function look(url: string, [whole, ...inner]: Range[], fresh: Set<string>): void {
    if (whole === undefined || whole.count === 0) return;
    const name = `${url}:${whole.startOffset}`;
    const unreached = inner.filter(({ count }) => count === 0);
    const known = gaps.get(name);
    if (!seen.has(name)) fresh.add(name);
    for (const [block, { startOffset, endOffset }] of known ?? []) {
      const isUnreached = unreached.some((gap) =>
        gap.startOffset <= startOffset && gap.endOffset >= endOffset
      );
      if (!isUnreached && !seen.has(block)) fresh.add(block);
    }
    if (unreached.length === 0) return;
    const all = known ?? new Map<string, Range>();
    gaps.set(name, all);
    for (const gap of unreached) all.set(`${name}:${gap.startOffset}-${gap.endOffset}`, gap);
  }

  return {
    fresh() {
      const fresh = new Set<string>();
      // Answered before it returns, as the session is in this thread.
      session.post("Profiler.takePreciseCoverage", (error, taken) => {
        if (error) throw error;
        for (const { url, functions } of (taken as Taken).result) {
          if (isOurs(url)) { for (const { ranges } of functions) look(url, ranges, fresh); }
        }
      });
      return fresh;
    },
    keep(blocks) {
      for (const block of blocks) seen.add(block);
    },
    get size() {
      return seen.size;
    },
    forget() {
      seen.clear();
      gaps.clear();
    },
    stop() {
      session.post("Profiler.stopPreciseCoverage");
      session.disconnect();
    },
  };
}
