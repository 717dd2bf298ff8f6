/**
 * The schedule of an open loop: when messages are to be sent, whatever became of those before.
 * A slot's time never depends on when another was really sent, so a slow send shifts nothing and
 * hides nothing (coordinated omission).
 */
export interface Pacing {
  /** Time of the next slot, µs since 2020. */
  readonly nextUs: number;
  /** Takes the next slot: returns its time and moves on. */
  take(): number;
}

/**
 * Slots from `startUs` on, apart by a uniformly random time from `minUs` to `maxUs`. `random`
 * gives numbers in [0, 1).
 */
export function createPacing(options: {
  startUs: number;
  minUs: number;
  maxUs: number;
  random: () => number;
}): Pacing {
  const { minUs, maxUs, random } = options;
  let nextUs = options.startUs;
  return {
    get nextUs() {
      return nextUs;
    },
    take() {
      const slotUs = nextUs;
      nextUs += minUs + random() * (maxUs - minUs);
      return slotUs;
    },
  };
}
