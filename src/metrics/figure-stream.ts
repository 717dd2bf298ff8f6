/** How the messages of one session go into the distributions of a key, one by one or in runs. */

import { createGapEnds, GAP_ENDS, type GapEnds } from "./gap-ends.ts";
import { Histogram } from "./histogram.ts";

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
   * @param count Of so many messages in sequence, from `sequence` on, alike in all the rest.
   */
  record(
    sequence: number,
    bytes: number,
    rawUs: number,
    delayUs: number,
    errorUs: number,
    elapsedUs: number,
    count?: number,
  ): void;
  /** As `record`, while the offset of the clocks is unknown: counted, but without a delay. */
  recordUncorrected(sequence: number, bytes: number, rawUs: number, count?: number): void;
  /** The session ended: its loss is asked for a last time and kept. */
  close(): void;
}

/** Distributions and sums of some time. A class for its number fields, as `Histogram`. */
export class Tally {
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
export class Stream implements FigureStream {
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
    count = 1,
  ): void {
    const tally = this.#tally;
    tally.delay.record(delayUs, count);
    if (errorUs === errorUs) tally.error.record(errorUs, count);
    if (tally.elapsed !== undefined && elapsedUs === elapsedUs) {
      tally.elapsed.record(elapsedUs, count);
    }
    this.#takeRun(sequence, bytes, rawUs, count);
  }

  recordUncorrected(sequence: number, bytes: number, rawUs: number, count = 1): void {
    this.#tally.uncorrected += count;
    this.#takeRun(sequence, bytes, rawUs, count);
  }

  #takeRun(sequence: number, bytes: number, rawUs: number, count: number): void {
    this.#tally.count += count;
    this.#tally.bytes += bytes * count;
    if (sequence <= this.#sequence) {
      for (let each = 0; each < count; each++) this.#compare(sequence + each, rawUs);
      return;
    }
    this.#compare(sequence, rawUs);
    if (count > 1) this.#repeat(count - 1);
  }

  /**
   * Delay variation of neighbours in sequence (RFC 3393, with the selection function "consecutive
   * messages"), whichever of the two came first: where one was lost, there is no pair.
   */
  #compare(sequence: number, rawUs: number): void {
    if (sequence === this.#sequence + 1) this.#vary(rawUs - this.#rawUs);
    else if (sequence <= this.#sequence) return this.#fill(sequence, rawUs);
    else this.#skip(sequence, rawUs);
    this.#sequence = sequence;
    this.#rawUs = rawUs;
  }

  /** So many more follow that are alike: neighbours that differ by nothing. */
  #repeat(pairs: number): void {
    this.#tally.ipdv.record(0, pairs);
    this.jitterUs *= (15 / 16) ** pairs;
    this.pairs += pairs;
    this.#sequence += pairs;
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
