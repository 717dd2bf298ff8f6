/** Counts the records that a queue gives up, and tells why, at most once a minute. */

export const TELL_EVERY_MS = 60_000;

export interface DropLog {
  /** `why` is what the user reads. */
  add(records: number, why: string): void;
  /** Tells what has not been told. */
  tell(): void;
  readonly records: number;
}

export function createDropLog(nowMs: () => number, warn: (message: string) => void): DropLog {
  let records = 0;
  const untold = new Map<string, number>();
  let toldMs = -Infinity;

  const tell = (): void => {
    for (const [why, count] of untold) warn(`${count} records were dropped: ${why}`);
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
