/**
 * Which messages of a session arrived: distinct ones, duplicates, and reordered ones (RFC 4737,
 * section 3.3: a message is reordered when its sequence is below one that arrived before it).
 *
 * Missing sequences are kept as ranges, so that memory follows the losses, not the messages. Only
 * the newest MAX_RANGES gaps are remembered: a message that fills an older one counts as lost and,
 * where it still comes, as a duplicate.
 */

const MAX_RANGES = 1024;

export type Arrival = "new" | "reordered" | "duplicate" | "outside";

export interface SequenceTracker {
  /**
   * Notes the arrival of `sequence`. "outside": before the first that counts here.
   *
   * @param count Of so many in a row, from `sequence` on: all of them are new, or there is but one.
   */
  accept(sequence: number, count?: number): Arrival;
  /** Sequences below `next` are known to have been sent: those that did not arrive are missing. */
  extendTo(next: number): void;
  /** First sequence that counts. */
  readonly first: number;
  /** One more than the highest sequence known. */
  readonly next: number;
  /** Distinct messages that arrived. */
  readonly received: number;
  /** Those of them whose sequence is below `end`. */
  receivedBelow(end: number): number;
  /** Distinct messages that arrived though they are from before the first. */
  readonly outside: number;
  readonly duplicates: number;
  readonly reordered: number;
}

/** Tracks sequences from `first` on: what lies before is nobody's. */
export function createSequenceTracker(first: number): SequenceTracker {
  let next = first;
  let received = 0;
  let duplicates = 0;
  let reordered = 0;
  let highest = first - 1;
  const early = new Set<number>();
  /** Missing sequences as [from, to) pairs, ascending. */
  const missing: { from: number; to: number }[] = [];

  const forgetOldest = (): void => {
    if (missing.length > MAX_RANGES) missing.shift();
  };

  const skipTo = (sequence: number): void => {
    missing.push({ from: next, to: sequence });
    forgetOldest();
    next = sequence;
  };

  const fill = (sequence: number): boolean => {
    // Late messages are mostly of the newest gaps.
    for (let i = missing.length - 1; i >= 0; i--) {
      const range = missing[i]!;
      if (sequence >= range.to) return false;
      if (sequence < range.from) continue;
      if (sequence === range.from) range.from++;
      else if (sequence === range.to - 1) range.to--;
      else {
        missing.splice(i, 0, { from: range.from, to: sequence });
        range.from = sequence + 1;
        forgetOldest();
        return true;
      }
      if (range.from === range.to) missing.splice(i, 1);
      return true;
    }
    return false;
  };

  return {
    accept(sequence, count = 1) {
      if (sequence >= next) {
        if (sequence > next) skipTo(sequence);
        next = sequence + count;
        highest = next - 1;
        received += count;
        return "new";
      }
      if (sequence < first) {
        if (early.size < MAX_RANGES) early.add(sequence);
        return "outside";
      }
      if (!fill(sequence)) {
        duplicates++;
        return "duplicate";
      }
      received++;
      if (sequence > highest) {
        // It was known of before it came, but nothing that was sent later came before it.
        highest = sequence;
        return "new";
      }
      reordered++;
      return "reordered";
    },
    extendTo(end) {
      if (end > next) skipTo(end);
    },
    first,
    get next() {
      return next;
    },
    get received() {
      return received;
    },
    receivedBelow(end) {
      if (end >= next) return received;
      // Mostly the end is near the newest: what arrived from there on is soon counted.
      let above = next - end;
      for (let i = missing.length - 1; i >= 0 && missing[i]!.to > end; i--) {
        const { from, to } = missing[i]!;
        above -= to - Math.max(from, end);
      }
      return Math.max(0, received - above);
    },
    get outside() {
      return early.size;
    },
    get duplicates() {
      return duplicates;
    },
    get reordered() {
      return reordered;
    },
  };
}
