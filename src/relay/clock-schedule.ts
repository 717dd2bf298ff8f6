/**
 * When a connection sends its next clock exchanges: a burst before the first data and after a step,
 * then a few steadily, more often where the round trip is short. Holds no timer: the caller asks `dueUs`
 * when to `poll` next, and polls then.
 */
import { BURST_EXCHANGES } from "./clock-estimator.ts";

const STEADY_RTTS = 10;
const STEADY_LEAST_US = 100e3;
const STEADY_MOST_US = 2e6;
/**
 * Steady exchanges come in groups, one right after the other: whoever slept takes its time to wake,
 * and code that has not run for a while is slow, at one end more than at the other. The first of a
 * group bears that, and those that follow are the quicker and the more even ones.
 */
const GROUP_EXCHANGES = 3;
/** Steady intervals vary by this share either way, so that many clients do not fall in step. */
const JITTER = 0.1;

const TIMEOUT_RTTS = 4;
const TIMEOUT_LEAST_US = 200e3;
/** Also the first time-out, before any round trip is known. */
const TIMEOUT_MOST_US = 2e6;

/** A burst ends after this long, so that the first data need not wait for every loss. */
const BURST_LIMIT_US = 3e6;

/** The exchanges that one end of a connection begins. */
export interface ClockSchedule {
  /** When to call `poll` next, in µs since 2020. */
  readonly dueUs: number;
  /** Whether to send a request now. One that stays unanswered is given up after its time-out. */
  poll(nowUs: number): boolean;
  /**
   * An answer came, timely or late, after a round trip of `rttUs`; the peer wants the next request
   * `soonestUs` µs after its answer at the earliest (0: as it likes).
   */
  answered(nowUs: number, rttUs: number, soonestUs: number): void;
  /** Starts a burst, after a step for instance. */
  burst(nowUs: number): void;
  /** Whether a burst is on: the first data wait until it is over. */
  readonly bursting: boolean;
  /** Requests that were given up. */
  readonly lost: number;
}

/** Starts with a burst at `nowUs`. `random` gives numbers in [0, 1). */
export function createClockSchedule(nowUs: number, random: () => number): ClockSchedule {
  let waiting = false;
  let dueUs = nowUs;
  let rttUs = Number.NaN;
  let soonestUs = 0;
  /** Of the group under way, those that follow. */
  let groupLeft = 0;
  let burstLeft = BURST_EXCHANGES;
  let burstEndUs = nowUs + BURST_LIMIT_US;
  let lost = 0;

  function timeoutUs(): number {
    if (Number.isNaN(rttUs)) return TIMEOUT_MOST_US;
    return clamp(TIMEOUT_RTTS * rttUs, TIMEOUT_LEAST_US, TIMEOUT_MOST_US);
  }

  function intervalUs(): number {
    if (burstLeft > 0) return soonestUs;
    // A peer that has wishes has too many others to answer.
    if (groupLeft > 0 && soonestUs === 0) {
      groupLeft--;
      return 0;
    }
    groupLeft = GROUP_EXCHANGES - 1;
    const steadyUs = Number.isNaN(rttUs)
      ? STEADY_MOST_US
      : clamp(STEADY_RTTS * rttUs, STEADY_LEAST_US, STEADY_MOST_US);
    return Math.max(steadyUs * (1 + JITTER * (2 * random() - 1)), soonestUs);
  }

  /** One exchange of the burst is over, for better or worse, or all of it, by its time limit. */
  function advanceBurst(atUs: number): void {
    if (burstLeft > 0) burstLeft = atUs >= burstEndUs ? 0 : burstLeft - 1;
  }

  return {
    get dueUs() {
      return dueUs;
    },
    get bursting() {
      return burstLeft > 0;
    },
    get lost() {
      return lost;
    },
    poll(atUs) {
      if (atUs < dueUs) return false;
      if (waiting) {
        lost++;
        advanceBurst(atUs);
        // The time-out was long enough: in a burst the next request goes out at once.
        if (burstLeft === 0) {
          waiting = false;
          groupLeft = 0;
          dueUs = atUs + intervalUs();
          return false;
        }
      }
      waiting = true;
      dueUs = atUs + timeoutUs();
      return true;
    },
    answered(atUs, answerRttUs, peerSoonestUs) {
      rttUs = answerRttUs;
      soonestUs = peerSoonestUs;
      advanceBurst(atUs);
      waiting = false;
      dueUs = atUs + intervalUs();
    },
    burst(atUs) {
      groupLeft = 0;
      burstLeft = BURST_EXCHANGES;
      burstEndUs = atUs + BURST_LIMIT_US;
      if (!waiting) dueUs = atUs + soonestUs;
    },
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
