/** One pass over the records: from inputs to figures. */

import { fromUnixMs } from "../relay/time.ts";
import { createHopFigures, type HopFigures, type HopStream } from "./hop-figures.ts";
import { type HopSpec, type HopValues, RECEIVED_US } from "./hop-values.ts";
import type { Input } from "./inputs.ts";
import { type ReadingOptions, type ReadingReport, readRecords } from "./read-records.ts";
import { createSummaryFigures, type SummaryFigures } from "./summary-figures.ts";
import { createTimeline, type Timeline } from "./timeline.ts";

const FIRST_WIDTH_US = 1e6;
/** What a terminal's line of blocks shows. */
const MOST_BINS = 64;

/** What comes out of a pass. */
export interface Collected {
  timeline: Timeline;
  hops: HopFigures;
  summaries: SummaryFigures;
  reading: ReadingReport;
  /** Records outside of the time asked for. */
  outside: number;
}

/** Sees every record that counts, and so can compare. */
export interface HopWitness<W> {
  streamOf(spec: HopSpec): W;
  hop(stream: W, values: HopValues): void;
}

/** Unix milliseconds: from, and up to; undefined where open. */
export interface Period {
  since: number | undefined;
  until: number | undefined;
}

export async function collect<W>(
  inputs: readonly Input[],
  { since, until }: Period,
  reading: ReadingOptions,
  witness?: HopWitness<W>,
): Promise<Collected> {
  const timeline = createTimeline(FIRST_WIDTH_US, MOST_BINS);
  const hops = createHopFigures(timeline);
  const summaries = createSummaryFigures(timeline);
  const sinceUs = since === undefined ? -Infinity : fromUnixMs(since);
  const untilUs = until === undefined ? Infinity : fromUnixMs(until);
  let outside = 0;

  const report = await readRecords<{ stream: HopStream; witnessed: W | undefined }>(inputs, {
    streamOf: (spec) => ({ stream: hops.streamOf(spec), witnessed: witness?.streamOf(spec) }),
    hop({ stream, witnessed }, values) {
      const receivedUs = values[RECEIVED_US]!;
      if (receivedUs < sinceUs || receivedUs >= untilUs) outside++;
      else if (hops.record(stream, values) && witnessed !== undefined) {
        witness!.hop(witnessed, values);
      }
    },
    summary(summary) {
      // An interval counts where its end does, as `received` of its record says.
      if (summary.endUs < sinceUs || summary.endUs >= untilUs) outside++;
      else {
        try {
          summaries.record(summary);
        } catch (error) {
          if (error instanceof RangeError) return error.message;
          throw error;
        }
      }
      return undefined;
    },
  }, reading);
  return { timeline, hops, summaries, reading: report, outside };
}
