/**
 * What two hosts' bounds on their system clocks say about the offset of their hop clocks.
 *
 * A host's wall clock W is within its bound b of UTC, and W = hop clock + anchor error + shift,
 * where the shift is what the wall clock was stepped or slewed since the anchor. For two hosts
 *     offset = hop(peer) − hop(local) = (shift(local) − shift(peer)) ± (b + anchor errors of both).
 */

/** What a host tells of its own clocks, in µs. */
export interface HostClock {
  /** Bound on wall clock − UTC; NaN where unknown. */
  boundUs: number;
  /** Bound on the error of the anchor, and of `wallShiftUs`. */
  anchorErrorUs: number;
  /** Wall clock − hop clock now. */
  wallShiftUs: number;
}

/** The offset of the hop clocks lies between these, in µs; both NaN where unknown. */
export interface SystemInterval {
  lowUs: number;
  highUs: number;
}

export const SYSTEM_UNKNOWN: SystemInterval = { lowUs: Number.NaN, highUs: Number.NaN };

/**
 * What a synchronized wall clock may gain on its own bound while no news of it come, for two hosts
 * together: 25 ppm each. Bounds themselves grow by 1 to 15 ppm.
 */
const GROWTH_RATE = 50e-6;
/** Clock frames come every two seconds or more often; without them the interval is unknown again. */
const EXPIRY_US = 30e6;

/** The interval by what both hosts tell; unknown if one of them does not know its bound. */
export function systemInterval(local: HostClock, peer: HostClock): SystemInterval {
  const middleUs = local.wallShiftUs - peer.wallShiftUs;
  const halfUs = local.boundUs + local.anchorErrorUs + peer.boundUs + peer.anchorErrorUs;
  return { lowUs: middleUs - halfUs, highUs: middleUs + halfUs };
}

/** Upper end at `nowUs` of an interval told at `setUs`; NaN where unknown. */
export function systemHighAt(interval: SystemInterval, setUs: number, nowUs: number): number {
  const ageUs = nowUs - setUs;
  return ageUs > EXPIRY_US ? Number.NaN : interval.highUs + GROWTH_RATE * ageUs;
}

/** Lower end at `nowUs` of an interval told at `setUs`; NaN where unknown. */
export function systemLowAt(interval: SystemInterval, setUs: number, nowUs: number): number {
  const ageUs = nowUs - setUs;
  return ageUs > EXPIRY_US ? Number.NaN : interval.lowUs - GROWTH_RATE * ageUs;
}
