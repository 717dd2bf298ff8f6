/** What the clock estimator notices, as log lines. */
import type { ClockEvent } from "../relay/clock-estimator.ts";
import { logger } from "./log.ts";

const log = logger("clock");

/** `peer` is the name of the other end. */
export function logClockEvent(event: ClockEvent, peer: string): void {
  switch (event.kind) {
    case "stepped":
      log.warn(`a clock stepped, here or at ${peer}: it is read anew`, {
        by_ms: event.byUs / 1000,
      });
      return;
    case "system-dropped":
      log.warn(`a system clock is off by more than its bound, here or at ${peer}: not used`, {
        by_ms: event.byUs / 1000,
      });
      return;
    case "system-restored":
      log.info(`the system clocks, here and at ${peer}, agree with their bounds again`);
  }
}
