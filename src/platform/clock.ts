/**
 * The hop clock: a monotonic clock that was anchored to the wall clock once, at start.
 *
 * `Date.now()` shows whole milliseconds only, but each reading of it between two monotonic readings
 * proves something finer: at some moment between `before` and `after` the wall clock was in
 * `[shown, shown + 1 ms)`, so (wall − monotonic) lies in `[shown − after, shown + 1 ms − before]`.
 * Readings in quick succession catch ticks, and the intersection of what they prove shrinks below a
 * microsecond within a few ticks. The middle of that intersection is the anchor, half its width is
 * the anchor's error. The same proofs, one with each later reading, tell how far the wall clock has
 * moved since: at a random phase each one is worth up to a millisecond, but as they accumulate the
 * shift is known ever more sharply, without waiting for a tick.
 */
import { fromUnixMs } from "../relay/time.ts";

/** Where the time comes from; tests hand in their own. */
export interface ClockSources {
  /** Monotonic milliseconds with their fraction, from any origin: `performance.now()`. */
  monotonicMs: () => number;
  /** Unix milliseconds, rounded down to whole ones: `Date.now()`. */
  wallMs: () => number;
}

/** A clock for the times of hops, and what is known of its relation to the wall clock. */
export interface Clock {
  /** Microseconds since 2020 (see `time.ts`), never going back, blind to steps of the wall clock. */
  nowUs: () => number;
  /** The hop clock was at most this far from the wall clock when it was anchored, in µs. */
  anchorErrorUs: number;
  /**
   * How far the wall clock has been stepped or slewed since the anchor: wall clock − hop clock, in
   * µs. Exactly 0 while nothing disproves that it stood still. Takes one reading of both clocks, so
   * it gets sharper with each call; call it for each clock frame.
   */
  wallShiftUs(): number;
  /** Bound on the error of the last `wallShiftUs()`: the anchor's error until a first shift. */
  wallShiftErrorUs(): number;
}

/** Width of the bracket around (wall − monotonic) at which anchoring ends. */
const TARGET_BRACKET_US = 0.3;
/**
 * Anchoring takes what it has reached after so long on the processor, in which many ticks of the wall
 * clock lie, or after so long altogether.
 */
const ANCHOR_LIMIT_MS = 30;
const ANCHOR_WAIT_MS = 300;
/** Two readings that lie further apart were interrupted: more of the time went to others. */
const READING_MS = 0.05;
/** One tick of `Date.now()`. */
const TICK_US = 1000;
/** Rounding of an f64 of microseconds since 2020 and of both clocks' own steps, as slack. */
const READING_ERROR_US = 0.25;
/**
 * Rate at which a moving wall clock is followed. Linux keeps both clocks on one rate and the wall
 * clock only ever steps against the monotonic one; elsewhere it is slewed, by up to 500 ppm.
 */
const SLEW_LIMIT = 500e-6;
/** A second movement within this time is no step but a slew. */
const SLEW_MEMORY_US = 60e6;

/** A proven interval of (wall clock − some monotonic clock), in µs. */
interface Bracket {
  lowUs: number;
  highUs: number;
}

/**
 * Anchors a clock to the wall clock. Blocks for a few milliseconds, for 30 at most where it has the
 * processor to itself and 300 where it has not, and then takes the best bracket that it has:
 * `anchorErrorUs` says what was reached.
 */
export function createClock(sources: ClockSources = systemSources()): Clock {
  const { monotonicMs, wallMs } = sources;
  const anchored = anchor(sources);
  const anchorUs = (anchored.lowUs + anchored.highUs) / 2;
  const anchorErrorUs = (anchored.highUs - anchored.lowUs) / 2;
  const nowUs = () => anchorUs + monotonicMs() * 1000;

  // What is proven of (wall − hop clock) at `provenAtUs`.
  const proven: Bracket = { lowUs: -anchorErrorUs, highUs: anchorErrorUs };
  let provenAtUs = nowUs();
  let movedAtUs = Number.NEGATIVE_INFINITY;
  let slewing = false;

  function wallShiftUs(): number {
    const beforeUs = nowUs();
    const shownUs = fromUnixMs(wallMs());
    const afterUs = nowUs();
    const sampleLowUs = shownUs - afterUs - READING_ERROR_US;
    const sampleHighUs = shownUs + TICK_US - beforeUs + READING_ERROR_US;

    const wideningUs = slewing ? SLEW_LIMIT * (afterUs - provenAtUs) : 0;
    proven.lowUs = Math.max(proven.lowUs - wideningUs, sampleLowUs);
    proven.highUs = Math.min(proven.highUs + wideningUs, sampleHighUs);
    provenAtUs = afterUs;
    if (proven.lowUs > proven.highUs) {
      slewing ||= afterUs - movedAtUs < SLEW_MEMORY_US;
      movedAtUs = afterUs;
      proven.lowUs = sampleLowUs;
      proven.highUs = sampleHighUs;
    }
    return shiftUs(proven);
  }

  function wallShiftErrorUs(): number {
    const shift = shiftUs(proven);
    return Math.max(proven.highUs - shift, shift - proven.lowUs);
  }

  return { nowUs, anchorErrorUs, wallShiftUs, wallShiftErrorUs };
}

/** Standing still is the rule and a shift the exception: what does not disprove 0 is 0. */
function shiftUs({ lowUs, highUs }: Bracket): number {
  return lowUs <= 0 && highUs >= 0 ? 0 : (lowUs + highUs) / 2;
}

function anchor({ monotonicMs, wallMs }: ClockSources): Bracket {
  const bracket: Bracket = { lowUs: Number.NEGATIVE_INFINITY, highUs: Number.POSITIVE_INFINITY };
  let beforeMs = monotonicMs();
  const limitMs = beforeMs + ANCHOR_WAIT_MS;
  let spentMs = 0;
  do {
    const shownUs = fromUnixMs(wallMs());
    const afterMs = monotonicMs();
    const sampleLowUs = shownUs - afterMs * 1000;
    const sampleHighUs = shownUs + TICK_US - beforeMs * 1000;
    if (sampleLowUs > bracket.highUs || sampleHighUs < bracket.lowUs) {
      // The wall clock was stepped meanwhile: what was proven before no longer holds.
      bracket.lowUs = sampleLowUs;
      bracket.highUs = sampleHighUs;
    } else {
      bracket.lowUs = Math.max(bracket.lowUs, sampleLowUs);
      bracket.highUs = Math.min(bracket.highUs, sampleHighUs);
    }
    spentMs += Math.min(afterMs - beforeMs, READING_MS);
    beforeMs = afterMs;
  } while (
    bracket.highUs - bracket.lowUs > TARGET_BRACKET_US && spentMs < ANCHOR_LIMIT_MS &&
    beforeMs < limitMs
  );
  return bracket;
}

function systemSources(): ClockSources {
  return { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
}
