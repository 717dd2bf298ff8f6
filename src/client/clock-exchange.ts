/**
 * A client's side of the exchange of clock readings on one connection: asks as often as the
 * schedule says, and feeds what comes back to the estimator of the two processes.
 */
import type { ClockEvent } from "../relay/clock-estimator.ts";
import { readClockFrame, stampRequest, writeClockFrame } from "../relay/clock-frame.ts";
import { createClockSchedule } from "../relay/clock-schedule.ts";
import { type HostClock, systemInterval } from "../relay/clock-system-interval.ts";
import type { ProcessPair } from "../relay/process-pairs.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import type { NowUs } from "../relay/time.ts";

export interface ClockExchange {
  /** When to call `poll` next, µs since 2020. */
  readonly dueUs: number;
  /** The first burst, or one after a step, is not over. */
  readonly bursting: boolean;
  /** Round trip of the newest exchange, µs; NaN before the first. */
  readonly rttUs: number;
  /** Asks, if it is time to. */
  poll(atUs: number): void;
  /** Takes an answer that arrived at `receivedUs`. Throws ProtocolError. */
  answered(frame: Uint8Array, receivedUs: number): void;
}

export interface ClockExchangeOptions {
  pair: ProcessPair;
  /** Tells the connections of the pair apart. */
  connection: number;
  startUs: number;
  nowUs: NowUs;
  /** Numbers in [0, 1). */
  random: () => number;
  hostClock: () => HostClock;
  send: (frame: Uint8Array, atUs: number) => void;
  rtt: (rttUs: number) => void;
  noticed: (event: ClockEvent) => void;
}

export function createClockExchange(options: ClockExchangeOptions): ClockExchange {
  const { nowUs, hostClock, send } = options;
  const { estimator } = options.pair;
  const schedule = createClockSchedule(options.startUs, options.random);
  let number = 0;
  let rttUs = NaN;
  /** The relay's wish for fewer exchanges is for the steady ones: the first burst opens the session. */
  let isFirstBurst = true;

  return {
    get dueUs() {
      return schedule.dueUs;
    },
    get bursting() {
      return schedule.bursting;
    },
    get rttUs() {
      return rttUs;
    },
    poll(atUs) {
      if (!schedule.poll(atUs)) return;
      const request = writeClockFrame({
        phase: 1,
        exchange: ++number,
        soonestMs: 0,
        t1Us: 0,
        t2Us: 0,
        t3Us: 0,
        t4Us: 0,
        ...hostFields(hostClock()),
      });
      stampRequest(request, nowUs());
      send(request, atUs);
    },
    answered(frame, receivedUs) {
      const clock = readClockFrame(frame);
      if (clock.phase !== 2) return;
      const { t1Us, t2Us, t3Us } = clock;
      if (t1Us < options.startUs || t1Us > receivedUs) {
        throw new ProtocolError("clock: an answer to what was not asked");
      }
      const host = hostClock();
      const answer = { ...clock, phase: 3 as const, t4Us: receivedUs, ...hostFields(host) };
      send(writeClockFrame(answer), receivedUs);
      rttUs = receivedUs - t1Us - (t3Us - t2Us);
      options.rtt(rttUs);
      const peer = { boundUs: clock.errorUs, anchorErrorUs: 0, wallShiftUs: clock.wallShiftUs };
      const news = [
        estimator.setSystemInterval(systemInterval(host, peer), receivedUs),
        estimator.addExchange(
          {
            localSentUs: t1Us,
            peerReceivedUs: t2Us,
            peerSentUs: t3Us,
            localReceivedUs: receivedUs,
          },
          options.connection,
          receivedUs,
        ),
      ];
      for (const event of news) if (event !== undefined) options.noticed(event);
      schedule.answered(receivedUs, rttUs, isFirstBurst ? 0 : clock.soonestMs * 1000);
      if (schedule.bursting) return;
      // A burst that lost exchanges is not repeated before the session opens.
      if (!isFirstBurst && estimator.wantsBurst) schedule.burst(receivedUs);
      isFirstBurst = false;
    },
  };
}

function hostFields(host: HostClock): { errorUs: number; wallShiftUs: number } {
  return { errorUs: host.boundUs + host.anchorErrorUs, wallShiftUs: host.wallShiftUs };
}
