/**
 * A client's side of one connection: hello and welcome, the exchange of clock readings, messages
 * out and in, heartbeats, and the end by bye. Pure: the link, time and randomness are handed in.
 */
import { readBye, writeBye } from "../relay/bye.ts";
import type { ClockEvent } from "../relay/clock-estimator.ts";
import type { HostClock } from "../relay/clock-system-interval.ts";
import { hopErrorUs } from "../relay/clock-window.ts";
import type { Counts } from "../relay/counts.ts";
import {
  beginHop,
  ClockMethod,
  dataFrameBytes,
  dataFrameFault,
  finishHop,
  FLAG_ECHO,
  FLAG_WARM_UP,
  hopOffset,
  readHopCount,
  readHopSentUs,
  readOrigin,
  readSequence,
  stampSent,
  writeDataFrame,
} from "../relay/data-frame.ts";
import {
  createFrameSplitter,
  FrameType,
  MAX_CONTROL_BYTES,
  MAX_PAYLOAD_BYTES,
  type Region,
} from "../relay/frame.ts";
import { writeHeartbeat } from "../relay/heartbeat.ts";
import { type Hello, writeHello } from "../relay/hello.ts";
import { type Link, type LinkEvents, STRAGGLERS_US } from "../relay/link.ts";
import { eachMessage, type MessageRun, readRun } from "../relay/message-run.ts";
import { createOutbox, type Outbox } from "../relay/outbox.ts";
import type { ProcessPair, ProcessPairs } from "../relay/process-pairs.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import type { Arrival } from "../relay/sequence.ts";
import type { NowUs } from "../relay/time.ts";
import { readWelcome, type Welcome } from "../relay/welcome.ts";
import { type ClockExchange, createClockExchange } from "./clock-exchange.ts";
import { createEarlyMessages } from "./early-messages.ts";
import { createOriginTable, type OriginTable } from "./origin-table.ts";
import { createOrigin, type Origin } from "./origins.ts";
import { createProver, type Secret } from "./prover.ts";

/** greeting: the welcome is awaited · bursting: clocks are read · open · leaving: bye was said */
export type SessionState = "greeting" | "bursting" | "open" | "leaving" | "closed";

