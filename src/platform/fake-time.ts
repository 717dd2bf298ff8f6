/**
 * Time that stands still until a test lets it pass: the platform's timers and a clock that agrees
 * with them. For tests.
 */

/** What one turn of the event loop takes, so that whoever looks at the clock sees it move. */
const TURN_US = 20;

export interface FakeTime {
  /** Microseconds since 2020. */
  nowUs(): number;
  /** Time passes with nobody called: the process works, or sleeps. */
  pass(us: number): void;
  /** Time passes, and all timers that fall due are called in their order. */
  advance(us: number): void;
  /** Timers and turns that wait. */
  readonly waiting: number;
}

interface Waiting {
  dueUs: number;
  call: () => void;
}

/** Runs `body` with the global timers replaced. */
export async function withFakeTime(body: (time: FakeTime) => void | Promise<void>): Promise<void> {
  const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
  const waiting = new Set<Waiting>();
  let nowUs = 200_000_000_000_000;

  const plan = (dueUs: number, call: () => void): Waiting => {
    const planned = { dueUs, call };
    waiting.add(planned);
    return planned;
  };
  const forget = (planned: unknown): void => {
    waiting.delete(planned as Waiting);
  };
  const next = (): Waiting | undefined =>
    [...waiting].reduce<Waiting | undefined>(
      (soonest, one) => soonest === undefined || one.dueUs < soonest.dueUs ? one : soonest,
      undefined,
    );

  Object.assign(globalThis, {
    // As the platforms do: whole milliseconds, one at least.
    setTimeout: (call: () => void, ms = 0) =>
      plan(nowUs + Math.max(1, Math.floor(ms)) * 1000, call),
    clearTimeout: forget,
    setImmediate: (call: () => void) => plan(nowUs + TURN_US, call),
    clearImmediate: forget,
  });
  try {
    await body({
      nowUs: () => nowUs,
      pass(us) {
        nowUs += us;
      },
      advance(us) {
        const endUs = nowUs + us;
        for (let due = next(); due !== undefined && due.dueUs <= endUs; due = next()) {
          nowUs = Math.max(nowUs, due.dueUs);
          waiting.delete(due);
          due.call();
        }
        nowUs = Math.max(nowUs, endUs);
      },
      get waiting() {
        return waiting.size;
      },
    });
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate, clearImmediate });
  }
}
