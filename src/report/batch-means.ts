/**
 * Confidence intervals of figures of a series whose neighbours are alike, as delays are: an interval
 * that took the messages for independent would be far too narrow.
 *
 * The series is cut into blocks of time with about equally many messages. The figure of each block
 * scatters about that of the whole, and says how far the whole may be off: batch means (Conway
 * 1963), of quantiles by "sectioning" (Asmussen and Glynn, Stochastic Simulation, 2007, III.5a:
 * squares are taken about the figure of all messages together, so that the bias that quantiles of
 * few messages have does no harm). How long a block must be follows from the data (Fishman,
 * Grouping Observations in Digital Simulation, Management Science 24, 1978): blocks are joined in
 * pairs until neighbours are no longer correlated. What correlation is left widens the interval, as
 * for an autoregressive series of first order.
 */

export const MOST_BLOCKS = 32;
const FEWEST_BLOCKS = 8;
/** One-sided 5 %, in standard deviations: of the correlation of blocks that have none. */
const CORRELATED = 1.645;
/** Of the correlation that is left: beyond, eight blocks say nothing. */
const MOST_CORRELATION = 0.8;
/** 97.5 % of the normal distribution. */
const Z = 1.959964;

/** A figure, and where it lies with 95 % confidence. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  blocks: number;
}

export interface Batching<Bin> {
  /** In order of time. */
  bins: readonly Bin[];
  countOf: (bin: Bin) => number;
  join: (bins: readonly Bin[]) => Bin;
}

/**
 * A figure of all bins together; the interval is open on both sides where there are too few bins
 * to tell.
 */
export function estimate<Bin>(
  batching: Batching<Bin>,
  figureOf: (bin: Bin) => number,
): Estimate {
  const value = figureOf(batching.join(batching.bins));
  let blocks = blocksOf(batching, MOST_BLOCKS);
  for (;;) {
    const figures = blocks.map(figureOf);
    const correlation = correlationOf(figures);
    const isShort = blocks.length < 2 * FEWEST_BLOCKS;
    if (isShort || correlation <= CORRELATED / Math.sqrt(blocks.length)) {
      return intervalOf(value, figures, correlation);
    }
    blocks = blocksOf(batching, Math.floor(blocks.length / 2));
  }
}

/** Half the width of the interval, as a standard error and its degrees of freedom. */
export function spreadOf({ value, high, blocks }: Estimate): { error: number; degrees: number } {
  const degrees = Math.max(1, blocks - 1);
  return { error: (high - value) / studentQuantile(degrees), degrees };
}

/** The difference of two figures that were estimated from different messages (Welch 1947). */
export function difference(a: Estimate, b: Estimate): Estimate {
  const value = b.value - a.value;
  const [one, other] = [spreadOf(a), spreadOf(b)];
  const variance = one.error ** 2 + other.error ** 2;
  const blocks = Math.min(a.blocks, b.blocks);
  if (!(variance < Infinity)) return { value, low: -Infinity, high: Infinity, blocks };
  const degrees = variance === 0
    ? 1
    : variance ** 2 / (one.error ** 4 / one.degrees + other.error ** 4 / other.degrees);
  const reach = studentQuantile(degrees) * Math.sqrt(variance);
  return { value, low: value - reach, high: value + reach, blocks };
}

function intervalOf(value: number, figures: readonly number[], correlation: number): Estimate {
  const blocks = figures.length;
  if (blocks < FEWEST_BLOCKS) return { value, low: -Infinity, high: Infinity, blocks };
  const squares = figures.reduce((sum, figure) => sum + (figure - value) ** 2, 0);
  // An estimate from few blocks is too low, by more than one part in their number.
  const left = Math.min(MOST_CORRELATION, Math.max(0, correlation + 2 / blocks));
  const error = Math.sqrt(squares / (blocks - 1) / blocks * (1 + left) / (1 - left));
  const reach = studentQuantile(blocks - 1) * error;
  return { value, low: value - reach, high: value + reach, blocks };
}

/** At most so many blocks of neighbouring bins, with about equally many messages. */
export function blocksOf<Bin>({ bins, countOf, join }: Batching<Bin>, most: number): Bin[] {
  const total = bins.reduce((sum, bin) => sum + countOf(bin), 0);
  const grouped: Bin[][] = [];
  let before = 0;
  let last = -1;
  for (const bin of bins) {
    const middle = before + countOf(bin) / 2;
    before += countOf(bin);
    const block = Math.floor(middle / total * most);
    if (block !== last) grouped.push([]);
    last = block;
    grouped.at(-1)!.push(bin);
  }
  return grouped.map(join);
}

/** Of neighbours, from −1 to 1; 0 where nothing varies. */
function correlationOf(figures: readonly number[]): number {
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  let [together, squares] = [0, 0];
  for (const [index, figure] of figures.entries()) {
    squares += (figure - mean) ** 2;
    if (index > 0) together += (figure - mean) * (figures[index - 1]! - mean);
  }
  return squares > 0 ? together / squares : 0;
}

/**
 * 97.5 % of Student's distribution, by the expansion of Cornish and Fisher (Abramowitz and Stegun
 * 26.7.5): right to a thousandth from five degrees of freedom on.
 */
export function studentQuantile(degrees: number): number {
  const [z3, z5, z7, z9] = [Z ** 3, Z ** 5, Z ** 7, Z ** 9];
  return Z + (z3 + Z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * Z) / (96 * degrees ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * degrees ** 3) +
    (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * Z) / (92160 * degrees ** 4);
}
