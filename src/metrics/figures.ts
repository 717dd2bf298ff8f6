/**
 * The figures of one hop or path on one route, message by message: what tables, summary records
 * and `--json` print of it.
 *
 * Who meters opens a stream for each session that messages come from, since only the messages of
 * one session have neighbours. All streams of a key feed the same distributions, so that several
 * sessions of one name aggregate.
 */

import { boundFigures, confidence, delayFigures, toMs } from "./delays.ts";
import { createFigureWatch, type FigureWatch } from "./figure-watch.ts";
import { createGapEnds, GAP_ENDS, type GapEnds } from "./gap-ends.ts";
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

/** The messages of one origin session, on their way into figures. */
export interface FigureStream {
  /**
   * Takes in a message. Leave out warm-up and duplicates.
   *
   * @param sequence The message's, in its origin's session.
   * @param bytes Length of its payload.
   * @param rawUs Bare difference of the clocks (a path's: sum over its hops). Finite; may be off by
   *   any constant, as only differences of neighbours count.
   * @param delayUs Corrected one-way delay. Finite, may be below zero.
   * @param errorUs Bound on its error; NaN if unknown.
   * @param elapsedUs Last received − first sent; NaN for a single hop, or if unknown.
   */
  record(
    sequence: number,
    bytes: number,
    rawUs: number,
    delayUs: number,
    errorUs: number,
    elapsedUs: number,
  ): void;
  /** As `record`, while the offset of the clocks is unknown: counted, but without a delay. */
  recordUncorrected(sequence: number, bytes: number, rawUs: number): void;
  /** The session ended: its loss is asked for a last time and kept. */
  close(): void;
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

/** Distributions and sums of some time. A class for its number fields, as `Histogram`. */
class Tally {
  count = 0;
  bytes = 0;
  uncorrected = 0;
  readonly delay = new Histogram(3);
  readonly elapsed: Histogram | undefined;
  readonly error = new Histogram(2);
  readonly ipdv = new Histogram(2);

  constructor(hops: number) {
    this.elapsed = hops > 1 ? new Histogram(3) : undefined;
  }

  add(other: Tally): void {
    this.count += other.count;
    this.bytes += other.bytes;
    this.uncorrected += other.uncorrected;
    this.delay.add(other.delay);
    if (this.elapsed && other.elapsed) this.elapsed.add(other.elapsed);
    this.error.add(other.error);
    this.ipdv.add(other.ipdv);
  }

  reset(): void {
    this.count = 0;
    this.bytes = 0;
    this.uncorrected = 0;
    this.delay.reset();
    this.elapsed?.reset();
    this.error.reset();
    this.ipdv.reset();
  }
}

/** A class for its number fields: a closure would allocate one at each change. */
class Stream implements FigureStream {
  readonly #tally: Tally;
  readonly close: () => void;
  #sequence = NaN;
  #rawUs = NaN;
  #ends: GapEnds | undefined;
  /** RFC 3550, section 6.4.1: J += (|D| − J) / 16, by neighbours in sequence as they pair up. */
  jitterUs = 0;
  /** Neighbours that were compared. */
  pairs = 0;

  constructor(tally: Tally, close: () => void) {
    this.#tally = tally;
    this.close = close;
  }

  record(
    sequence: number,
    bytes: number,
    rawUs: number,
    delayUs: number,
    errorUs: number,
    elapsedUs: number,
  ): void {
    const tally = this.#tally;
    tally.delay.record(delayUs);
    if (errorUs === errorUs) tally.error.record(errorUs);
    if (tally.elapsed !== undefined && elapsedUs === elapsedUs) tally.elapsed.record(elapsedUs);
    this.#compare(sequence, bytes, rawUs);
  }

  recordUncorrected(sequence: number, bytes: number, rawUs: number): void {
    this.#tally.uncorrected++;
    this.#compare(sequence, bytes, rawUs);
  }

  /**
   * Delay variation of neighbours in sequence (RFC 3393, with the selection function "consecutive
   * messages"), whichever of the two came first: where one was lost, there is no pair.
   */
  #compare(sequence: number, bytes: number, rawUs: number): void {
    this.#tally.count++;
    this.#tally.bytes += bytes;
    if (sequence === this.#sequence + 1) this.#vary(rawUs - this.#rawUs);
    else if (sequence <= this.#sequence) return this.#fill(sequence, rawUs);
    else this.#skip(sequence, rawUs);
    this.#sequence = sequence;
    this.#rawUs = rawUs;
  }

  #vary(differenceUs: number): void {
    const variationUs = Math.abs(differenceUs);
    this.#tally.ipdv.record(variationUs);
    this.jitterUs += (variationUs - this.jitterUs) / 16;
    this.pairs++;
  }

  /** Begins, or leaves a gap: what comes late into it will ask for the messages at its two ends. */
  #skip(sequence: number, rawUs: number): void {
    if (this.#ends === undefined) this.#ends = createGapEnds(sequence, rawUs);
    else {
      this.#ends.set(this.#sequence, this.#rawUs);
      this.#ends.set(sequence, rawUs);
    }
  }

  /** Came late: is compared with both neighbours, as far as they have come. */
  #fill(sequence: number, rawUs: number): void {
    if (this.#sequence - sequence >= GAP_ENDS) return;
    const ends = this.#ends!;
    const [beforeUs, afterUs] = [ends.get(sequence - 1), ends.get(sequence + 1)];
    if (beforeUs === beforeUs) this.#vary(rawUs - beforeUs);
    if (afterUs === afterUs) this.#vary(afterUs - rawUs);
    ends.set(sequence, rawUs);
  }
}

function perSecond(amount: number, seconds: number): number {
  return seconds > 0 ? Math.round((amount / seconds) * 1000) / 1000 : 0;
}
