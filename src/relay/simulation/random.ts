/** Random numbers that a seed determines, for simulated worlds. */
export interface Random {
  /** Evenly distributed in [0, 1). */
  next(): number;
  /** Evenly distributed in [low, high). */
  between(low: number, high: number): number;
  /** Exponentially distributed with this mean: how queues delay. */
  exponential(mean: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
}

/** Numbers from a 32-bit seed, by a Weyl sequence and a mixing of its bits (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    exponential: (mean) => -mean * Math.log(1 - next()),
    chance: (probability) => next() < probability,
  };
}
