/**
 * HdrHistogram of delays: what is recorded several times a message, so nothing here allocates but
 * the first value in a range that was never seen before.
 *
 * Written here instead of taken from a library because one histogram per key and figure must be
 * small (counters exist only for ranges that have values), must take negative values, and must
 * give exact extremes and moments.
 *
 * Layout of the counters, as HdrHistogram defines it, for a precision of `half` steps an octave
 * (1024 for three digits, 128 for two), values in units of 0.1 µs:
 *
 *     value        0 … 2·half−1 | 2·half … 4·half−1 | 4·half … 8·half−1 | …
 *     step (units)            1 |                 2 |                 4 | …
 *     index        0 … 2·half−1 | 2·half … 3·half−1 | 3·half … 4·half−1 | …
 *
 * so that a value's step is `2^shift` and its index `shift·half + floor(value / 2^shift)`. The
 * indices are cut into pages of 32 counters, which are allocated when first touched.
 */

import { encodeCounts } from "./histogram-encoding.ts";

const UNITS_PER_US = 10;

/** Larger values count as this in the buckets (2^40 units of 0.1 µs: 30.5 hours). */
export const LARGEST_US = (2 ** 40 - 1) / UNITS_PER_US;

const LARGEST_UNITS = 2 ** 40 - 1;
const PAGE_BITS = 5;
const PAGE_SIZE = 1 << PAGE_BITS;
const UINT32_MAX = 0xffff_ffff;
const NO_PAGES = new Uint16Array(0);
const NO_COUNTS = new Uint32Array(0);

/** Significant decimal digits that a bucket keeps. */
export type Digits = 2 | 3;

/** A class, not a closure: a key has four of these, and fields take an f64 without allocation. */
export class Histogram {
  readonly digits: Digits;
  readonly #halfBits: number;
  /** Per page of indices: 0 if it has no counters yet, else 1 + its place among the counters. */
  #pages: Uint16Array = NO_PAGES;
  #pagesUsed = 0;
  #counts: Uint32Array | Float64Array = NO_COUNTS;

  #count = 0;
  #negative = 0;
  #min = Infinity;
  #max = -Infinity;
  #mean = 0;
  /** Sum of squared distances from the mean (Welford 1962). */
  #squares = 0;
  /**
   * The newest value, and how many times in a row it came: not among the counters yet. Messages
   * that travelled together have equal delays, so floods mostly repeat the value before.
   */
  #runUs = NaN;
  #run = 0;

  /** @param digits Precision of the percentiles: a step is at most 1/1000 or 1/100 of its value. */
  constructor(digits: Digits) {
    this.digits = digits;
    this.#halfBits = digits === 3 ? 10 : 7;
  }

  /** Values recorded. */
  get count(): number {
    return this.#count + this.#run;
  }

  /** How many of them were below zero; the buckets hold them as 0. */
  get negative(): number {
    this.#endRun();
    return this.#negative;
  }

  /** Exact smallest value in µs; NaN while empty. */
  get min(): number {
    this.#endRun();
    return this.#count === 0 ? NaN : this.#min;
  }

  /** Exact largest value in µs; NaN while empty. */
  get max(): number {
    this.#endRun();
    return this.#count === 0 ? NaN : this.#max;
  }

  /** Exact mean in µs; NaN while empty. */
  get mean(): number {
    this.#endRun();
    return this.#count === 0 ? NaN : this.#mean;
  }

  /** Exact standard deviation of the values (not of a sample of them) in µs; NaN while empty. */
  get stddev(): number {
    this.#endRun();
    return this.#count === 0 ? NaN : Math.sqrt(this.#squares / this.#count);
  }

  /**
   * Takes a value in.
   *
   * @param valueUs Microseconds, finite. Below zero counts as 0 in the buckets, beyond
   *   `LARGEST_US` as that; the extremes and moments take it as it is.
   * @param count How many times; a whole number from 1.
   * @throws RangeError if the value is not finite: it would poison mean and deviation for good.
   */
  record(valueUs: number, count = 1): void {
    if (valueUs === this.#runUs) {
      this.#run += count;
      return;
    }
    if (valueUs - valueUs !== 0) throw new RangeError(`not a finite delay: ${valueUs}`);
    if (this.#run > 0) this.#endRun();
    this.#runUs = valueUs;
    this.#run = count;
  }

