/** From a finished hop of a message's frame to the figures of that hop. */
import {
  readHopCorrectionUs,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
} from "../relay/data-frame.ts";
import type { FigureStream } from "./figure-stream.ts";

/** Takes the hop at `hopAt` of a message that counts, or of `count` in a row, into its figures. */
export function recordHop(
  stream: FigureStream,
  view: DataView,
  hopAt: number,
  sequence: number,
  bytes: number,
  count = 1,
): void {
  const rawUs = readHopReceivedUs(view, hopAt) - readHopSentUs(view, hopAt);
  if (!isCorrected(view, hopAt)) {
    return stream.recordUncorrected(sequence, bytes, rawUs, count);
  }
  const delayUs = rawUs + readHopCorrectionUs(view, hopAt);
  stream.record(sequence, bytes, rawUs, delayUs, readHopErrorUs(view, hopAt), NaN, count);
}

/** The delay is known: its error is bounded, or the clocks were asked to be taken as they are. */
export function isCorrected(view: DataView, hopAt: number): boolean {
  const errorUs = readHopErrorUs(view, hopAt);
  return errorUs === errorUs || readHopMethod(view, hopAt) === "system";
}
