/**
 * A client's side of one connection: hello and welcome, the exchange of clock readings, messages
 * out and in, heartbeats, and the end by bye. Pure: the link, time and randomness are handed in.
 */
import { readBye, writeBye } from "../relay/bye.ts";
import type { ClockEvent } from "../relay/clock-estimator.ts";
import type { HostClock } from "../relay/clock-system-interval.ts";
import type { Counts } from "../relay/counts.ts";
import { dataFrameBytes } from "../relay/data-frame.ts";
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
import type { MessageRun } from "../relay/message-run.ts";
import { createOutbox, type Outbox } from "../relay/outbox.ts";
import type { ProcessPair, ProcessPairs } from "../relay/process-pairs.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import type { Arrival } from "../relay/sequence.ts";
import type { NowUs } from "../relay/time.ts";
import { readWelcome, type Welcome } from "../relay/welcome.ts";
import { type ClockExchange, createClockExchange } from "./clock-exchange.ts";
import { createInbound } from "./inbound.ts";
import { createMessageWriter, type Frames } from "./message-writer.ts";
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
  const { nowUs, observer, hello } = options;
  const startUs = nowUs();
  const outbox: Outbox = createOutbox(link, options.maxBacklogBytes, startUs);
  const splitter = createFrameSplitter(
    Math.max(MAX_CONTROL_BYTES, dataFrameBytes(255, MAX_PAYLOAD_BYTES)),
  );
  const writer = createMessageWriter(options.payload, hello.echo);
  const helloFrame = writeHello(hello);
  const prover = createProver(link, { helloFrame, nonce: hello.nonce, secret: options.secret });
  let state: SessionState = "greeting";
  let standing: Standing | undefined;
  let heardUs = startUs;
  let heartbeatDueUs = Infinity;
  let wakeUs = Infinity;
  /** Over UDP messages and other frames overtake one another. */
  const stragglersUs = link.transport === "udp" ? STRAGGLERS_US : 0;
  const inbound = createInbound(stragglersUs === 0, (origin, run, arrival) => {
    observer.messages(session, origin, run, arrival);
  });
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
    return { sent: writer.written, origins: origins.receivedCounts() };
  }

  function openWhenRead({ clocks }: Standing): void {
    if (state !== "bursting" || clocks.bursting) return;
    state = "open";
    observer.opened(session);
  }

  function takeControl(known: Standing, region: Region): void {
    const { view, start } = region;
    const length = view.getUint32(start, true);
    const frame = region.bytes.subarray(start, start + length);
    region.start += length;
    switch (view.getUint8(start + 4)) {
      case FrameType.directory:
        known.origins.takeDirectory(frame);
        inbound.takeEarly(known, nowUs());
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
    if (type === FrameType.data && inbound.keep({ ...region, start })) return;
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
        inbound.take(standing, region);
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
      return writer.written;
    },
    get sentUs() {
      return writer.stampedUs;
    },
    get rttUs() {
      return standing?.clocks.rttUs ?? NaN;
    },
    get backlogBytes() {
      return outbox.backlogBytes;
    },
    get unknown() {
      return inbound.unknown;
    },
    startUs,
    get heardUs() {
      return heardUs;
    },
    send(intendedUs, payloadBytes, warmUp) {
      const bytes = new Uint8Array(dataFrameBytes(standing!.welcome.hopSlots, payloadBytes));
      const frames = { bytes, view: new DataView(bytes.buffer) };
      const end = session.writeMessage(frames, 0, intendedUs, payloadBytes, warmUp);
      const atUs = nowUs();
      writer.stamp(frames, end, atUs);
      if (outbox.sendData([bytes], atUs)) return true;
      writer.takeBack();
      return false;
    },
    writeMessage(frames, at, intendedUs, payloadBytes, warmUp) {
      return writer.write(standing!.welcome, frames, at, intendedUs, payloadBytes, warmUp);
    },
    sendFrames(frames, end) {
      const atUs = nowUs();
      writer.stamp(frames, end, atUs);
      // A flood paces itself by the drained session: its frames always find room.
      outbox.sendControl(frames.bytes.subarray(0, end), atUs);
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
