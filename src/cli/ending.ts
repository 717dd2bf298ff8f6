/** The end of a run: what asks for it, and how the time that it may take is shared. */

/** Of `--grace`, what the end of the run leaves to the records, but at most so much. */
const RECORDS_SHARE = 0.25;
const RECORDS_MS = 2_500;

/** Resolves when the program is asked to stop. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Starts the time that the end of a run may take in all: first for messages and byes (`forRunMs`),
 * then for the records that wait. A little is reserved for these, where there are any; what the run
 * does not use is theirs too.
 */
export function startGrace({ graceMs, withRecords, nowMs }: {
  graceMs: number;
  withRecords: boolean;
  nowMs: () => number;
}): { forRunMs: number; leftMs(): number } {
  const deadlineMs = nowMs() + graceMs;
  const reservedMs = withRecords ? Math.min(graceMs * RECORDS_SHARE, RECORDS_MS) : 0;
  return {
    forRunMs: graceMs - reservedMs,
    leftMs: () => Math.max(0, Math.round(deadlineMs - nowMs())),
  };
}
