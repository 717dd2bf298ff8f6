/**
 * A client's side of one connection: hello and welcome, the exchange of clock readings, messages
 * out and in, heartbeats, and the end by bye. Pure: the link, time and randomness are handed in.
 */
import { readBye, writeBye } from "../relay/bye.ts";
import type { ClockEvent } from "../relay/clock-estimator.ts";
import { readClockFrame, writeClockFrame } from "../relay/clock-frame.ts";
import { createClockSchedule } from "../relay/clock-schedule.ts";
import { type HostClock, systemInterval } from "../relay/clock-system-interval.ts";
import { type Counts, MAX_COUNTED_ORIGINS } from "../relay/counts.ts";
import {
  beginHop,
  ClockMethod,
  dataFrameBytes,
  dataFrameFault,
  finishHop,
  FLAG_ECHO,
  FLAG_WARM_UP,
  readOrigin,
  readSequence,
  stampSent,
  writeDataFrame,
} from "../relay/data-frame.ts";
import { readDirectory } from "../relay/directory.ts";
import {
  createFrameSplitter,
  FrameType,
  MAX_CONTROL_BYTES,
  MAX_PAYLOAD_BYTES,
  type Region,
} from "../relay/frame.ts";
import { readHeartbeat, writeHeartbeat } from "../relay/heartbeat.ts";
import { type Hello, writeHello } from "../relay/hello.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import { createOutbox, type Outbox } from "../relay/outbox.ts";
import type { ProcessPair, ProcessPairs } from "../relay/process-pairs.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import type { Arrival } from "../relay/sequence.ts";
import type { NowUs } from "../relay/time.ts";
import { readWelcome, type Welcome } from "../relay/welcome.ts";
import { createOrigin, type Origin, updateLoss } from "./origins.ts";

/** greeting: the welcome is awaited · bursting: clocks are read · open · leaving: bye was said */
export type SessionState = "greeting" | "bursting" | "open" | "leaving" | "closed";

export interface SessionOptions {
  hello: Hello;
  pairs: ProcessPairs;
  nowUs: NowUs;
  /** Numbers in [0, 1). */
  random: () => number;
  hostClock: () => HostClock;
  maxBacklogBytes: number;
  /** The text that payloads begin with, then filler: at least as long as the longest payload. */
  payload: Uint8Array;
  /** The session wants `tick` to be called at `atUs`, sooner than it said before. */
  wake: (session: ClientSession, atUs: number) => void;
  observer: SessionObserver;
}

/** How a session ended. */
export interface SessionEnd {
  /** For people. */
  reason: string;
  /** The relay said bye: its counts are final. */
  byRelay: boolean;
  /** The relay turned the client away before a welcome. */
  refused: boolean;
}

/** What the owner of a session gets to see. */
export interface SessionObserver {
  welcomed(session: ClientSession): void;
  /** The clocks have been read: messages may be sent. */
  opened(session: ClientSession): void;
  originJoined(session: ClientSession, origin: Origin): void;
  /** Its counts are final. */
  originLeft(session: ClientSession, origin: Origin): void;
  /** A message whose last hop was finished here. */
  message(
    session: ClientSession,
    origin: Origin,
    view: DataView,
    at: number,
    arrival: Arrival,
    receivedUs: number,
  ): void;
  rtt(session: ClientSession, rttUs: number): void;
  clock(session: ClientSession, event: ClockEvent): void;
  /** Everything handed to the link has been written. */
  drained(session: ClientSession): void;
  ended(session: ClientSession, end: SessionEnd): void;
}

