/**
 * What an open session sends: its messages are stamped and passed on in place, its clock frames
 * answered, its heartbeats and bye noted. A flood is read no further while a receiver that still
 * takes has over half a backlog queued.
 */
import { readBye } from "./bye.ts";
import { createClockAnswers } from "./clock-answers.ts";
import {
  beginHop,
  ClockMethod,
  dataFrameBytes,
  dataFrameFault,
  finishHop,
  FLAG_WARM_UP,
  HOP_SLOTS,
  hopOffset,
  readFlags,
  readHopCount,
  readHopSentUs,
  readHopSlots,
  readPayloadBytes,
  readSequence,
  stampOrigin,
  stampSent,
} from "./data-frame.ts";
import type { FanOut } from "./fan-out.ts";
import { FrameType, MAX_CONTROL_BYTES, MAX_PAYLOAD_BYTES, type Region } from "./frame.ts";
import { readHeartbeat } from "./heartbeat.ts";
import { type MessageRun, readRun } from "./message-run.ts";
import { hopErrorUs } from "./clock-window.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { RelayDirectory } from "./relay-directory.ts";
import type { RelayOptions } from "./relay.ts";
import { REPORT_PERIOD_US } from "./report-frame.ts";
import { readReport } from "./report-reading.ts";
import type { Arrival } from "./sequence.ts";
import type { Session } from "./session.ts";

/** Reports that left a period apart may arrive this much closer together. */
const REPORT_HASTE = 0.5;

export interface Inbound {
  /** Largest frame that an open session may send. */
  readonly maxFrameBytes: number;
  /** Reads what has arrived of `session`. Throws ProtocolError. */
  read(session: Session): void;
  /** Reads floods on that were held up, where nothing holds them any more. */
  releaseHeld(atUs: number): void;
  /** `session` ended: nothing of it is read any more. */
  forget(session: Session): void;
}

export interface InboundOptions extends Pick<RelayOptions, "nowUs" | "observer" | "hostClock"> {
  fanOut: FanOut;
  directory: RelayDirectory;
  sessions: ReadonlySet<Session>;
  /** The session said bye, having sent `sent` messages. */
  byeSaid: (session: Session, sent: number, atUs: number) => void;
  /** The session broke a rule of the wire format. */
  broken: (session: Session, fault: string, atUs: number) => void;
  /** The session, no flood, has sent more than it may. */
  tooMuch: (session: Session, atUs: number) => void;
}

