/** Where records go. Metering never waits for a sink: what it cannot take is dropped and counted. */
import type { SinkSummary } from "../metrics/summary.ts";

export interface Sink {
  /** Takes one record: a line of JSON with its newline. */
  write(line: string): void;
  /** Writes what waits; resolves when all has been written, or given up after `graceMs`. */
  close(graceMs: number): Promise<void>;
  summary(): SinkSummary;
}

/** Seconds since then, for the summary: to the millisecond, and 0 where nothing waits (NaN). */
export function waitedS(sinceMs: number, nowMs: number): number {
  return Math.round(Math.max(0, nowMs - sinceMs) || 0) / 1000;
}