export interface ClientSession {
  /** What the link reports to. */
  readonly events: LinkEvents;
  readonly state: SessionState;
  readonly hello: Hello;
  readonly link: Link;
  /** From the welcome on. */
  readonly welcome: Welcome | undefined;
  readonly pair: ProcessPair | undefined;
  /** Itself as an origin: its echoes, and the relay's counts of its messages. */
  readonly self: Origin | undefined;
  /** Messages sent, warm-up included; also the newest sequence. */
  readonly sent: number;
  /** Round trip of the newest clock exchange, µs; NaN before the first. */
  readonly rttUs: number;
  readonly backlogBytes: number;
  /** Messages of sessions that were never announced. */
  readonly unknown: number;
  /** When the last frame came, µs. */
  readonly heardUs: number;
  /** Sends one message; false where the backlog is full: it was not sent. */
  send(intendedUs: number, payloadBytes: number, warmUp: boolean): boolean;
  /**
   * Writes a message into `frames` at `at` and returns its end; `sendFrames` sends what was so
   * written. The caller leaves the bytes alone until the session has drained.
   */
  writeMessage(
    frames: Frames,
    at: number,
    intendedUs: number,
    payloadBytes: number,
    warmUp: boolean,
  ): number;
  sendFrames(frames: Frames, end: number): void;
  /** Says bye: nothing more is sent, the relay's bye is awaited. */
  leave(): void;
  /** Ends it at once. */
  abandon(reason: string): void;
  /** Does what is due; returns when to call again. */
  tick(): number;
}

