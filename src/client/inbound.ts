/**
 * Messages that a session gets: finishes their last hop by the time at which they arrived, and
 * counts them by their origin. Over UDP those that overtook the directory wait for it.
 */
import { hopErrorUs } from "../relay/clock-window.ts";
import {
  ClockMethod,
  dataFrameFault,
  finishHop,
  hopOffset,
  readHopCount,
  readHopSentUs,
  readOrigin,
  readSequence,
} from "../relay/data-frame.ts";
import { FrameType, type Region } from "../relay/frame.ts";
import { eachMessage, type MessageRun, readRun } from "../relay/message-run.ts";
import type { ProcessPair } from "../relay/process-pairs.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import type { Arrival } from "../relay/sequence.ts";
import { createEarlyMessages } from "./early-messages.ts";
import type { OriginTable } from "./origin-table.ts";
import type { Origin } from "./origins.ts";

/** What messages are measured and told apart by: there is none before the welcome. */
export interface Measures {
  pair: ProcessPair;
  origins: OriginTable;
}

export interface Inbound {
  /** Messages whose origin was never announced, or too late, or for which there was no room to wait. */
  readonly unknown: number;
  /** Takes the data frames that the region begins with. Throws ProtocolError. */
  take(measures: Measures, region: Region): void;
  /** Keeps a message that came before the welcome; false where none can have. */
  keep(region: Region): boolean;
  /** Takes those that waited for an origin: it may be known now. */
  takeEarly(measures: Measures, nowUs: number): void;
}

/**
 * @param isOrdered whether whatever is sent first arrives first
 * @param taken messages whose last hop was finished
 */
export function createInbound(
  isOrdered: boolean,
  taken: (origin: Origin, run: MessageRun, arrival: Arrival) => void,
): Inbound {
  const early = isOrdered ? undefined : createEarlyMessages();
  let unknown = 0;

  function take({ pair, origins }: Measures, region: Region): void {
    const { view, receivedUs } = region;
    const { offsetUs, errorUs, method } = pair.estimator.estimateAt(receivedUs);
    const methodCode = ClockMethod[method];
    let origin: Origin | undefined;
    let at = region.start;
    while (at < region.end && view.getUint8(at + 4) === FrameType.data) {
      const length = view.getUint32(at, true);
      const fault = dataFrameFault(view, at, length);
      if (fault !== undefined) throw new ProtocolError(fault);
      const number = readOrigin(view, at);
      if (origin?.number !== number) origin = origins.get(number);
      if (origin === undefined) {
        if (early?.keep({ ...region, start: at, end: at + length }) !== true) unknown++;
        at += length;
        continue;
      }
      const run = readRun(region, at, origin.tracker.next);
      const delayUs = receivedUs - readHopSentUs(view, hopOffset(at, readHopCount(view, at) - 1)) +
        offsetUs;
      const boundUs = hopErrorUs(errorUs, delayUs);
      eachMessage(run, (at) => finishHop(view, at, receivedUs, offsetUs, boundUs, methodCode));
      taken(origin, run, origin.tracker.accept(readSequence(view, at), run.count));
      at += run.count * length;
    }
    region.start = at;
  }

  return {
    get unknown() {
      return unknown;
    },
    take,
    keep(region) {
      if (early === undefined) return false;
      if (!early.keep(region)) unknown++;
      return true;
    },
    takeEarly(measures, nowUs) {
      if (early === undefined) return;
      const { regions, forgotten } = early.takeAll(nowUs);
      unknown += forgotten;
      for (const region of regions) take(measures, region);
    },
  };
}
