/** What this host knows of its own wall clock; a step of it is logged when it is noticed. */
import type { Clock } from "../platform/clock.ts";
import { createClockError } from "../platform/clock-error.ts";
import type { HostClock } from "../relay/clock-system-interval.ts";
import { logger } from "./log.ts";

/** Smaller movements are the wall clock's own regulation. */
const TOLD_US = 1_000;

/**
 * Reads the wall clock against the hop clock at each call. Steps never change a hop: the hop clock
 * does not follow them.
 *
 * @param clockErrorMs `--clock-error`; without it the place is asked
 */
export function createHostClock(clock: Clock, clockErrorMs: number | undefined): () => HostClock {
  const log = logger("clock");
  const clockError = createClockError({ clockErrorMs, env: process.env, fetch, tell: log.info });
  let toldUs = 0;
  return () => {
    const wallShiftUs = clock.wallShiftUs();
    const movedUs = wallShiftUs - toldUs;
    if (Math.abs(movedUs) > TOLD_US) {
      toldUs = wallShiftUs;
      log.warn(
        "this host's wall clock was set; hops are measured by a clock that does not follow",
        {
          by_ms: Math.round(movedUs) / 1000,
        },
      );
    }
    return { boundUs: clockError.boundUs(), wallShiftUs, anchorErrorUs: clock.wallShiftErrorUs() };
  };
}
