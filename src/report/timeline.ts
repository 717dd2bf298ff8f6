/**
 * What happened when, in a bounded number of bins whose width follows from how long the records
 * last: it doubles whenever there are too many.
 */

/** Of all series together. */
const MOST_BINS_TOGETHER = 65_536;

/** Bins of one kind of figure. All series of a timeline have bins of equal width. */
export interface Series<Bin> {
  /** The bin of a time, made where there is none. Do not keep it: bins merge. */
  at(timeUs: number): Bin;
  /** By their numbers; a bin lasts from its number times the width on. */
  readonly bins: ReadonlyMap<number, Bin>;
}

export interface Timeline {
  readonly widthUs: number;
  /** Bins are at least so wide from now on. */
  widen(leastUs: number): void;
  /** @param merge adds the second bin to the first */
  createSeries<Bin>(create: () => Bin, merge: (into: Bin, from: Bin) => void): Series<Bin>;
}

/**
 * @param firstWidthUs of a bin, as long as there are few
 * @param mostBins of one series
 */
export function createTimeline(firstWidthUs: number, mostBins: number): Timeline {
  let widthUs = firstWidthUs;
  let count = 0;
  const halvings: (() => number)[] = [];

  const double = (): void => {
    widthUs *= 2;
    count = halvings.reduce((sum, halve) => sum + halve(), 0);
  };

  return {
    get widthUs() {
      return widthUs;
    },
    widen(leastUs) {
      while (widthUs < leastUs) double();
    },
    createSeries<Bin>(create: () => Bin, merge: (into: Bin, from: Bin) => void): Series<Bin> {
      let bins = new Map<number, Bin>();
      let lowest = Infinity;
      let highest = -Infinity;
      let lastNumber = NaN;
      let last: Bin | undefined;

      halvings.push(() => {
        const halved = new Map<number, Bin>();
        for (const [number, bin] of bins) {
          const half = Math.floor(number / 2);
          const other = halved.get(half);
          if (other === undefined) halved.set(half, bin);
          else merge(other, bin);
        }
        bins = halved;
        lowest = Math.floor(lowest / 2);
        highest = Math.floor(highest / 2);
        lastNumber = NaN;
        return bins.size;
      });

      return {
        at(timeUs) {
          const number = Math.floor(timeUs / widthUs);
          if (number === lastNumber) return last!;
          let bin = bins.get(number);
          if (bin === undefined) {
            bins.set(number, bin = create());
            count++;
            lowest = Math.min(lowest, number);
            highest = Math.max(highest, number);
            // Two bins for each of very many series are about as few as there can be.
            const most = Math.max(MOST_BINS_TOGETHER, 2 * halvings.length);
            if (highest - lowest >= mostBins || count > most) {
              do double(); while (highest - lowest >= mostBins);
              return this.at(timeUs);
            }
          }
          lastNumber = number;
          last = bin;
          return bin;
        },
        get bins() {
          return bins;
        },
      };
    },
  };
}
