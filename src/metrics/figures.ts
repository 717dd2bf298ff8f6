/**
 * The figures of one hop or path on one route, message by message: what tables, summary records
 * and `--json` print of it.
 *
 * Who meters opens a stream for each session that messages come from, since only the messages of
 * one session have neighbours. All streams of a key feed the same distributions, so that several
 * sessions of one name aggregate.
 */

import { boundFigures, confidence, delayFigures, toMs } from "./delays.ts";
import { type FigureStream, Stream, Tally } from "./figure-stream.ts";
import { createFigureWatch, type FigureWatch } from "./figure-watch.ts";
import { Histogram } from "./histogram.ts";
import { addLoss, type LossSource, noLoss, subtractLoss } from "./loss.ts";
import type { KeySummary, LossFigures } from "./summary.ts";

/** What the figures are of. `key`, `route` and `echo` identify them. */
export interface FigureSpec {
  key: string;
  from: string;
  to: string;
  route: string;
  /** Hops of the path; 1 for a single hop. */
  hops: number;
  echo: boolean;
}

export interface Figures {
  readonly spec: FigureSpec;
  /** @param loss Asked at each summary for what the session lost so far on this hop or path. */
  open(loss?: LossSource): FigureStream;
  /**
   * Figures since the start.
   *
   * @param seconds Time that the rates refer to.
   * @param hdr Whether to encode `hdr`, which takes longer than all the rest: a view that is drawn
   *   each second does without.
   */
  summarise(seconds: number, hdr?: boolean): KeySummary;
  /**
   * Figures since the last rotation, which begins the next interval. Loss is what became known in
   * the interval, so it can be below zero where a message came after all; `jitter_ms` is the
   * newest. The figures since the start go on.
   *
   * @param seconds Length of the interval.
   */
  rotate(seconds: number): KeySummary;
  /** Begins to tell what comes from now on, apart from rotations and from other watches. */
  watch(): FigureWatch;
  /** The delays since the start. */
  delays(): Histogram;
}

/** Figures without messages yet. */
export function createFigures(spec: FigureSpec): Figures {
  /** Since the last rotation: all there is, as long as nobody rotates. */
  const current = new Tally(spec.hops);
  /** Before it. */
  let past: Tally | undefined;
  const watches: FigureWatch[] = [];
  const open = new Map<Stream, LossSource | undefined>();
  let endedLoss = noLoss();
  let rotatedLoss = noLoss();
  /** Of ended streams: number of their pairs, and the sum of jitter × pairs. */
  let endedPairs = 0;
  let endedJitter = 0;

  const loss = (): LossFigures => {
    let sum = endedLoss;
    for (const source of open.values()) {
      if (source !== undefined) sum = addLoss(sum, source());
    }
    return sum;
  };

  const jitterUs = (): number => {
    let pairs = endedPairs;
    let sum = endedJitter;
    for (const stream of open.keys()) {
      pairs += stream.pairs;
      sum += stream.jitterUs * stream.pairs;
    }
    return sum / pairs;
  };

  const summaryOf = (
    tally: Tally,
    lost: LossFigures,
    seconds: number,
    hdr: boolean,
  ): KeySummary => {
    const ms = delayFigures(tally.delay);
    const elapsed = tally.elapsed && delayFigures(tally.elapsed);
    const error = boundFigures(tally.error);
    const ipdv = delayFigures(tally.ipdv);
    return {
      ...spec,
      count: tally.count,
      per_second: perSecond(tally.count, seconds),
      bytes_per_second: perSecond(tally.bytes, seconds),
      ...lost,
      negative: tally.delay.negative,
      uncorrected: tally.uncorrected,
      ...(ms && { ms, confidence_ms: confidence(tally.delay)! }),
      ...(elapsed && { elapsed_ms: elapsed }),
      ...(error && { error_ms: error }),
      ...(ipdv && { ipdv_ms: ipdv, jitter_ms: toMs(jitterUs()) }),
      ...(ms && hdr && { hdr: tally.delay.encode() }),
    };
  };

  return {
    spec,
    open(source) {
      const stream = new Stream(current, () => {
        if (!open.delete(stream)) return;
        if (source !== undefined) endedLoss = addLoss(endedLoss, source());
        endedPairs += stream.pairs;
        endedJitter += stream.jitterUs * stream.pairs;
      });
      open.set(stream, source);
      return stream;
    },
    summarise(seconds, hdr = true) {
      if (past === undefined) return summaryOf(current, loss(), seconds, hdr);
      const whole = new Tally(spec.hops);
      whole.add(past);
      whole.add(current);
      return summaryOf(whole, loss(), seconds, hdr);
    },
    rotate(seconds) {
      const lost = loss();
      const summary = summaryOf(current, subtractLoss(lost, rotatedLoss), seconds, true);
      rotatedLoss = lost;
      past ??= new Tally(spec.hops);
      past.add(current);
      for (const watch of watches) watch.beforeReset();
      current.reset();
      return summary;
    },
    watch() {
      const watch = createFigureWatch(current, loss, past);
      watches.push(watch);
      return watch;
    },
    delays() {
      if (past === undefined) return current.delay;
      const whole = new Histogram(3);
      whole.add(past.delay);
      whole.add(current.delay);
      return whole;
    },
  };
}

function perSecond(amount: number, seconds: number): number {
  return seconds > 0 ? Math.round((amount / seconds) * 1000) / 1000 : 0;
}
