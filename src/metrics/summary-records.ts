/**
 * Records of `--records summary`: the figures of one key in one interval, flat, as SQL likes them.
 *
 * The delay's figures are `min_ms`, `mean_ms`, `stddev_ms`, `p50_ms`, `p90_ms`, `p95_ms`, `p99_ms`,
 * `p999_ms` and `max_ms`; those of the elapsed time and of the delay variation are named alike with
 * `elapsed_` and `ipdv_` before (`elapsed_p95_ms`); the bound's are `error_p50_ms` and
 * `error_max_ms`. There is no `ms`, so that hops and summaries in one table are never averaged
 * together. `received` is the interval's end, for queries by time over both kinds. Loss is what
 * became known in the interval: below zero where a message came after all.
 */

import { toIso } from "../relay/time.ts";
import { RECORD_VERSION, type RecordSource } from "./records.ts";
import type { DelayFigures, KeySummary } from "./summary.ts";

/** Line of a summary record, with its newline. Times are µs since 2020. */
export function summaryLine(
  summary: KeySummary,
  interval: { startUs: number; endUs: number },
  source: RecordSource,
): string {
  // Of an interval's few messages a confidence interval says little; it is for whole runs.
  const { key, ms, elapsed_ms, error_ms, ipdv_ms, jitter_ms, hdr, confidence_ms: _, ...counts } =
    summary;
  const { reporter, region, zone, run } = source;
  return `${
    JSON.stringify({
      key,
      received: toIso(interval.endUs),
      v: RECORD_VERSION,
      kind: "summary",
      interval_start: toIso(interval.startUs),
      interval_end: toIso(interval.endUs),
      ...counts,
      ...flat("", ms),
      ...flat("elapsed_", elapsed_ms),
      ...flat("error_", error_ms),
      ...flat("ipdv_", ipdv_ms),
      jitter_ms,
      hdr,
      reporter,
      region,
      zone,
      run,
    })
  }\n`;
}

function flat(
  prefix: string,
  figures: Partial<DelayFigures> | undefined,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures ?? {}).map(([name, value]) => [`${prefix}${name}_ms`, value]),
  );
}