  /** Takes the newest value into the counters. */
  #endRun(): void {
    const count = this.#run;
    if (count === 0) return;
    const valueUs = this.#runUs;
    this.#run = 0;
    const total = this.#count + count;
    if (total > UINT32_MAX && this.#counts instanceof Uint32Array) this.#widen();
    this.#count = total;
    const distance = valueUs - this.#mean;
    this.#mean += (distance * count) / total;
    this.#squares += distance * count * (valueUs - this.#mean);
    if (valueUs < this.#min) this.#min = valueUs;
    if (valueUs > this.#max) this.#max = valueUs;
    if (valueUs < 0) this.#negative += count;

    const index = this.#indexOf(valueUs);
    const page = index >>> PAGE_BITS;
    let place = page < this.#pages.length ? this.#pages[page]! : 0;
    if (place === 0) place = this.#allocate(page);
    this.#counts[((place - 1) << PAGE_BITS) | (index & (PAGE_SIZE - 1))]! += count;
  }

  /**
   * Value below or at which the share `quantile` of all values lies, by nearest rank, in µs.
   *
   * Within half a bucket's step of the exact one: 0.05 % with three digits, 0.5 % with two, and
   * never closer than 0.05 µs. The ranks of the smallest and the largest value give those exactly.
   * NaN while empty.
   */
  percentile(quantile: number): number {
    return this.percentiles([quantile])[0]!;
  }

  /** As `percentile`, of several shares in ascending order, in one pass. */
  percentiles(quantiles: readonly number[]): number[] {
    return this.atRanks(quantiles.map((quantile) => nearestRank(quantile, this.count)));
  }

  /** Values of ranks in ascending order; the smallest value has rank 1, the largest `count`. */
  atRanks(ranks: readonly number[]): number[] {
    this.#endRun();
    const values: number[] = [];
    let seen = 0;
    for (let page = 0; page < this.#pages.length && values.length < ranks.length; page++) {
      const place = this.#pages[page]!;
      if (place === 0) continue;
      const start = (place - 1) << PAGE_BITS;
      for (let i = 0; i < PAGE_SIZE; i++) {
        seen += this.#counts[start + i]!;
        while (values.length < ranks.length && ranks[values.length]! <= seen) {
          values.push(this.#valueAt(ranks[values.length]!, (page << PAGE_BITS) + i));
        }
      }
    }
    while (values.length < ranks.length) values.push(this.max);
    return values;
  }

  /** Takes in all that another histogram of the same digits holds. */
  add(other: Histogram): void {
    if (other.digits !== this.digits) throw new RangeError("histograms differ in digits");
    this.#endRun();
    other.#endRun();
    if (other.#count === 0) return;
    const total = this.#count + other.#count;
    if (total > UINT32_MAX && this.#counts instanceof Uint32Array) this.#widen();
    // Chan, Golub, LeVeque 1979: moments of two sets from the moments of each.
    const distance = other.#mean - this.#mean;
    this.#squares += other.#squares +
      distance * distance * ((this.#count * other.#count) / total);
    this.#mean += distance * (other.#count / total);
    this.#count = total;
    this.#negative += other.#negative;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    if (this.#pagesUsed === 0) {
      this.#pages = other.#pages.slice();
      this.#pagesUsed = other.#pagesUsed;
      this.#counts = other.#counts.slice();
      return;
    }
    for (let page = 0; page < other.#pages.length; page++) {
      const theirs = other.#pages[page]!;
      if (theirs === 0) continue;
      let place = page < this.#pages.length ? this.#pages[page]! : 0;
      if (place === 0) place = this.#allocate(page);
      const from = (theirs - 1) << PAGE_BITS;
      const to = (place - 1) << PAGE_BITS;
      for (let i = 0; i < PAGE_SIZE; i++) this.#counts[to + i]! += other.#counts[from + i]!;
    }
  }

  /**
   * Calls `each` with every bucket that has values, in ascending order: its middle in µs, how many,
   * and its place, which stays the same for the life of this histogram.
   */
  eachBucket(each: (valueUs: number, count: number, place: number) => void): void {
    this.#endRun();
    for (let page = 0; page < this.#pages.length; page++) {
      const place = this.#pages[page]!;
      if (place === 0) continue;
      const start = (place - 1) << PAGE_BITS;
      for (let i = 0; i < PAGE_SIZE; i++) {
        const count = this.#counts[start + i]!;
        if (count > 0) each(this.#middleOf((page << PAGE_BITS) + i), count, start + i);
      }
    }
  }

  /** Forgets all values; keeps the memory, as what comes next is likely to be alike. */
  reset(): void {
    this.#run = 0;
    this.#counts.fill(0);
    this.#count = 0;
    this.#negative = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
    this.#mean = 0;
    this.#squares = 0;
  }

  /**
   * Base64 of the compressed V2 format that other HdrHistogram tools read, in units of 0.1 µs.
   * Values below zero stand in it as 0.
   */
  encode(): string {
    this.#endRun();
    // The top of the octave that has the largest value, or of the first two.
    const largestUnits = Math.min(Math.max(1, this.#max * UNITS_PER_US + 0.5), LARGEST_UNITS);
    const bits = Math.max(this.#halfBits + 1, Math.floor(Math.log2(largestUnits)) + 1);
    return encodeCounts({
      digits: this.digits,
      highestUnits: 2 ** bits - 1,
      pageSize: PAGE_SIZE,
      pages: this.#pages.length,
      page: (page) => {
        const place = this.#pages[page]!;
        return place === 0
          ? undefined
          : this.#counts.subarray((place - 1) << PAGE_BITS, place << PAGE_BITS);
      },
    });
  }

  #indexOf(valueUs: number): number {
    let units = valueUs * UNITS_PER_US + 0.5;
    if (!(units >= 1)) return 0;
    const halfBits = this.#halfBits;
    if (units < 0x8000_0000) {
      const whole = units | 0;
      const shift = 31 - halfBits - Math.clz32(whole | ((2 << halfBits) - 1));
      return (shift << halfBits) + (whole >>> shift);
    }
    // Beyond what `clz32` and shifts reach: 3.6 minutes.
    if (units > LARGEST_UNITS) units = LARGEST_UNITS;
    const shift = 47 - halfBits - Math.clz32(units / 65_536);
    return (shift << halfBits) + Math.floor(units / 2 ** shift);
  }

  /** Value of a rank that lies in the bucket `index`: its middle, unless it is known exactly. */
  #valueAt(rank: number, index: number): number {
    if (rank >= this.#count) return this.#max;
    if (rank === 1) return Math.max(0, this.#min);
    return Math.min(Math.max(this.#middleOf(index), this.#min), this.#max);
  }

  #middleOf(index: number): number {
    const shift = Math.max(0, (index >>> this.#halfBits) - 1);
    const lowestUnits = (index - (shift << this.#halfBits)) * 2 ** shift;
    return (lowestUnits + (2 ** shift - 1) / 2) / UNITS_PER_US;
  }

  /** Gives a page its counters and returns its place. */
  #allocate(page: number): number {
    if (page >= this.#pages.length) {
      const pages = new Uint16Array(page + 1);
      pages.set(this.#pages);
      this.#pages = pages;
    }
    if (this.#pagesUsed << PAGE_BITS === this.#counts.length) {
      const room = this.#pagesUsed + Math.max(2, this.#pagesUsed >>> 1);
      const length = room << PAGE_BITS;
      const counts = this.#counts instanceof Uint32Array
        ? new Uint32Array(length)
        : new Float64Array(length);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#pagesUsed++;
    this.#pages[page] = this.#pagesUsed;
    return this.#pagesUsed;
  }

  /** A flood fills 32 bits in two hours. */
  #widen(): void {
    this.#counts = Float64Array.from(this.#counts);
  }
}

/** Rank, from 1, of the value that the share `quantile` of `count` values does not exceed. */
export function nearestRank(quantile: number, count: number): number {
  // The product of e.g. 0.07 and 100 lies just above 7: without the slack it would be rank 8.
  return Math.min(count, Math.max(1, Math.ceil(quantile * count * (1 - 2 ** -50))));
}
