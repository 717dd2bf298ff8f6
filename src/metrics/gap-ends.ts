/**
 * The messages at both ends of each gap in a session's sequence, for the neighbours that come late.
 * Without a gap nothing comes late, so what arrives in order never has to be remembered.
 */

/** Numbers of sequence that the newest message is ahead of one that is still known, at most. */
export const GAP_ENDS = 256;

export interface GapEnds {
  /** Takes a message's bare time, µs. */
  set(sequence: number, rawUs: number): void;
  /** NaN where it is not known, or no more. */
  get(sequence: number): number;
}

/**
 * A ring of 4 KB, made when it is needed first: a message takes the place of one that is a multiple
 * of `GAP_ENDS` older.
 *
 * @param sequence Of the first message to come: what was before it is a gap too.
 */
export function createGapEnds(sequence: number, rawUs: number): GapEnds {
  let ring: { sequences: Float64Array; rawsUs: Float64Array } | undefined;
  const placeOf = (number: number): number => number & (GAP_ENDS - 1);

  const createRing = () => {
    const sequences = new Float64Array(GAP_ENDS).fill(NaN);
    const rawsUs = new Float64Array(GAP_ENDS);
    sequences[placeOf(sequence)] = sequence;
    rawsUs[placeOf(sequence)] = rawUs;
    return { sequences, rawsUs };
  };

  return {
    set(number, numberUs) {
      ring ??= createRing();
      ring.sequences[placeOf(number)] = number;
      ring.rawsUs[placeOf(number)] = numberUs;
    },
    get(number) {
      ring ??= createRing();
      const place = placeOf(number);
      return ring.sequences[place] === number ? ring.rawsUs[place]! : NaN;
    },
  };
}
