/** Sets of sequences: a bit each, in pages that exist only where there are any. */

const PAGE_BITS = 15;
const PAGE_SIZE = 2 ** PAGE_BITS;
const WORDS = PAGE_SIZE / 32;
/** A word whose bits are all set, as bitwise operators see it. */
const ALL = 0xffff_ffff;
/** A new set's page: most sessions are short. */
const FIRST_WORDS = 8;

export interface SequenceSet {
  /** Whether the sequence is new; it is in the set from now on. From 0 to 2^53 − 1. */
  add(sequence: number): boolean;
  has(sequence: number): boolean;
  readonly size: number;
  /** Smallest and largest; NaN while empty. */
  readonly first: number;
  readonly last: number;
  /** Neighbours between which sequences are missing, in ascending order. */
  gaps(): Generator<readonly [before: number, after: number]>;
  /** How many lie between the two, neither of which counts. */
  countBetween(before: number, after: number): number;
}

export function createSequenceSet(): SequenceSet {
  const pages = new Map<number, Uint32Array>();
  let page: Uint32Array = new Uint32Array(0);
  let pageNumber = -1;
  let size = 0;
  let first = NaN;
  let last = NaN;

  /** Makes the page of a sequence the current one, with room for `word`. */
  const turnTo = (wanted: number, word: number): void => {
    let found = wanted === pageNumber ? page : pages.get(wanted);
    if (found === undefined || word >= found.length) {
      const room = Math.min(WORDS, Math.max(FIRST_WORDS, 2 ** Math.ceil(Math.log2(word + 1))));
      const grown = new Uint32Array(room);
      if (found !== undefined) grown.set(found);
      pages.set(wanted, found = grown);
    }
    page = found;
    pageNumber = wanted;
  };

  return {
    add(sequence) {
      const wanted = Math.floor(sequence / PAGE_SIZE);
      const bit = sequence - wanted * PAGE_SIZE;
      const word = bit >>> 5;
      if (wanted !== pageNumber || word >= page.length) turnTo(wanted, word);
      const mask = 1 << (bit & 31);
      if ((page[word]! & mask) !== 0) return false;
      page[word]! |= mask;
      size++;
      if (!(sequence >= first)) first = sequence;
      if (!(sequence <= last)) last = sequence;
      return true;
    },
    has(sequence) {
      const wanted = Math.floor(sequence / PAGE_SIZE);
      const bit = sequence - wanted * PAGE_SIZE;
      const words = pages.get(wanted);
      const word = bit >>> 5;
      return words !== undefined && word < words.length && (words[word]! & (1 << (bit & 31))) !== 0;
    },
    get size() {
      return size;
    },
    get first() {
      return first;
    },
    get last() {
      return last;
    },
    *gaps() {
      let before = NaN;
      for (const number of inOrder(pages)) {
        const words = pages.get(number)!;
        for (let word = 0; word < words.length; word++) {
          const at = number * PAGE_SIZE + word * 32;
          const bits = words[word]!;
          if (bits === 0) continue;
          if (bits === ALL && before === at - 1) {
            before = at + 31;
            continue;
          }
          for (let bit = 0; bit < 32; bit++) {
            if ((bits & (1 << bit)) === 0) continue;
            if (at + bit - before > 1) yield [before, at + bit];
            before = at + bit;
          }
        }
      }
    },
    countBetween(before, after) {
      let between = 0;
      for (const number of inOrder(pages)) {
        const words = pages.get(number)!;
        const at = number * PAGE_SIZE;
        if (at + PAGE_SIZE <= before || at >= after) continue;
        const end = Math.min(words.length, Math.ceil((after - at) / 32));
        for (let word = Math.max(0, Math.floor((before - at) / 32)); word < end; word++) {
          if (words[word] === 0) continue;
          for (let bit = 0; bit < 32; bit++) {
            const sequence = at + word * 32 + bit;
            if ((words[word]! & (1 << bit)) === 0) continue;
            if (sequence > before && sequence < after) between++;
          }
        }
      }
      return between;
    },
  };
}

function inOrder(pages: ReadonlyMap<number, Uint32Array>): number[] {
  return [...pages.keys()].sort((a, b) => a - b);
}
