/**
 * The relay: takes connections, greets clients, meters their messages' inbound hop and passes each
 * message to the other clients. Pure: links, time and randomness are handed in, and it is told
 * when to look at the time again.
 */
import { type ByeReasonName, writeBye } from "./bye.ts";
import type { ClockEvent, ClockMode } from "./clock-estimator.ts";
import type { HostClock } from "./clock-system-interval.ts";
import type { Counts } from "./counts.ts";
import type { Arrival } from "./sequence.ts";
import { createFanOut } from "./fan-out.ts";
import { createFarewells } from "./farewells.ts";
import { createFrameSplitter } from "./frame.ts";
import { type Admission, createGate } from "./gate.ts";
import { createGreeter, type Greeted, type Secrets } from "./greeting.ts";
import { writeHeartbeat } from "./heartbeat.ts";
import { MAX_HELLO_BYTES } from "./hello.ts";
import type { Link, LinkEvents, TransportName } from "./link.ts";
import type { MessageRun } from "./message-run.ts";
import { createOutbox } from "./outbox.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { Report } from "./report-frame.ts";
import { createInbound } from "./inbound.ts";
import { sendLongCounts } from "./relay-counts.ts";
import type { RateLimits } from "./rate-limit.ts";
import type { RefusalReason } from "./refusal.ts";
import { createRelayDirectory } from "./relay-directory.ts";
import type { Connection, Session } from "./session.ts";
import { createSessions } from "./sessions.ts";
import type { NowUs } from "./time.ts";
import { dueAt, HEARTBEAT_MS } from "./timeouts.ts";
import { createDoorstep, isTls, MADE_ROOM, NO_TLS, noRoom, TOO_MUCH } from "./turned-away.ts";

/** How often timeouts are looked at, µs. */
const PATROL_US = 250_000;
/** A patrol this late means that this process was stopped, or its machine. */
const ASLEEP_US = 1_000_000;

export interface RelayOptions {
  name: string;
  /** 128 random bits; told to clients, never logged. */
  processId: Uint8Array;
  maxClients: number;
  /** Connections from one address (or /64 of IPv6), those included that are no session yet. */
  maxPerAddress?: number;
  /**
   * What each client may send: a flood is slowed down to it, others are sent away. With
   * `maxPerAddress` an address has as many of these rates, whoever comes from there.
   */
  maxRate?: RateLimits | undefined;
  maxBacklogBytes: number;
  /** There is no room for another connection of its own descriptor. */
  isShortOfDescriptors?: (() => boolean) | undefined;
  /** Text that a session's payloads must contain; empty: everything passes. */
  filter: string;
  clockMode: ClockMode;
  /** What is known of this host's wall clock. */
  hostClock: () => HostClock;
  nowUs: NowUs;
  randomBytes: (count: number) => Uint8Array;
  /** Tokens, one of which a client has to know; undefined: anyone may come. */
  secrets?: Secrets | undefined;
  /** The relay wants `tick` to be called at `atUs`, sooner than it said before. */
  wake: (atUs: number) => void;
  observer: RelayObserver;
}

/** What an embedder gets to see: for metering, figures and logs. */
export interface RelayObserver {
  joined(session: Session): void;
  /** Its tracker holds the final counts. `reason` is for people. */
  left(session: Session, reason: string): void;
  /** A connection that was turned away, or came to no TLS session. `text` is for people. */
  refused(peer: string, text: string, reason: RefusalReason): void;
  /** A connection that spoke something else, or nothing. */
  stranger(peer: string, fault: string, reason: RefusalReason): void;
  /** Metered messages whose inbound hop is finished; called after they have been passed on. */
  messages(session: Session, run: MessageRun, arrival: Arrival): void;
  /**
   * Messages that arrived together were passed on to so many receivers: all resided here for
   * `residenceUs`, the last receiver waited `waitUs` more. `warmUp` of the messages were flagged.
   */
  relayed(
    messages: number,
    warmUp: number,
    receivers: number,
    residenceUs: number,
    waitUs: number,
  ): void;
  dropped(recipient: Session, origin: Session, messages: number): void;
  clock(session: Session, event: ClockEvent): void;
  /**
   * What a client measured, as it tells: to be believed no further than its name. Where this is
   * absent, clients are not asked for it.
   */
  report?(session: Session, report: Report, atUs: number): void;
}

