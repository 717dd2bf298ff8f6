/**
 * From the messages of one origin session, as one session of ours receives them, to figures: of
 * the first hop, of the last hop, and of the whole path.
 */
import type { FigureSet } from "../metrics/figure-set.ts";
import type { FigureStream } from "../metrics/figure-stream.ts";
import { hopKey, pathKey, pathRoute } from "../metrics/keys.ts";
import { noLoss } from "../metrics/loss.ts";
import { isCorrected, recordHop } from "../metrics/record-hop.ts";
import type { LossFigures } from "../metrics/summary.ts";
import { RELATIVE_RATE_LIMIT } from "../relay/clock-window.ts";
import {
  hopOffset,
  readHopCorrectionUs,
  readHopCount,
  readHopErrorUs,
  readHopReceivedUs,
  readHopSentUs,
  readPayloadBytes,
  readSequence,
} from "../relay/data-frame.ts";
import type { MessageRun } from "../relay/message-run.ts";
import type { Origin } from "./origins.ts";

/** Figures of one message's whole way, µs; overwritten by the next one. */
export interface PathDelay {
  hops: number;
  rawUs: number;
  delayUs: number;
  /** NaN where it is unknown. */
  errorUs: number;
  elapsedUs: number;
  /** What the relays took between hops. */
  residenceUs: number;
  /** Whether delayUs is known at all. */
  isCorrected: boolean;
}

export interface PathMeter {
  /** Whether the first hop is metered here: of several routes to one relay only one does. */
  meterFirstHop(isMetered: boolean): void;
  /** Takes in messages that count. The result, of each, is overwritten by the next call. */
  record(run: MessageRun): Readonly<PathDelay>;
  close(): void;
}

/**
 * How many messages of one origin session were lost on the way to the relay, over all its life, as
 * far as somebody's figures tell: who takes its first hop over goes on from there, however old the
 * counts are that he has.
 */
export interface FirstHopLedger {
  toldLost: number | undefined;
}

export interface PathMeterOptions {
  origin: Origin;
  /** Shared by all meters of the origin's session. */
  ledger: FirstHopLedger;
  /**
   * Whether the origin's session is one of this process. Asked at its first message: a fast route
   * may tell of a session before that one's own welcome has come.
   */
  isOwn: () => boolean;
  /** The origin is the receiving session itself. */
  echo: boolean;
  relayName: string;
  receiver: { name: string; route: string };
  figures: FigureSet;
}

export function createPathMeter(options: PathMeterOptions): PathMeter {
  const { origin, ledger, echo, relayName, receiver, figures } = options;
  const first = hopKey(origin.name, relayName);
  const last = hopKey(relayName, receiver.name);
  const firstHop = figures.get({
    key: first,
    from: origin.name,
    to: relayName,
    route: origin.route,
    hops: 1,
    echo,
  });
  const lastHop = figures.get({
    key: last,
    from: relayName,
    to: receiver.name,
    route: receiver.route,
    hops: 1,
    echo,
  }).open(() => lossOf(origin, "down"));
  const path = figures.get({
    key: pathKey([first, last]),
    from: origin.name,
    to: receiver.name,
    route: pathRoute(origin.route, receiver.route),
    hops: 2,
    echo,
  }).open(() => lossOf(origin, "both"));
  let firstStream: FigureStream | undefined;
  const lostInAll = (): number => origin.start.next - 1 - origin.start.received + origin.up;

  const closeFirst = (): void => {
    firstStream?.close();
    if (firstStream !== undefined) {
      ledger.toldLost = Math.max(ledger.toldLost ?? 0, lostInAll());
    }
    firstStream = undefined;
  };

  let isOwn: boolean | undefined;
  const result: PathDelay = {
    hops: 0,
    rawUs: 0,
    delayUs: 0,
    errorUs: 0,
    elapsedUs: 0,
    residenceUs: 0,
    isCorrected: true,
  };

  const addUp = (view: DataView, at: number): void => {
    result.hops = readHopCount(view, at);
    result.rawUs =
      result.delayUs =
      result.errorUs =
      result.residenceUs =
        0;
    result.isCorrected = true;
    let previousReceivedUs = NaN;
    for (let index = 0; index < result.hops; index++) {
      const hopAt = hopOffset(at, index);
      const sentUs = readHopSentUs(view, hopAt);
      const rawUs = readHopReceivedUs(view, hopAt) - sentUs;
      if (index > 0) result.residenceUs += sentUs - previousReceivedUs;
      previousReceivedUs = sentUs + rawUs;
      result.rawUs += rawUs;
      result.delayUs += rawUs + readHopCorrectionUs(view, hopAt);
      result.errorUs += readHopErrorUs(view, hopAt);
      if (!isCorrected(view, hopAt)) result.isCorrected = false;
    }
    result.elapsedUs = result.delayUs + result.residenceUs;
  };

  /** Both ends are one clock: no correction is needed, and only its rate can be wrong. */
  const useSingleClock = (view: DataView, at: number, receivedUs: number): void => {
    result.elapsedUs = receivedUs - readHopSentUs(view, hopOffset(at, 0));
    result.delayUs = result.elapsedUs - result.residenceUs;
    result.rawUs = result.delayUs;
    result.errorUs = RELATIVE_RATE_LIMIT * result.elapsedUs;
    result.isCorrected = true;
  };

  return {
    meterFirstHop(isMetered) {
      if (isMetered === (firstStream !== undefined)) return;
      if (isMetered) {
        // What was lost before, whoever metered it then has told.
        const before = ledger.toldLost ?? lostInAll();
        firstStream = firstHop.open(() => {
          const up = Math.max(0, lostInAll() - before);
          return { ...noLoss(), lost: up, up };
        });
      } else closeFirst();
    },
    record({ view, at, count, receivedUs }) {
      const sequence = readSequence(view, at);
      const bytes = readPayloadBytes(view, at);
      if (firstStream !== undefined) {
        recordHop(firstStream, view, hopOffset(at, 0), sequence, bytes, count);
      }
      addUp(view, at);
      recordHop(lastHop, view, hopOffset(at, result.hops - 1), sequence, bytes, count);
      isOwn ??= options.isOwn();
      if (isOwn) useSingleClock(view, at, receivedUs);
      if (result.isCorrected) {
        const { rawUs, delayUs, errorUs, elapsedUs } = result;
        path.record(sequence, bytes, rawUs, delayUs, errorUs, elapsedUs, count);
      } else {
        path.recordUncorrected(sequence, bytes, result.rawUs, count);
      }
      return result;
    },
    close() {
      closeFirst();
      lastHop.close();
      path.close();
    },
  };
}

/** What was lost on the last hop, or on both. */
function lossOf(origin: Origin, part: "down" | "both"): LossFigures {
  const up = part === "down" ? 0 : origin.up;
  const { down, dropped } = origin;
  const { duplicates, reordered } = origin.tracker;
  return { lost: up + down, up, down, dropped, duplicates, reordered };
}
