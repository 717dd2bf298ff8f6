/** Opens all sinks that a configuration asks for, and makes one of them. */
import type { SinkSummary } from "../metrics/summary.ts";
import { createNdjsonSink } from "./ndjson.ts";
import type { Sink } from "./sink.ts";

/** Of a program's configuration, what concerns sinks. */
export interface SinksConfig {
  ndjson: string | undefined;
}

export interface Sinks {
  /** Takes one record for each of them: a line of JSON with its newline. */
  write(line: string): void;
  /** Closes all at the same time; resolves when all have written what waits, or given up. */
  close(graceMs: number): Promise<void>;
  summaries(): SinkSummary[];
}

/** Undefined where the configuration asks for none. Throws a Failure where one cannot be opened. */
export async function openSinks(
  config: SinksConfig,
  { log }: { log: { warn(message: string): void } },
): Promise<Sinks | undefined> {
  const sinks: Sink[] = [];
  if (config.ndjson !== undefined) {
    sinks.push(createNdjsonSink({ path: config.ndjson, failed: log.warn }));
  }
  if (sinks.length === 0) return undefined;
  return {
    write(line) {
      for (const sink of sinks) sink.write(line);
    },
    async close(graceMs) {
      await Promise.all(sinks.map((sink) => sink.close(graceMs)));
    },
    summaries: () => sinks.map((sink) => sink.summary()),
  };
}