export interface SessionOptions {
  hello: Hello;
  pairs: ProcessPairs;
  nowUs: NowUs;
  /** What both ends prove that they know; undefined: any server will do. */
  secret?: Secret | undefined;
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
  /** Messages whose last hop was finished here. */
  messages(session: ClientSession, origin: Origin, run: MessageRun, arrival: Arrival): void;
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
  /** When the newest of them was stamped, just before it was handed over, µs; NaN before the first. */
  readonly sentUs: number;
  /** Round trip of the newest clock exchange, µs; NaN before the first. */
  readonly rttUs: number;
  readonly backlogBytes: number;
  /** Messages of sessions that were never announced. */
  readonly unknown: number;
  /** When the connection was made, and when the last frame came, µs. */
  readonly startUs: number;
  readonly heardUs: number;
  /** Sends a report, unless something else waits to be sent: false then. */
  report(frame: Uint8Array): boolean;
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
/** A tick that comes so late was kept by a process that slept, µs. */
const SLEPT_US = 2_000_000;
/** The welcome has to come within, µs. */
const GREETING_US = 10_000_000;

/** What a session has once it was welcomed. */
interface Standing {
  welcome: Welcome;
  pair: ProcessPair;
  origins: OriginTable;
  clocks: ClockExchange;
}

export function createClientSession(link: Link, options: SessionOptions): ClientSession {
  const { nowUs, observer, hello, payload } = options;
  const startUs = nowUs();
  const outbox: Outbox = createOutbox(link, options.maxBacklogBytes, startUs);
  const splitter = createFrameSplitter(
    Math.max(MAX_CONTROL_BYTES, dataFrameBytes(255, MAX_PAYLOAD_BYTES)),
  );
  const messageFlags = hello.echo ? FLAG_ECHO : 0;
  let filler = payload;
  const helloFrame = writeHello(hello);
  const prover = createProver(link, { helloFrame, nonce: hello.nonce, secret: options.secret });
  let state: SessionState = "greeting";
  let standing: Standing | undefined;
  let sent = 0;
  let sentUs = NaN;
  let unknown = 0;
  let heardUs = startUs;
  let heartbeatDueUs = Infinity;
  let wakeUs = Infinity;
  /** Over UDP messages and other frames overtake one another. */
  const stragglersUs = link.transport === "udp" ? STRAGGLERS_US : 0;
  const early = stragglersUs > 0 ? createEarlyMessages() : undefined;
  /** The relay has said bye; what it sent before is still waited for. */
  let farewell: { end: SessionEnd; dueUs: number } | undefined;

  function takeWelcome(frame: Uint8Array): void {
    const welcome = readWelcome(frame);
    prover.check(frame, welcome);
    const pair = options.pairs.take(welcome.processId);
    const self = createOrigin({
      session: welcome.session,
      sessionId: welcome.sessionId,
      flow: hello.flow,
      received: 0,
      next: 1,
      name: hello.name,
      route: hello.route,
    });
    const origins = createOriginTable(self, {
      nowUs,
      stragglersUs,
      joined: (origin) => observer.originJoined(session, origin),
      left: (origin) => observer.originLeft(session, origin),
    });
    const clocks = createClockExchange({
      ...options,
      pair,
      connection: welcome.session,
      startUs: heardUs,
      send: outbox.sendControl,
      rtt: (rttUs) => observer.rtt(session, rttUs),
      noticed: (event) => observer.clock(session, event),
    });
    standing = { welcome, pair, origins, clocks };
    heartbeatDueUs = heardUs + welcome.heartbeatMs * 1000;
    state = "bursting";
    observer.welcomed(session);
    wakeAt(heardUs);
  }

  function ownCounts({ origins }: Standing): Counts {
    return { sent, origins: origins.receivedCounts() };
  }

  function openWhenRead({ clocks }: Standing): void {
    if (state !== "bursting" || clocks.bursting) return;
    state = "open";
    observer.opened(session);
  }

  function takeMessages({ pair, origins }: Standing, region: Region): void {
    const { view, receivedUs } = region;
    const { offsetUs, errorUs, method } = pair.estimator.estimateAt(receivedUs);
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
        if (early?.keep({ ...region, start: at, end: at + length }) !== true) unknown++;
        at += length;
        continue;
      }
      const run = readRun(region, at, origin.tracker.next);
      const delayUs = receivedUs - readHopSentUs(view, hopOffset(at, readHopCount(view, at) - 1)) +
        offsetUs;
      const boundUs = hopErrorUs(errorUs, delayUs);
      eachMessage(run, (at) => finishHop(view, at, receivedUs, offsetUs, boundUs, methodCode));
      const arrival = origin.tracker.accept(readSequence(view, at), run.count);
      observer.messages(session, origin, run, arrival);
      at += run.count * length;
    }
    region.start = at;
  }

  function takeControl(known: Standing, region: Region): void {
    const { view, start } = region;
    const length = view.getUint32(start, true);
    const frame = region.bytes.subarray(start, start + length);
    region.start += length;
    switch (view.getUint8(start + 4)) {
      case FrameType.directory:
        known.origins.takeDirectory(frame);
        takeEarly(known);
        return wakeAt(known.origins.tick(nowUs()));
      case FrameType.clock:
        known.clocks.answered(frame, region.receivedUs);
        openWhenRead(known);
        return wakeAt(known.clocks.dueUs);
      case FrameType.heartbeat:
        return known.origins.takeHeartbeat(frame);
      case FrameType.bye:
        return takeBye(frame);
      default:
        throw new ProtocolError(`the server sent a frame of type ${view.getUint8(start + 4)}`);
    }
  }

  /** Messages whose origin was not known when they came: it may be now. */
  function takeEarly(known: Standing): void {
    if (early === undefined) return;
    const { regions, forgotten } = early.takeAll(nowUs());
    unknown += forgotten;
    for (const region of regions) takeMessages(known, region);
  }

  function takeBye(frame: Uint8Array): void {
    const bye = readBye(frame);
    standing?.origins.takeCounts(bye.counts);
    const reason = bye.text === "" ? bye.reason : bye.text;
    const isRefusal = standing === undefined;
    const end = { reason, byRelay: !isRefusal, refused: isRefusal };
    if (stragglersUs > 0 && standing?.origins.isMissingAny) {
      state = "leaving";
      farewell = { end, dueUs: nowUs() + stragglersUs };
      wakeAt(farewell.dueUs);
      return;
    }
    close(end);
    link.end();
  }

  function takeFirst(region: Region): void {
    const { view, start } = region;
    const length = view.getUint32(start, true);
    const frame = region.bytes.subarray(start, start + length);
    region.start += length;
    const type = view.getUint8(start + 4);
    if (type === FrameType.bye) return takeBye(frame);
    if (type === FrameType.data && early !== undefined) {
      early.keep({ ...region, start });
      return;
    }
    if (type === FrameType.challenge) return outbox.sendControl(prover.answer(frame), nowUs());
    if (type !== FrameType.welcome) {
      throw new ProtocolError("not a performance server");
    }
    takeWelcome(frame);
  }

  function takeRegion(region: Region): void {
    while (region.start < region.end && state !== "closed") {
      if (standing === undefined) takeFirst(region);
      else if (region.view.getUint8(region.start + 4) === FrameType.data) {
        takeMessages(standing, region);
      } else takeControl(standing, region);
    }
  }

  function close(end: SessionEnd): void {
    if (state === "closed") return;
    state = "closed";
    if (standing !== undefined) {
      options.pairs.release(standing.pair, nowUs());
      standing.origins.leaveAll();
    }
    observer.ended(session, end);
  }

  function abandon(reason: string): void {
    close(farewell?.end ?? { reason, byRelay: false, refused: false });
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
        close(farewell?.end ?? { reason, byRelay: false, refused: false });
      },
    },
    get state() {
      return state;
    },
    get welcome() {
      return standing?.welcome;
    },
    get pair() {
      return standing?.pair;
    },
    get self() {
      return standing?.origins.self;
    },
    get sent() {
      return sent;
    },
    get sentUs() {
      return sentUs;
    },
    get rttUs() {
      return standing?.clocks.rttUs ?? NaN;
    },
    get backlogBytes() {
      return outbox.backlogBytes;
    },
    get unknown() {
      return unknown;
    },
    startUs,
    get heardUs() {
      return heardUs;
    },
    send(intendedUs, payloadBytes, warmUp) {
      const bytes = new Uint8Array(dataFrameBytes(standing!.welcome.hopSlots, payloadBytes));
      const frames = { bytes, view: new DataView(bytes.buffer) };
      session.writeMessage(frames, 0, intendedUs, payloadBytes, warmUp);
      sentUs = nowUs();
      stampSent(frames.view, 0, sentUs);
      if (outbox.sendData([bytes], sentUs)) return true;
      sent--;
      return false;
    },
    writeMessage(frames, at, intendedUs, payloadBytes, warmUp) {
      const { hopSlots, session: origin } = standing!.welcome;
      const flags = messageFlagsOf(warmUp);
      const frame = { flags, hopSlots, origin, sequence: ++sent, intendedUs, payloadBytes };
      writeDataFrame(frames.view, at, frame);
      beginHop(frames.view, at);
      const end = at + dataFrameBytes(hopSlots, payloadBytes);
      // Messages mostly follow one of their own size: a view of the payload is made once for all.
      if (filler.byteLength !== payloadBytes) filler = payload.subarray(0, payloadBytes);
      frames.bytes.set(filler, end - payloadBytes);
      return end;
    },
    sendFrames(frames, end) {
      sentUs = nowUs();
      for (let at = 0; at < end; at += frames.view.getUint32(at, true)) {
        stampSent(frames.view, at, sentUs);
      }
      // A flood paces itself by the drained session: its frames always find room.
      outbox.sendControl(frames.bytes.subarray(0, end), sentUs);
    },
    report(frame) {
      if (state !== "open" || outbox.backlogBytes > 0) return false;
      outbox.sendControl(frame, nowUs());
      return true;
    },
    leave() {
      if (state === "leaving" || state === "closed") return;
      if (standing === undefined) return abandon("left before the welcome");
      state = "leaving";
      outbox.sendControl(
        writeBye({ reason: "done", counts: ownCounts(standing), text: "" }),
        nowUs(),
      );
    },
    abandon,
    tick() {
      const atUs = nowUs();
      // Who slept past its time has not listened: what came meanwhile is still to be read.
      if (atUs - wakeUs > SLEPT_US) heardUs = atUs;
      wakeUs = Infinity;
      if (state === "closed") return Infinity;
      if (standing === undefined) {
        if (atUs - startUs >= GREETING_US) abandon("no welcome within 10 s");
        return startUs + GREETING_US;
      }
      if (farewell !== undefined) {
        wakeUs = farewell.dueUs;
        if (atUs < wakeUs) return wakeUs;
        close(farewell.end);
        link.end();
        return Infinity;
      }
      const { welcome, clocks, origins } = standing;
      const heartbeatUs = welcome.heartbeatMs * 1000;
      const silentUs = heardUs + SILENT_HEARTBEATS * heartbeatUs;
      if (atUs >= silentUs) {
        abandon(`nothing heard for ${Math.round((atUs - heardUs) / 1e6)} s`);
        return Infinity;
      }
      if (atUs >= heartbeatDueUs) {
        outbox.sendControl(writeHeartbeat(ownCounts(standing)), atUs);
        heartbeatDueUs = Math.max(heartbeatDueUs + heartbeatUs, atUs);
      }
      if (state !== "leaving") clocks.poll(atUs);
      openWhenRead(standing);
      const clockDueUs = state === "leaving" ? Infinity : clocks.dueUs;
      wakeUs = Math.min(clockDueUs, heartbeatDueUs, silentUs, origins.tick(atUs));
      return wakeUs;
    },
  };
  outbox.sendControl(helloFrame, startUs);
  return session;
}