/** A buffer that messages are written into one after another. */
export interface Frames {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Nothing heard from the relay for so many heartbeats: it is gone. */
const SILENT_HEARTBEATS = 3;
/** The welcome has to come within, µs. */
const GREETING_US = 10_000_000;

export function createClientSession(link: Link, options: SessionOptions): ClientSession {
  const { nowUs, observer, hello, payload } = options;
  const startUs = nowUs();
  const outbox: Outbox = createOutbox(link, options.maxBacklogBytes, startUs);
  const splitter = createFrameSplitter(
    Math.max(MAX_CONTROL_BYTES, dataFrameBytes(255, MAX_PAYLOAD_BYTES)),
  );
  const schedule = createClockSchedule(startUs, options.random);
  const origins = new Map<number, Origin>();
  const messageFlags = hello.echo ? FLAG_ECHO : 0;
  let state: SessionState = "greeting";
  let welcome: Welcome | undefined;
  let pair: ProcessPair | undefined;
  let self: Origin | undefined;
  let sent = 0;
  let rttUs = NaN;
  let unknown = 0;
  let heardUs = startUs;
  let heartbeatDueUs = Infinity;
  let exchange = 0;
  let wakeUs = Infinity;

  function takeWelcome(frame: Uint8Array): void {
    welcome = readWelcome(frame);
    pair = options.pairs.take(welcome.processId);
    self = createOrigin({
      session: welcome.session,
      sessionId: welcome.sessionId,
      flow: hello.flow,
      received: 0,
      next: 1,
      name: hello.name,
      route: hello.route,
    });
    origins.set(self.number, self);
    heartbeatDueUs = heardUs + welcome.heartbeatMs * 1000;
    state = "bursting";
    observer.welcomed(session);
    wakeAt(heardUs);
  }

  function takeDirectory(frame: Uint8Array): void {
    const { joined, left } = readDirectory(frame);
    for (const entry of joined) {
      if (origins.has(entry.session)) continue;
      const origin = createOrigin(entry);
      origins.set(origin.number, origin);
      observer.originJoined(session, origin);
    }
    for (const counts of left) {
      const origin = origins.get(counts.session);
      if (origin === undefined || origin === self) continue;
      updateLoss(origin, counts);
      origins.delete(counts.session);
      observer.originLeft(session, origin);
    }
  }

  function takeCounts(counts: Counts): void {
    for (const entry of counts.origins) {
      const origin = origins.get(entry.session);
      if (origin !== undefined) updateLoss(origin, entry);
    }
  }

  function ownCounts(): Counts {
    const counts: Counts = { sent, origins: [] };
    for (const { number, tracker } of origins.values()) {
      if (tracker.received === 0 || counts.origins.length === MAX_COUNTED_ORIGINS) continue;
      const { received, next } = tracker;
      counts.origins.push({ session: number, received, next, dropped: 0 });
    }
    return counts;
  }

  function takeClock(frame: Uint8Array, receivedUs: number): void {
    const clock = readClockFrame(frame);
    if (clock.phase !== 2 || pair === undefined) return;
    const { t1Us, t2Us, t3Us } = clock;
    const host = options.hostClock();
    const answer = { ...clock, phase: 3 as const, t4Us: receivedUs, ...hostFields(host) };
    outbox.sendControl(writeClockFrame(answer), receivedUs);
    rttUs = receivedUs - t1Us - (t3Us - t2Us);
    observer.rtt(session, rttUs);
    const peer = { boundUs: clock.errorUs, anchorErrorUs: 0, wallShiftUs: clock.wallShiftUs };
    const news = [
      pair.estimator.setSystemInterval(systemInterval(host, peer), receivedUs),
      pair.estimator.addExchange(
        { localSentUs: t1Us, peerReceivedUs: t2Us, peerSentUs: t3Us, localReceivedUs: receivedUs },
        welcome!.session,
        receivedUs,
      ),
    ];
    for (const event of news) if (event !== undefined) observer.clock(session, event);
    schedule.answered(receivedUs, rttUs, clock.soonestMs * 1000);
    if (pair.estimator.wantsBurst && !schedule.bursting) schedule.burst(receivedUs);
    openWhenRead();
    wakeAt(schedule.dueUs);
  }

  function openWhenRead(): void {
    if (state !== "bursting" || schedule.bursting) return;
    state = "open";
    observer.opened(session);
  }

  function askClock(atUs: number): void {
    const t1Us = nowUs();
    const frame = writeClockFrame({
      phase: 1,
      exchange: ++exchange,
      soonestMs: 0,
      t1Us,
      t2Us: 0,
      t3Us: 0,
      t4Us: 0,
      ...hostFields(options.hostClock()),
    });
    outbox.sendControl(frame, atUs);
  }

  function takeMessages(region: Region): void {
    const { view, receivedUs } = region;
    const { offsetUs, errorUs, method } = pair!.estimator.estimateAt(receivedUs);
    const methodCode = ClockMethod[method];
    let origin: Origin | undefined;
    let at = region.start;
    while (at < region.end && view.getUint8(at + 4) === FrameType.data) {
      const length = view.getUint32(at, true);
      const fault = dataFrameFault(view, at, length);
      if (fault !== undefined) throw new ProtocolError(fault);
      const number = readOrigin(view, at);
      if (origin?.number !== number) origin = origins.get(number);
      if (origin === undefined) {
        unknown++;
      } else {
        finishHop(view, at, receivedUs, offsetUs, errorUs, methodCode);
        const arrival = origin.tracker.accept(readSequence(view, at));
        observer.message(session, origin, view, at, arrival, receivedUs);
      }
      at += length;
    }
    region.start = at;
  }

  function takeControl(region: Region): void {
    const { view, start } = region;
    const length = view.getUint32(start, true);
    const frame = region.bytes.subarray(start, start + length);
    region.start += length;
    switch (view.getUint8(start + 4)) {
      case FrameType.directory:
        return takeDirectory(frame);
      case FrameType.clock:
        return takeClock(frame, region.receivedUs);
      case FrameType.heartbeat:
        return takeCounts(readHeartbeat(frame));
      case FrameType.bye:
        return takeBye(frame);
      default:
        throw new ProtocolError(`the server sent a frame of type ${view.getUint8(start + 4)}`);
    }
  }

  function takeBye(frame: Uint8Array): void {
    const bye = readBye(frame);
    takeCounts(bye.counts);
    const reason = bye.text === "" ? bye.reason : bye.text;
    close({ reason, byRelay: welcome !== undefined, refused: welcome === undefined });
    link.end();
  }

  function takeFirst(region: Region): void {
    const { view, start } = region;
    const length = view.getUint32(start, true);
    const frame = region.bytes.subarray(start, start + length);
    region.start += length;
    if (view.getUint8(start + 4) === FrameType.bye) return takeBye(frame);
    if (view.getUint8(start + 4) !== FrameType.welcome) {
      throw new ProtocolError("not a performance server");
    }
    takeWelcome(frame);
  }

  function takeRegion(region: Region): void {
    while (region.start < region.end && state !== "closed") {
      if (state === "greeting") takeFirst(region);
      else if (region.view.getUint8(region.start + 4) === FrameType.data) takeMessages(region);
      else takeControl(region);
    }
  }

  function close(end: SessionEnd): void {
    if (state === "closed") return;
    state = "closed";
    if (pair !== undefined) options.pairs.release(pair, nowUs());
    for (const origin of origins.values()) {
      if (origin !== self) observer.originLeft(session, origin);
    }
    observer.ended(session, end);
  }

  function abandon(reason: string): void {
    close({ reason, byRelay: false, refused: false });
    link.destroy();
  }

  function wakeAt(atUs: number): void {
    if (atUs >= wakeUs) return;
    wakeUs = atUs;
    options.wake(session, atUs);
  }

  const messageFlagsOf = (warmUp: boolean): number =>
    warmUp ? messageFlags | FLAG_WARM_UP : messageFlags;

  const session: ClientSession = {
    hello,
    link,
    events: {
      data(chunk) {
        heardUs = nowUs();
        splitter.push(chunk, heardUs);
        try {
          let region = splitter.next();
          while (region !== undefined) {
            takeRegion(region);
            region = splitter.next();
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          abandon(error.message);
        }
      },
      written() {
        outbox.written(nowUs());
        if (outbox.backlogBytes === 0) observer.drained(session);
      },
      closed(error) {
        const reason = error?.message ?? "the server closed the connection";
        close({ reason, byRelay: false, refused: false });
      },
    },
    get state() {
      return state;
    },
    get welcome() {
      return welcome;
    },
    get pair() {
      return pair;
    },
    get self() {
      return self;
    },
    get sent() {
      return sent;
    },
    get rttUs() {
      return rttUs;
    },
    get backlogBytes() {
      return outbox.backlogBytes;
    },
    get unknown() {
      return unknown;
    },
    get heardUs() {
      return heardUs;
    },
    send(intendedUs, payloadBytes, warmUp) {
      const bytes = new Uint8Array(dataFrameBytes(welcome!.hopSlots, payloadBytes));
      const frames = { bytes, view: new DataView(bytes.buffer) };
      session.writeMessage(frames, 0, intendedUs, payloadBytes, warmUp);
      const sentUs = nowUs();
      stampSent(frames.view, 0, sentUs);
      if (outbox.sendData(bytes, sentUs)) return true;
      sent--;
      return false;
    },
    writeMessage(frames, at, intendedUs, payloadBytes, warmUp) {
      const { hopSlots, session: origin } = welcome!;
      const flags = messageFlagsOf(warmUp);
      const frame = { flags, hopSlots, origin, sequence: ++sent, intendedUs, payloadBytes };
      writeDataFrame(frames.view, at, frame);
      beginHop(frames.view, at);
      const end = at + dataFrameBytes(hopSlots, payloadBytes);
      frames.bytes.set(payload.subarray(0, payloadBytes), end - payloadBytes);
      return end;
    },
    sendFrames(frames, end) {
      const sentUs = nowUs();
      for (let at = 0; at < end; at += frames.view.getUint32(at, true)) {
        stampSent(frames.view, at, sentUs);
      }
      // A flood paces itself by the drained session: its frames always find room.
      outbox.sendControl(frames.bytes.subarray(0, end), sentUs);
    },
    leave() {
      if (state === "leaving" || state === "closed") return;
      if (state === "greeting") return abandon("left before the welcome");
      state = "leaving";
      outbox.sendControl(writeBye({ reason: "done", counts: ownCounts(), text: "" }), nowUs());
    },
    abandon,
    tick() {
      const atUs = nowUs();
      wakeUs = Infinity;
      if (state === "closed") return Infinity;
      if (state === "greeting") {
        if (atUs - startUs >= GREETING_US) abandon("no welcome within 10 s");
        return startUs + GREETING_US;
      }
      const silentUs = heardUs + SILENT_HEARTBEATS * welcome!.heartbeatMs * 1000;
      if (atUs >= silentUs) {
        abandon(`nothing heard for ${Math.round((atUs - heardUs) / 1e6)} s`);
        return Infinity;
      }
      if (atUs >= heartbeatDueUs) {
        outbox.sendControl(writeHeartbeat(ownCounts()), atUs);
        heartbeatDueUs += welcome!.heartbeatMs * 1000;
      }
      if (state !== "leaving" && schedule.poll(atUs)) askClock(atUs);
      openWhenRead();
      const clockDueUs = state === "leaving" ? Infinity : schedule.dueUs;
      wakeUs = Math.min(clockDueUs, heartbeatDueUs, silentUs);
      return wakeUs;
    },
  };
  outbox.sendControl(writeHello(hello), startUs);
  return session;
}

function hostFields(host: HostClock): { errorUs: number; wallShiftUs: number } {
  return { errorUs: host.boundUs + host.anchorErrorUs, wallShiftUs: host.wallShiftUs };
}
