/**
 * A timer that keeps to the microsecond where the platform's keeps to the millisecond: it sleeps
 * until shortly before the time and then looks at the clock between turns of the event loop, which
 * goes on receiving meanwhile. That costs at most SPIN_US of one core for each call, so slow
 * schedules cost nothing and one at 1 ms keeps a core busy.
 */
import type { NowUs } from "../relay/time.ts";

/** The platform's timers fire up to this much late, or early. */
const SPIN_US = 1_500;

export interface PreciseTimer {
  /**
   * Calls `callback` once, at `dueUs` or as soon after it as can be, never before this returns;
   * replaces an earlier call.
   */
  at(dueUs: number): void;
  cancel(): void;
}

export function createPreciseTimer(nowUs: NowUs, callback: () => void): PreciseTimer {
  let dueUs = Infinity;
  let timeout: ReturnType<typeof setTimeout> | undefined;
  let immediate: ReturnType<typeof setImmediate> | undefined;

  const stop = (): void => {
    if (timeout !== undefined) clearTimeout(timeout);
    if (immediate !== undefined) clearImmediate(immediate);
    timeout = undefined;
    immediate = undefined;
  };

  const look = (): void => {
    timeout = undefined;
    immediate = undefined;
    const leftUs = dueUs - nowUs();
    if (leftUs <= 0) callback();
    else wait(leftUs);
  };

  const wait = (leftUs: number): void => {
    if (leftUs <= SPIN_US) immediate = setImmediate(look);
    else timeout = setTimeout(look, Math.min(leftUs / 1000 - 1, 2 ** 31 - 1));
  };

  return {
    at(time) {
      stop();
      dueUs = time;
      wait(dueUs - nowUs());
    },
    cancel: stop,
  };
}
