/** Counts the records that a spool gives up, and tells of them at most once a minute. */
import type { DropReason } from "./spool-disk.ts";

const TELL_EVERY_MS = 60_000;

export interface DropLog {
  add(records: number, why: DropReason): void;
  /** Tells what has not been told. */
  tell(): void;
  readonly records: number;
}

export function createDropLog(
  folder: string,
  nowMs: () => number,
  warn: (message: string) => void,
): DropLog {
  let records = 0;
  const untold = new Map<DropReason, number>();
  let toldMs = -Infinity;

  const tell = (): void => {
    for (const [why, count] of untold) {
      warn(`${count} records of the spool ${folder} were dropped: ${why}`);
    }
    untold.clear();
    toldMs = nowMs();
  };

  return {
    add(more, why) {
      if (more === 0) return;
      records += more;
      untold.set(why, (untold.get(why) ?? 0) + more);
      if (nowMs() - toldMs >= TELL_EVERY_MS) tell();
    },
    tell,
    get records() {
      return records;
    },
  };
}
