/** Calls a state machine when it asks to be called: the timers that the pure core does without. */
import type { NowUs } from "../relay/time.ts";

export interface Ticker {
  /** Calls `tick` at `atUs`, or as it is planned already where that is sooner. */
  wake(atUs: number): void;
  stop(): void;
}

/** `tick` does what is due and returns when to call again, µs since 2020 (Infinity: not). */
export function createTicker(nowUs: NowUs, tick: () => number): Ticker {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let plannedUs = Infinity;
  let stopped = false;

  const run = (): void => {
    timer = undefined;
    plannedUs = Infinity;
    wake(tick());
  };

  const wake = (atUs: number): void => {
    if (stopped || atUs >= plannedUs) return;
    clearTimeout(timer);
    plannedUs = atUs;
    timer = setTimeout(run, Math.min(Math.max(0, (atUs - nowUs()) / 1000), 2 ** 31 - 1));
  };

  return {
    wake,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
