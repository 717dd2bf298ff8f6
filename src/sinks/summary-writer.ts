/** `--records summary`: one record per key and interval. */
import type { FigureSet } from "../metrics/figure-set.ts";
import type { RecordSource } from "../metrics/records.ts";
import { summaryLine } from "../metrics/summary-records.ts";
import type { NowUs } from "../relay/time.ts";
import type { Sink } from "./sink.ts";

/** Returns what ends an interval: it writes the records of all that happened in it. */
export function createSummaryWriter(options: {
  figures: FigureSet;
  sink: Pick<Sink, "write">;
  source: RecordSource;
  nowUs: NowUs;
}): () => void {
  const { figures, sink, source, nowUs } = options;
  let startUs = nowUs();
  return () => {
    const endUs = nowUs();
    for (const summary of figures.rotate((endUs - startUs) / 1e6)) {
      sink.write(summaryLine(summary, { startUs, endUs }, source));
    }
    startUs = endUs;
  };
}
