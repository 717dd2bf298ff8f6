import type { World } from "./world.ts";

/** The monotonic hop clock of a simulated process, with its faults. */
export interface SimClock {
  /** What the process reads, in µs; rounded as an f64 of µs since 2020 is. */
  nowUs(): number;
  /** The reading at another true time, as far as the present rate tells. */
  readingAt(trueUs: number): number;
  /** The true time at which the clock will read this, as far as the present rate tells. */
  trueTimeOf(readingUs: number): number;
  /** Jumps ahead, as in a guest that was resumed; a monotonic clock never goes back. */
  step(byUs: number): void;
  /** Runs this much faster than true time from now on; a slew, or another temperature. */
  setDriftPpm(ppm: number): void;
}

/** 2025-06-01 in µs since 2020, so that readings have the size and the rounding of real ones. */
const WORLD_BEGIN_US = 170_812_800e6;

/** A clock that is `offsetUs` ahead of true time as the world begins. */
export function createSimClock(
  world: World,
  { offsetUs = 0, driftPpm = 0 }: { offsetUs?: number; driftPpm?: number } = {},
): SimClock {
  // The reading is a line through (sinceUs, readUs).
  let sinceUs = world.trueUs;
  let readUs = WORLD_BEGIN_US + offsetUs + sinceUs;
  let rate = 1 + driftPpm / 1e6;

  const readingAt = (trueUs: number) => readUs + (trueUs - sinceUs) * rate;

  function bendHere(): void {
    readUs = readingAt(world.trueUs);
    sinceUs = world.trueUs;
  }

  return {
    nowUs: () => readingAt(world.trueUs),
    readingAt,
    trueTimeOf: (readingUs) => sinceUs + (readingUs - readUs) / rate,
    step(byUs) {
      if (byUs < 0) throw new RangeError(`A monotonic clock cannot go back by ${-byUs} µs`);
      bendHere();
      readUs += byUs;
    },
    setDriftPpm(ppm) {
      bendHere();
      rate = 1 + ppm / 1e6;
    },
  };
}
