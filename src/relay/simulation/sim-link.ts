import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** One direction of a simulated network way. All times in µs of true time. */
export interface LinkOptions {
  /** Least delay. */
  delayUs: number;
  /** Mean of the exponentially distributed queueing on top. */
  jitterUs?: number;
  /** Times of congestion, in which a queue builds up to `peakUs` and drains again. */
  congestion?: { everyUs: number; lastsUs: number; peakUs: number };
  /** Share of the payloads that the network loses. */
  loss?: number;
  /** Share of the payloads that arrive a second time, after one more jitter. Datagrams only. */
  duplication?: number;
  /**
   * `stream` delivers everything in order: a lost payload arrives `retransmitUs` later, and those
   * after it wait. `datagram` loses, duplicates, and lets jitter reorder.
   */
  delivery: "stream" | "datagram";
  retransmitUs?: number;
}

/** One direction of a connection: what is sent comes out at `deliver`, once, never or twice. */
export interface SimLink<T> {
  send(payload: T): void;
  /** Nothing more comes out, what is under way included. */
  cut(): void;
  /** From now on the way is another one. */
  change(options: Partial<LinkOptions>): void;
}

/**
 * A link of a world. Byte payloads are copied for each delivery, since receivers stamp in place.
 * Congestion begins at a random phase.
 */
export function createSimLink<T>(
  world: World,
  random: Random,
  initial: LinkOptions,
  deliver: (payload: T) => void,
): SimLink<T> {
  let options = initial;
  let lastArrivalUs = Number.NEGATIVE_INFINITY;
  let isCut = false;
  const phase = random.next();

  function congestionUs(): number {
    if (!options.congestion) return 0;
    const { everyUs, lastsUs, peakUs } = options.congestion;
    const sinceUs = (world.trueUs + phase * everyUs) % everyUs;
    return sinceUs < lastsUs ? peakUs * (1 - Math.abs(2 * sinceUs / lastsUs - 1)) : 0;
  }

  function deliverAfter(delayUs: number, payload: T): void {
    const copy = payload instanceof Uint8Array ? payload.slice() as T : payload;
    let arrivalUs = world.trueUs + delayUs;
    if (options.delivery === "stream") {
      arrivalUs = Math.max(arrivalUs, lastArrivalUs);
      lastArrivalUs = arrivalUs;
    }
    world.at(arrivalUs, () => {
      if (!isCut) deliver(copy);
    });
  }

  function delayUs(): number {
    return options.delayUs + congestionUs() + random.exponential(options.jitterUs ?? 0);
  }

  return {
    send(payload) {
      const lost = random.chance(options.loss ?? 0);
      if (options.delivery === "stream") {
        deliverAfter(delayUs() + (lost ? options.retransmitUs ?? 200e3 : 0), payload);
        return;
      }
      if (lost) return;
      deliverAfter(delayUs(), payload);
      if (random.chance(options.duplication ?? 0)) {
        deliverAfter(delayUs() + random.exponential(options.jitterUs ?? 0), payload);
      }
    },
    cut() {
      isCut = true;
    },
    change(changed) {
      options = { ...options, ...changed };
    },
  };
}
