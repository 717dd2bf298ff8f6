/** From a message's frame to what a record tells of one of its hops. */
import {
  hopOffset,
  readHopCorrectionUs,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
  readIntendedUs,
  readPayloadBytes,
  readSequence,
} from "../relay/data-frame.ts";
import type { HopMeasurement } from "./records.ts";

/** A measurement to be filled in, again and again: a record allocates nothing but its line. */
export function createHopMeasurement(): HopMeasurement {
  return {
    sequence: 0,
    length: 0,
    intendedUs: 0,
    sentUs: 0,
    receivedUs: 0,
    delayUs: 0,
    rawUs: 0,
    errorUs: 0,
    clock: "none",
    rttUs: NaN,
    residenceUs: NaN,
    pathUs: NaN,
    elapsedUs: NaN,
  };
}

/**
 * Fills in what the frame at `at` says of its finished hop `index` (from 0). What it does not say,
 * the round trip and the path's figures, is left as it is.
 */
export function measureHop(
  measured: HopMeasurement,
  view: DataView,
  at: number,
  index: number,
): void {
  const hopAt = hopOffset(at, index);
  measured.sequence = readSequence(view, at);
  measured.length = readPayloadBytes(view, at);
  measured.intendedUs = readIntendedUs(view, at);
  measured.sentUs = readHopSentUs(view, hopAt);
  measured.receivedUs = readHopReceivedUs(view, hopAt);
  measured.rawUs = measured.receivedUs - measured.sentUs;
  measured.delayUs = measured.rawUs + readHopCorrectionUs(view, hopAt);
  measured.errorUs = readHopErrorUs(view, hopAt);
  measured.clock = readHopMethod(view, hopAt);
  measured.residenceUs = index > 0
    ? measured.sentUs - readHopReceivedUs(view, hopOffset(at, index - 1))
    : NaN;
}
