/**
 * The relay's part in clients' exchanges of clock readings: answers them, and learns from those
 * that come to their end.
 */
import { type ClockFrame, readClockFrame, stampAnswer, writeClockFrame } from "./clock-frame.ts";
import { type HostClock, systemInterval } from "./clock-system-interval.ts";
import type { RelayOptions } from "./relay.ts";
import type { Session } from "./session.ts";

/** Clients beyond which they are asked to read the clock less often than their round trips ask. */
const FREE_EXCHANGES = 100;
/** Clock exchanges a second that all clients together are then asked not to exceed. */
const MAX_EXCHANGES_PER_SECOND = 1000;

export interface ClockAnswersOptions
  extends Pick<RelayOptions, "nowUs" | "observer" | "hostClock"> {
  sessions: ReadonlySet<Session>;
}

/** Takes a clock frame of a session. Throws ProtocolError. */
export type TakeClock = (session: Session, frame: Uint8Array, receivedUs: number) => void;

export function createClockAnswers(
  { nowUs, observer, hostClock, sessions }: ClockAnswersOptions,
): TakeClock {
  function answer(
    session: Session,
    { exchange, t1Us }: ClockFrame,
    host: HostClock,
    receivedUs: number,
  ): void {
    const frame = writeClockFrame({
      phase: 2,
      exchange,
      soonestMs: soonestMs(sessions.size),
      t1Us,
      t2Us: receivedUs,
      t3Us: 0,
      t4Us: 0,
      errorUs: host.boundUs + host.anchorErrorUs,
      wallShiftUs: host.wallShiftUs,
    });
    const t3Us = nowUs();
    session.answer = { exchange, t2Us: receivedUs, t3Us };
    stampAnswer(frame, t3Us);
    // One that does not read its answers gets no more of them.
    session.connection.outbox.sendData([frame], t3Us);
  }

  function learn(session: Session, clock: ClockFrame, receivedUs: number): void {
    // Only our own times count, and each answer once.
    const isOurs = clock.phase === 3 && session.answer?.exchange === clock.exchange &&
      session.answer.t2Us === clock.t2Us && session.answer.t3Us === clock.t3Us;
    if (!isOurs) return;
    session.answer = undefined;
    session.rttUs = clock.t4Us - clock.t1Us - (clock.t3Us - clock.t2Us);
    const exchange = {
      localSentUs: clock.t3Us,
      peerReceivedUs: clock.t4Us,
      peerSentUs: clock.t1Us,
      localReceivedUs: clock.t2Us,
    };
    const event = session.pair.estimator.addExchange(exchange, session.number, receivedUs);
    if (event !== undefined) observer.clock(session, event);
  }

  return (session, frame, receivedUs) => {
    const clock = readClockFrame(frame);
    const { estimator } = session.pair;
    const host = hostClock();
    const peer = { boundUs: clock.errorUs, anchorErrorUs: 0, wallShiftUs: clock.wallShiftUs };
    const news = estimator.setSystemInterval(systemInterval(host, peer), receivedUs);
    if (news !== undefined) observer.clock(session, news);
    if (clock.phase === 1) answer(session, clock, host, receivedUs);
    else learn(session, clock, receivedUs);
  };
}

/** The least time between two exchanges of one client where there are `clients` of them. */
function soonestMs(clients: number): number {
  return clients <= FREE_EXCHANGES ? 0 : Math.ceil((clients * 1000) / MAX_EXCHANGES_PER_SECOND);
}
