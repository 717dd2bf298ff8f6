/** What a report says: `--json` prints it, tables and CSV are drawn from it. */

import { toIso } from "../relay/time.ts";
import { version } from "../cli/version.ts";
import type { Collected } from "./collect.ts";
import type { Comparison } from "./comparison.ts";
import { brokenBy, type Condition } from "./fail-if.ts";
import { wantsKey } from "./key-pattern.ts";
import { haveRoutes, rowName } from "./row-names.ts";
import { type Dimension, type Row, type RowOptions, rowsOf } from "./rows.ts";

/** Times in ms unless named otherwise; what does not apply is absent. */
export interface ReportDocument {
  version: 1;
  tool: "performance-client report";
  tool_version: string;
  config: Record<string, unknown>;
  /** ISO 8601, µs: of the first and the last record that counts, by when it was received. */
  first?: string;
  last?: string;
  seconds: number;
  records: {
    lines: number;
    hops: number;
    summaries: number;
    duplicates: number;
    /** Before `--since`, or not before `--until`. */
    outside: number;
    malformed: number;
    first_malformed?: string;
    torn: string[];
  };
  /** Of `p95_over_time_ms`: when the first begins, and how long each lasts. */
  intervals?: { start: string; seconds: number };
  keys: Row[];
  comparisons?: Comparison[];
  /** Conditions of `--fail-if` that are met, in words. */
  failed?: string[];
  notes: string[];
}

export interface DocumentOptions {
  key: string | undefined;
  by: Dimension | undefined;
  failIf: readonly Condition[] | undefined;
  config: Record<string, unknown>;
  notes: string[];
  witness?: RowOptions["witness"];
}

export function documentOf(
  { timeline, hops, summaries, reading, outside }: Collected,
  options: DocumentOptions,
  comparisons?: Comparison[],
): ReportDocument {
  const firstUs = Math.min(hops.firstUs, summaries.firstUs);
  const lastUs = Math.max(hops.lastUs, summaries.lastUs);
  const isEmpty = !(firstUs <= lastUs);
  const seconds = isEmpty ? 0 : (lastUs - firstUs) / 1e6;
  const { widthUs } = timeline;
  const bins = isEmpty
    ? [0, -1] as const
    : [Math.floor(firstUs / widthUs), Math.floor(lastUs / widthUs)] as const;
  const keys = rowsOf(hops, summaries, {
    by: options.by,
    wants: wantsKey(options.key),
    seconds,
    bins,
    ...(options.witness && { witness: options.witness }),
  });
  const { firstMalformed, ...read } = reading;
  return {
    version: 1,
    tool: "performance-client report",
    tool_version: version,
    config: options.config,
    ...(!isEmpty && { first: toIso(firstUs), last: toIso(lastUs) }),
    seconds,
    records: {
      lines: read.lines,
      hops: hops.count,
      summaries: summaries.count,
      duplicates: hops.duplicates + summaries.duplicates,
      outside,
      malformed: read.malformed,
      ...(firstMalformed !== undefined && { first_malformed: firstMalformed }),
      torn: read.torn,
    },
    ...(!isEmpty && { intervals: { start: toIso(bins[0] * widthUs), seconds: widthUs / 1e6 } }),
    keys,
    ...(comparisons && { comparisons }),
    ...(options.failIf && { failed: failures(keys, options.failIf) }),
    notes: options.notes,
  };
}

function failures(rows: readonly Row[], conditions: readonly Condition[]): string[] {
  return conditions.flatMap((condition) =>
    rows.flatMap((row) => {
      const broken = brokenBy(condition, row);
      return broken === undefined ? [] : [`${rowName(row, haveRoutes(rows))}: ${broken}`];
    })
  );
}
