/**
 * Times on the wire and in the core: an f64 of microseconds since 2020-01-01T00:00:00Z.
 *
 * The later epoch keeps the steps of an f64 at or below 0.0625 µs until 2037 (Unix time in
 * microseconds would already step by 0.25 µs).
 */

/** 2020-01-01T00:00:00Z in Unix milliseconds. */
export const EPOCH_UNIX_MS = 1_577_836_800_000;

/**
 * Times beyond this (the year 2336, or 1703) are nobody's: a peer that sends one breaks the rules.
 * Sums and differences of what is below stay far from where an f64 or f32 overflows.
 */
export const MAX_TIME_US = 1e16;

/** A reading of the hop clock: microseconds since 2020-01-01 UTC. */
export type NowUs = () => number;

/** Unix milliseconds (as from `Date.now()`) as microseconds since 2020. */
export function fromUnixMs(unixMs: number): number {
  return (unixMs - EPOCH_UNIX_MS) * 1000;
}

/** Microseconds since 2020 as Unix milliseconds (with their fraction). */
export function toUnixMs(timeUs: number): number {
  return timeUs / 1000 + EPOCH_UNIX_MS;
}

/** ISO 8601 in UTC with microseconds, e.g. `2026-03-01T12:00:00.123456Z`. */
export function toIso(timeUs: number): string {
  const wholeUs = Math.floor(timeUs);
  const micros = ((wholeUs % 1000) + 1000) % 1000;
  const iso = new Date(EPOCH_UNIX_MS + (wholeUs - micros) / 1000).toISOString();
  return `${iso.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}