export interface Relay {
  /** Takes over a new connection; the transport reports to what this returns. */
  accept(link: Link, admission?: Admission): LinkEvents;
  /**
   * Somebody comes, who is no link yet: what `accept` is to be given with it. Undefined where
   * there is no room. `evict` ends it to make room for others.
   */
  admit(peer: string, evict: () => void): Admission | undefined;
  /** What was admitted became no link, and is gone. */
  left(admission: Admission): void;
  /** Somebody became no link: turned away by the transport, or gone before. `text` is for people. */
  turnedAway(peer: string, text: string, reason: RefusalReason): void;
  /** Does what is due; returns when to call again. */
  tick(): number;
  /** Says bye to everyone and takes nothing more. Done once `connections` is 0. */
  shutdown(): void;
  /** Open sessions. */
  readonly sessions: ReadonlySet<Session>;
  /** Connections that still exist, in whatever state. */
  readonly connections: number;
}

export function createRelay(options: RelayOptions): Relay {
  const { nowUs, observer } = options;
  const connections = new Set<Connection>();
  const perSource = options.maxPerAddress ?? Infinity;
  const sessions = createSessions({
    ...options,
    maxPerAddress: perSource,
    takesReports: observer.report !== undefined,
  });
  const fanOut = createFanOut({
    nowUs,
    maxBacklogBytes: options.maxBacklogBytes,
    dropped: observer.dropped,
  });
  const gate = createGate({
    // Those that say bye are still there for a moment.
    connections: 4 * options.maxClients,
    perSource,
    halfOpen: 2 * options.maxClients,
  });
  const doorstep = createDoorstep();
  const greeter = createGreeter({ secrets: options.secrets, randomBytes: options.randomBytes });
  const directory = createRelayDirectory(fanOut.recipients);
  const inbound = createInbound({
    ...options,
    fanOut,
    directory,
    sessions: sessions.open,
    byeSaid: (session, sent, atUs) => farewells.said(session, sent, atUs),
    broken: (session, fault, atUs) => fail(session.connection, fault, atUs),
    tooMuch(session, atUs) {
      refuse(session.connection, { bye: "rate", reason: "rate" }, TOO_MUCH, atUs);
    },
  });
  const farewells = createFarewells({
    sessions: sessions.open,
    fanOut,
    directory,
    wake: options.wake,
    answer: (session, atUs) => bye(session.connection, "done", "", atUs),
  });
  let patrolUs = nowUs() + PATROL_US;
  let shuttingDown = false;

  /** Lets someone in who comes by `transport`, of which only some take a descriptor each. */
  function enter(peer: string, evict: () => void, transport: TransportName = "tcp") {
    if (transport === "tcp" && options.isShortOfDescriptors?.()) return "descriptors";
    return gate.enter(peer, evict);
  }

  /** Says bye; what is queued still leaves. */
  function bye(connection: Connection, reason: ByeReasonName, text: string, atUs: number): void {
    if (connection.state === "closing" || connection.state === "closed") return;
    const { session } = connection;
    if (session?.flow === 0 && !farewells.endsOf(session)) directory.farewell(session, atUs);
    const counts = session ? sendCounts(session, 0, atUs) : { sent: 0, origins: [] };
    connection.state = "closing";
    connection.closingUs = atUs;
    connection.outbox.sendControl(writeBye({ reason, counts, text }), atUs);
    if (session) endSession(session, text, atUs);
    if (connection.outbox.backlogBytes === 0) connection.link.end();
  }

  function sendCounts(session: Session, sinceUs: number, atUs: number): Counts {
    const ends = farewells.endsOf(session);
    return sendLongCounts(session, { sessions: sessions.open, ends }, sinceUs, atUs);
  }

  /** Turns a connection away that is no session, and tells it why. */
  function refuse(
    connection: Connection,
    as: { bye: ByeReasonName; reason: RefusalReason },
    text: string,
    atUs: number,
  ): void {
    observer.refused(connection.link.peer, text, as.reason);
    bye(connection, as.bye, text, atUs);
  }

  function endSession(session: Session, reason: string, atUs: number): void {
    if (!sessions.end(session, atUs)) return;
    farewells.forget(session);
    fanOut.remove(session);
    inbound.forget(session);
    if (session.metered) directory.left(session, atUs);
    observer.left(session, reason === "" ? "done" : reason);
    inbound.releaseHeld(atUs);
    wakeForDirectory(atUs);
  }

  function wakeForDirectory(atUs: number): void {
    const dueUs = directory.tick(atUs);
    if (dueUs < patrolUs) options.wake(dueUs);
  }

  function greet(connection: Connection, greeted: Greeted, atUs: number): void {
    if ("refusal" in greeted) {
      refuse(connection, { bye: "untrusted", reason: greeted.refusal }, greeted.text, atUs);
      return;
    }
    const { hello } = greeted;
    if (hello.probe) {
      // Who is not trusted learns that somebody serves here, not who.
      const isTrusted = connection.link.refusal === undefined && options.secrets === undefined;
      connection.outbox.sendControl(
        greeted.writeWelcome(sessions.welcomeProbe(hello, isTrusted)),
        atUs,
      );
      connection.state = "closing";
      connection.closingUs = atUs;
      if (connection.outbox.backlogBytes === 0) connection.link.end();
      return;
    }
    if (hello.mode === "flood" && connection.link.transport === "udp") {
      // Nothing would tell it how fast its receivers take.
      fail(connection, "hello: a flood over UDP", atUs);
      return;
    }
    const previous = sessions.previousOf(hello);
    if (previous !== undefined) {
      // It comes back while its old connection still looks alive: it takes that one's place.
      const text = "replaced by a newer connection of the client";
      bye(previous.connection, "replaced", text, atUs);
    }
    if (sessions.open.size >= options.maxClients) {
      const text = `the server is full: ${sessions.open.size} of ${options.maxClients} clients`;
      refuse(connection, { bye: "full", reason: "full" }, text, atUs);
      return;
    }
    const session = sessions.begin(connection, hello, atUs);
    connection.session = session;
    connection.state = "open";
    gate.settled(connection.admission);
    connection.heardUs = atUs;
    connection.splitter.setLimit(inbound.maxFrameBytes);
    connection.outbox.sendControl(greeted.writeWelcome(sessions.welcome(hello, session)), atUs);
    if (session.flow === 0) {
      directory.introduce(session, [...sessions.open].filter((other) => other.metered), atUs);
      fanOut.add(session);
    }
    if (session.metered) directory.joined(session, atUs);
    observer.joined(session);
    wakeForDirectory(atUs);
  }

  /** Reads what has arrived, as far as flow control lets it. */
  function read(connection: Connection, atUs: number): void {
    try {
      if (connection.state === "greeting") {
        const greeted = greeter.read(connection, atUs);
        if (greeted !== undefined) greet(connection, greeted, atUs);
      }
      if (connection.session && connection.state === "open") inbound.read(connection.session);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      fail(connection, error.message, atUs);
    }
  }

  /** A peer broke the rules: a client is told so, a stranger is not. After a bye none count. */
  function fail(connection: Connection, fault: string, atUs: number): void {
    if (connection.state !== "greeting") {
      if (connection.state === "open") observer.refused(connection.link.peer, fault, "protocol");
      bye(connection, "protocol", fault, atUs);
      return;
    }
    turnOff(connection, fault, "stranger", atUs);
  }

  /** Ends a connection that said nothing that we know. */
  function turnOff(
    connection: Connection,
    fault: string,
    reason: RefusalReason,
    atUs: number,
  ): void {
    observer.stranger(connection.link.peer, fault, reason);
    drop(connection, fault, atUs);
  }

  /** Ends a connection at once. */
  function drop(connection: Connection, reason: string, atUs: number): void {
    if (connection.state === "closed") return;
    connection.state = "closed";
    connections.delete(connection);
    gate.left(connection.admission);
    if (connection.session) endSession(connection.session, reason, atUs);
    connection.link.destroy();
  }

  function patrol(atUs: number): void {
    for (const connection of connections) {
      switch (dueAt(connection, atUs, options.maxBacklogBytes)) {
        case "no-hello":
          turnOff(connection, "no hello", "slow", atUs);
          break;
        case "unheard-bye":
          drop(connection, "did not take its bye", atUs);
          break;
        case "stalled":
          drop(connection, "stalled: took nothing for 5 s", atUs);
          break;
        case "silent":
          bye(connection, "silent", "silent: nothing heard for 30 s", atUs);
          break;
        case "heartbeat":
          heartbeat(connection.session!, atUs);
      }
    }
    sessions.forget(atUs);
    doorstep.patrol(atUs);
    inbound.releaseHeld(atUs);
  }

  function heartbeat(session: Session, atUs: number): void {
    const periodUs = HEARTBEAT_MS * 1000;
    // Twice the period: what changed is told twice, so a lost heartbeat loses nothing.
    const counts = sendCounts(session, atUs - 2 * periodUs, atUs);
    session.connection.outbox.sendControl(writeHeartbeat(counts), atUs);
    // After a sleep of this process the missed ones are not made up for.
    session.heartbeatDueUs = Math.max(session.heartbeatDueUs + periodUs, atUs);
  }

  return {
    sessions: sessions.open,
    get connections() {
      return connections.size;
    },
    left: gate.left,
    admit(peer, evict) {
      const admission = enter(peer, evict);
      if (typeof admission !== "string") return admission;
      observer.refused(peer, noRoom(admission), admission);
      return undefined;
    },
    accept(link, given) {
      const startUs = nowUs();
      const admission = given ?? enter(link.peer, () => {}, link.transport);
      if (typeof admission === "string") {
        observer.refused(link.peer, noRoom(admission), admission);
        return doorstep.turnDown(link, admission, startUs);
      }
      admission.evict = () => {
        if (connection.state === "greeting") turnOff(connection, MADE_ROOM, "half-open", nowUs());
        // It was refused, and counted as that; its bye has had its time.
        else drop(connection, MADE_ROOM, nowUs());
      };
      const connection: Connection = {
        link,
        outbox: createOutbox(link, options.maxBacklogBytes, startUs),
        splitter: createFrameSplitter(MAX_HELLO_BYTES),
        state: "greeting",
        heardUs: startUs,
        closingUs: Infinity,
        session: undefined,
        admission,
        challenged: undefined,
      };
      connections.add(connection);
      if (shuttingDown) bye(connection, "shutdown", "the server is shutting down", startUs);
      return {
        data(chunk) {
          const atUs = nowUs();
          if (connection.state !== "greeting" && connection.state !== "open") return;
          if (connection.state === "greeting" && beginsAsTls(connection, chunk)) {
            refuse(connection, { bye: "tls", reason: "tls" }, NO_TLS, atUs);
            return;
          }
          // A hello that comes in drips gets no more time than one that does not come.
          if (connection.state === "open") connection.heardUs = atUs;
          connection.splitter.push(chunk, atUs);
          read(connection, atUs);
          if (connection.session) farewells.heard(connection.session, atUs);
        },
        written() {
          if (connection.state === "closed") return;
          const atUs = nowUs();
          connection.outbox.written(atUs);
          if (connection.session) connection.session.overflowed = false;
          if (connection.state === "closing" && connection.outbox.backlogBytes === 0) link.end();
          inbound.releaseHeld(atUs);
        },
        closed(error) {
          const atUs = nowUs();
          if (connection.state === "greeting") {
            observer.stranger(link.peer, error?.message ?? "left without a hello", "left");
          }
          drop(connection, error?.message ?? "connection closed", atUs);
        },
      };
    },
    turnedAway: observer.refused,
    tick() {
      const atUs = nowUs();
      if (atUs >= patrolUs) {
        // After a sleep of this process everyone looks silent, until what they sent has been read.
        if (atUs - patrolUs < ASLEEP_US) patrol(atUs);
        patrolUs = atUs + PATROL_US;
      }
      return Math.min(patrolUs, directory.tick(atUs), farewells.tick(atUs));
    },
    shutdown() {
      shuttingDown = true;
      const atUs = nowUs();
      for (const connection of connections) {
        bye(connection, "shutdown", "the server is shutting down", atUs);
      }
    },
  };
}

/** Whether a connection begins as TLS does. */
function beginsAsTls({ splitter }: Connection, chunk: Uint8Array): boolean {
  return splitter.pendingBytes < 2 && isTls([...splitter.peek(), ...chunk.subarray(0, 2)]);
}