export function createInbound(options: InboundOptions): Inbound {
  const { nowUs, observer, fanOut, directory } = options;
  const takeClock = createClockAnswers(options);
  /** Floods that wait, and what they had sent when they were stopped. */
  const held = new Map<Session, Region>();
  /**
   * Messages of the session that is being read, which wait to be passed on together: the one that
   * straddled two chunks would else be written by itself, to each receiver.
   */
  let gathered: Gathered = { runs: [], slices: [] };
  /** The sequence that is expected behind them. */
  let next = 0;

  /** Takes the messages that stand at `region.start`, up to the next frame of another kind. */
  function takeMessages(session: Session, region: Region): void {
    const { view, start, receivedUs } = region;
    const { offsetUs, errorUs, method } = session.pair.estimator.estimateAt(receivedUs);
    const methodCode = ClockMethod[method];
    let end = start;
    let messages = 0;
    let fault: string | undefined;
    if (gathered.runs.length === 0) next = session.tracker.next;
    while (end < region.end && view.getUint8(end + 4) === FrameType.data) {
      const length = view.getUint32(end, true);
      fault = messageFault(session, view, end, length);
      if (fault !== undefined || readHopSlots(view, end) < HOP_SLOTS) break;
      const run = readRun(region, end, next);
      const delayUs = receivedUs - readHopSentUs(view, hopOffset(end, 0)) + offsetUs;
      const boundUs = hopErrorUs(errorUs, delayUs);
      end += run.count * length;
      for (let at = run.at; at < end; at += length) {
        stampOrigin(view, at, session.number);
        finishHop(view, at, receivedUs, offsetUs, boundUs, methodCode);
        beginHop(view, at);
      }
      gathered.runs.push(run);
      next = Math.max(next, readSequence(view, run.at) + run.count);
      messages += run.count;
    }
    session.dataUs = receivedUs;
    region.start = end;
    session.rate?.take(messages, end - start, receivedUs);
    if (messages > 0) gathered.slices.push(region.bytes.subarray(start, end));
    // Good messages before a bad one are passed on.
    if (fault !== undefined) throw new ProtocolError(fault);
    if (messages === 0) dropWithoutSlot(session, region);
  }

  /** The message at `region.start` has no room for the hop from here on. */
  function dropWithoutSlot(session: Session, region: Region): void {
    passOn(session);
    const { view, start, receivedUs } = region;
    const length = view.getUint32(start, true);
    session.tracker.accept(readSequence(view, start));
    session.noSlot++;
    session.rate?.take(1, length, receivedUs);
    region.start += length;
  }

  /** Passes on the messages that wait for it. */
  function passOn(session: Session): void {
    const { runs, slices } = gathered;
    if (runs.length === 0) return;
    gathered = { runs: [], slices: [] };
    if (!session.metered) {
      for (const run of runs) accept(session, run);
      return;
    }
    const { receivedUs } = runs[0]!;
    directory.announceFirst(session, receivedUs);
    let messages = 0;
    let warmUp = 0;
    const sentUs = nowUs();
    for (const { view, at, frameBytes, count } of runs) {
      const end = at + count * frameBytes;
      for (let each = at; each < end; each += frameBytes) stampSent(view, each, sentUs);
      messages += count;
      if ((readFlags(view, at) & FLAG_WARM_UP) !== 0) warmUp += count;
    }
    const { receivers, waitUs } = fanOut.distribute(session, slices, messages, sentUs);
    for (const run of runs) observer.messages(session, run, accept(session, run));
    if (receivers > 0) observer.relayed(messages, warmUp, receivers, sentUs - receivedUs, waitUs);
  }

  /** One that reports too often is not read: reading takes its time. */
  function takeReport(session: Session, frame: Uint8Array, atUs: number): void {
    if (observer.report === undefined) throw new ProtocolError("a report that nobody asked for");
    if (atUs - session.reportUs < REPORT_PERIOD_US * REPORT_HASTE) return;
    session.reportUs = atUs;
    observer.report(session, readReport(frame), atUs);
  }

  /** Takes one frame that is not a message. */
  function takeControl(session: Session, region: Region): void {
    const { view, start } = region;
    const length = view.getUint32(start, true);
    const type = view.getUint8(start + 4);
    const frame = region.bytes.subarray(start, start + length);
    region.start += length;
    // The bytes of clock frames follow from the length of the way, not from what is measured.
    session.rate?.takeControl(type === FrameType.clock ? 0 : length, region.receivedUs);
    switch (type) {
      case FrameType.clock:
        takeClock(session, frame, region.receivedUs);
        return;
      case FrameType.heartbeat:
        // It lives: that is known by its bytes. Its counts only have to be well-formed.
        readHeartbeat(frame);
        return;
      case FrameType.bye:
        options.byeSaid(session, readBye(frame).counts.sent, region.receivedUs);
        return;
      case FrameType.report:
        takeReport(session, frame, region.receivedUs);
        return;
      default:
        throw new ProtocolError(`a client sent a frame of type ${type}`);
    }
  }

  const isTooFast = ({ rate }: Session, atUs: number): boolean => rate?.isExceeded(atUs) === true;

  const mustHold = (session: Session, atUs: number): boolean =>
    fanOut.mustHold(session, atUs) || isTooFast(session, atUs);

  /** Reads a region to its end; false where the flood has to wait before. */
  function readRegion(session: Session, region: Region): boolean {
    while (region.start < region.end && session.connection.state === "open") {
      if (region.view.getUint8(region.start + 4) !== FrameType.data) {
        if (session.mode === "flood" && isTooFast(session, nowUs())) return false;
        passOn(session);
        takeControl(session, region);
        continue;
      }
      if (session.mode === "flood" && mustHold(session, nowUs())) return false;
      takeMessages(session, region);
    }
    return true;
  }

  function read(session: Session): void {
    try {
      if (readAll(session) && session.held) forget(session);
    } finally {
      passOn(session);
    }
    if (session.rate === undefined || session.mode === "flood") return;
    const atUs = nowUs();
    if (session.rate.isExceeded(atUs)) options.tooMuch(session, atUs);
  }

  /** Reads what has arrived to its end; false where the flood has to wait before. */
  function readAll(session: Session): boolean {
    const { splitter, link } = session.connection;
    let region = session.held ? held.get(session) : splitter.next();
    while (region !== undefined) {
      if (!readRegion(session, region)) {
        held.set(session, region);
        session.held = true;
        link.pause();
        return false;
      }
      region = splitter.next();
    }
    return true;
  }

  function forget(session: Session): void {
    if (!held.delete(session)) return;
    session.held = false;
    session.connection.link.resume();
  }

  return {
    maxFrameBytes: Math.max(dataFrameBytes(HOP_SLOTS, MAX_PAYLOAD_BYTES), MAX_CONTROL_BYTES),
    read,
    releaseHeld(atUs) {
      if (held.size === 0) return;
      for (const session of [...held.keys()]) {
        // Reading one on may have ended or released another.
        if (!session.held || mustHold(session, atUs)) continue;
        session.connection.heardUs = atUs;
        try {
          read(session);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          options.broken(session, error.message, atUs);
        }
      }
    },
    forget,
  };
}

/** Messages that wait to be passed on, in their order, and the bytes that they are. */
interface Gathered {
  readonly runs: MessageRun[];
  readonly slices: Uint8Array[];
}

const accept = ({ tracker }: Session, { view, at, count }: MessageRun): Arrival =>
  tracker.accept(readSequence(view, at), count);

function messageFault(session: Session, view: DataView, at: number, length: number) {
  const fault = dataFrameFault(view, at, length);
  if (fault !== undefined) return fault;
  if (readHopCount(view, at) !== 1) return "data: a client begins the first hop, and no other";
  if (readPayloadBytes(view, at) > session.maxPayloadBytes) {
    return `data: payload of ${
      readPayloadBytes(view, at)
    } bytes, agreed ${session.maxPayloadBytes}`;
  }
  return undefined;
}
