/** Where the messages of one slot, on two routes, find one another. */

/** Messages that wait together for their partners, in each of two generations. */
const MOST_WAITING = 65_536;

/** One message's times in ms and µs; `ms` is NaN where unknown. */
export interface Waiting {
  side: 0 | 1;
  ms: number;
  rawMs: number;
  receivedUs: number;
}

/** A place where messages meet by number: their slot, or their sequence. */
export type Meeting = (number: number, message: Waiting) => Waiting | undefined;

export interface MeetingPlaces {
  /** The place of a name; messages at different places never meet. */
  placeOf(name: string): Meeting;
  /** Messages that were given up: their partner did not come in time. */
  readonly forgotten: number;
}

/**
 * Records of one slot stand near one another, as they were written together; those whose partner
 * does not come among the next many are given up, the oldest first, so that memory stays bounded.
 */
export function createMeetingPlaces(): MeetingPlaces {
  let young = new Map<string, Map<number, Waiting>>();
  let old: typeof young = new Map();
  let youngCount = 0;
  let forgotten = 0;
  let generation = 0;

  const age = (): void => {
    for (const waiting of old.values()) forgotten += waiting.size;
    old = young;
    young = new Map();
    youngCount = 0;
    generation++;
  };

  return {
    placeOf(name) {
      let current: Map<number, Waiting> | undefined;
      let before: Map<number, Waiting> | undefined;
      let known = -1;
      return (number, message) => {
        if (known !== generation || current === undefined) {
          current = young.get(name);
          if (current === undefined) young.set(name, current = new Map());
          before = old.get(name);
          known = generation;
        }
        const place = current.has(number) ? current : before;
        const partner = place?.get(number);
        if (partner !== undefined) {
          if (partner.side === message.side) return undefined;
          place!.delete(number);
          return partner;
        }
        current.set(number, message);
        if (++youngCount >= MOST_WAITING) age();
        return undefined;
      };
    },
    get forgotten() {
      return forgotten;
    },
  };
}
