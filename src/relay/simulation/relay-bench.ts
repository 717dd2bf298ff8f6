/**
 * A relay on a bench: time is moved by hand, and its connections are links of which each test says
 * when they take what they are given. For tests that look at single events; nothing is random.
 */
import { type Bye, readBye, writeBye } from "../bye.ts";
import { type ClockFrame, readClockFrame } from "../clock-frame.ts";
import type { Counts } from "../counts.ts";
import { beginHop, dataFrameBytes, HOP_SLOTS, stampSent, writeDataFrame } from "../data-frame.ts";
import { readOrigin, readSequence } from "../data-frame.ts";
import { type DirectoryEntry, readDirectory } from "../directory.ts";
import type { OriginCounts } from "../counts.ts";
import { FrameType } from "../frame.ts";
import { eachMessage } from "../message-run.ts";
import { readHeartbeat } from "../heartbeat.ts";
import { type Hello, writeHello } from "../hello.ts";
import type { Link, LinkEvents } from "../link.ts";
import { createRelay, type Relay, type RelayOptions } from "../relay.ts";
import type { Arrival } from "../sequence.ts";
import type { Session } from "../session.ts";
import { readWelcome, type Welcome } from "../welcome.ts";

/** What the relay told its observer. */
export interface BenchLog {
  joined: Session[];
  left: { session: Session; reason: string }[];
  refused: string[];
  strangers: string[];
  messages: { session: Session; sequence: number; arrival: Arrival }[];
  relayed: { messages: number; warmUp: number; receivers: number; residenceUs: number }[];
  waitsUs: number[];
  dropped: { recipient: Session; origin: Session; messages: number }[];
}

/** The far end of a connection to the relay. */
export interface BenchPeer {
  readonly link: {
    /** Takes what is written at once; otherwise `take` has to be called for each piece. */
    takes: boolean;
    paused: boolean;
    ended: boolean;
    destroyed: boolean;
    /** Tells `closed` from within `destroy`. */
    closesAtOnce: boolean;
  };
  /** Slices as they were handed to the link: the very buffers. */
  readonly slices: Uint8Array[];
  /** Bytes arrive at the relay. */
  say(...frames: Uint8Array[]): void;
  sayHello(hello?: Partial<Hello>): void;
  /** Sends messages in one chunk, with the next sequences. */
  send(count?: number, payload?: string, hopSlots?: number): void;
  sayBye(sent: number): void;
  /** The piece on its way has left; returns whether there was one. */
  take(): boolean;
  /** Takes everything, until nothing waits. */
  takeAll(): void;
  /** The connection is gone. */
  vanish(error?: Error): void;
  /** Whole frames that were written, of this type. */
  frames(type: keyof typeof FrameType): Uint8Array[];
  readonly welcome: Welcome | undefined;
  readonly bye: Bye | undefined;
  readonly joined: DirectoryEntry[];
  readonly left: OriginCounts[];
  readonly heartbeats: Counts[];
  readonly clocks: ClockFrame[];
  /** Messages as `ORIGIN:SEQUENCE`, in order. */
  readonly messages: string[];
  /** Types of all frames, in order. */
  readonly types: string[];
}

export interface Bench {
  readonly relay: Relay;
  readonly log: BenchLog;
  readonly nowUs: number;
  /** Each reading of the clock moves it by so much, until time passes. */
  readingCostUs: number;
  /** Moves time, and lets the relay do what is due meanwhile. */
  pass(us: number): void;
  /** Moves time while the relay gets nothing done. */
  sleep(us: number): void;
  /** `refusal`: what the transport says against it. */
  connect(refusal?: string): BenchPeer;
  /** Connects a client and says its hello; the news of it have been told when this returns. */
  join(hello?: Partial<Hello>): BenchPeer;
}

const TYPES = Object.keys(FrameType) as (keyof typeof FrameType)[];
const typeOf = (frame: Uint8Array): string => TYPES[frame[4]! - 1] ?? `${frame[4]}`;

/** One that a client sends: its first hop is begun. */
export function message(
  sequence: number,
  { flags = 0, hopSlots = HOP_SLOTS, payload = "", intendedUs = 1e14, sentUs = 1e14 + 1 } = {},
): Uint8Array {
  const content = new TextEncoder().encode(payload);
  const bytes = new Uint8Array(dataFrameBytes(hopSlots, content.byteLength));
  const view = new DataView(bytes.buffer);
  const payloadBytes = content.byteLength;
  writeDataFrame(view, 0, { flags, hopSlots, origin: 0, sequence, intendedUs, payloadBytes });
  beginHop(view, 0);
  stampSent(view, 0, sentUs);
  bytes.set(content, bytes.byteLength - payloadBytes);
  return bytes;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

export function createBench(changes: Partial<RelayOptions> = {}): Bench {
  let nowUs = 2e14;
  let readingCostUs = 0;
  let dueUs = Infinity;
  let random = 0;
  let processes = 0;
  const log: BenchLog = {
    joined: [],
    left: [],
    refused: [],
    strangers: [],
    messages: [],
    relayed: [],
    waitsUs: [],
    dropped: [],
  };
  const relay = createRelay({
    name: "relay",
    processId: new Uint8Array(16).fill(0xee),
    maxClients: 1000,
    maxBacklogBytes: 1 << 20,
    filter: "",
    clockMode: "estimate",
    hostClock: () => ({ boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 }),
    nowUs: () => nowUs += readingCostUs,
    randomBytes: (count) => new Uint8Array(count).fill(++random),
    wake: (atUs) => dueUs = Math.min(dueUs, atUs),
    observer: {
      joined: (session) => log.joined.push(session),
      left: (session, reason) => log.left.push({ session, reason }),
      refused: (_, reason) => log.refused.push(reason),
      stranger: (_, fault) => log.strangers.push(fault),
      messages(session, run, arrival) {
        eachMessage(run, (at) => {
          log.messages.push({ session, sequence: readSequence(run.view, at), arrival });
        });
      },
      relayed(messages, warmUp, receivers, residenceUs, waitUs) {
        log.relayed.push({ messages, warmUp, receivers, residenceUs });
        log.waitsUs.push(waitUs);
      },
      dropped: (recipient, origin, messages) => log.dropped.push({ recipient, origin, messages }),
      clock() {},
    },
    ...changes,
  });

  function tick(): void {
    dueUs = Infinity;
    dueUs = Math.min(dueUs, relay.tick());
  }

  const bench: Bench = {
    relay,
    log,
    get readingCostUs() {
      return readingCostUs;
    },
    set readingCostUs(us) {
      readingCostUs = us;
    },
    get nowUs() {
      return nowUs;
    },
    pass(us) {
      const endUs = nowUs + us;
      readingCostUs = 0;
      while (dueUs <= endUs) {
        nowUs = Math.max(nowUs, dueUs);
        tick();
      }
      nowUs = endUs;
    },
    sleep(us) {
      nowUs += us;
    },
    connect: (refusal) => createPeer(relay, () => ++processes, refusal),
    join(hello) {
      const peer = bench.connect();
      peer.sayHello(hello);
      bench.pass(20_000);
      return peer;
    },
  };
  tick();
  return bench;
}

function createPeer(
  relay: Relay,
  nextProcess: () => number,
  refusal: string | undefined,
): BenchPeer {
  const state = {
    takes: true,
    paused: false,
    ended: false,
    destroyed: false,
    closesAtOnce: false,
  };
  const slices: Uint8Array[] = [];
  let inFlight = false;
  let sequence = 0;
  const link: Link = {
    transport: "tcp",
    peer: "192.0.2.1:50000",
    ...(refusal !== undefined && { refusal }),
    write(piece) {
      if (inFlight || state.ended || state.destroyed) throw new Error("written at a wrong time");
      slices.push(...piece);
      inFlight = !state.takes;
      return state.takes;
    },
    pause: () => state.paused = true,
    resume: () => state.paused = false,
    end: () => state.ended = true,
    destroy() {
      state.destroyed = true;
      if (state.closesAtOnce) events.closed();
    },
  };
  const events: LinkEvents = relay.accept(link);

  /** Whole frames; what was handed over and has not left is not there yet. */
  function allFrames(): Uint8Array[] {
    const bytes = joinBytes(slices);
    const view = new DataView(bytes.buffer);
    const frames: Uint8Array[] = [];
    for (let at = 0; at + 4 <= bytes.byteLength;) {
      const length = view.getUint32(at, true);
      if (at + length > bytes.byteLength) break;
      frames.push(bytes.slice(at, at + length));
      at += length;
    }
    return frames;
  }

  const peer: BenchPeer = {
    link: state,
    slices,
    say: (...frames) => events.data(joinBytes(frames)),
    sayHello(hello = {}) {
      peer.say(writeHello({
        probe: false,
        echo: false,
        processId: new Uint8Array(16).fill(nextProcess()),
        previousSession: new Uint8Array(8),
        maxPayloadBytes: 65_536,
        flow: 0,
        mode: "paced",
        name: "client",
        route: "direct",
        prefix: "",
        ...hello,
      }));
    },
    send(count = 1, payload = "", hopSlots = HOP_SLOTS) {
      const frames = Array.from(
        { length: count },
        () => message(++sequence, { payload, hopSlots }),
      );
      peer.say(...frames);
    },
    sayBye(sent) {
      peer.say(writeBye({ reason: "done", counts: { sent, origins: [] }, text: "" }));
    },
    take() {
      if (!inFlight) return false;
      inFlight = false;
      events.written();
      return true;
    },
    takeAll() {
      while (peer.take());
    },
    vanish: (error) => events.closed(error),
    frames: (type) => allFrames().filter((frame) => typeOf(frame) === type),
    get welcome() {
      const [frame] = peer.frames("welcome");
      return frame && readWelcome(frame);
    },
    get bye() {
      const [frame] = peer.frames("bye");
      return frame && readBye(frame);
    },
    get joined() {
      return peer.frames("directory").flatMap((frame) => readDirectory(frame).joined);
    },
    get left() {
      return peer.frames("directory").flatMap((frame) => readDirectory(frame).left);
    },
    get heartbeats() {
      return peer.frames("heartbeat").map(readHeartbeat);
    },
    get clocks() {
      return peer.frames("clock").map(readClockFrame);
    },
    get messages() {
      return peer.frames("data").map((frame) => {
        const view = new DataView(frame.buffer);
        return `${readOrigin(view, 0)}:${readSequence(view, 0)}`;
      });
    },
    get types() {
      return allFrames().map(typeOf);
    },
  };
  return peer;
}
