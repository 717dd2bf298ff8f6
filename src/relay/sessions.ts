/** A relay's sessions: begun by a hello, told of by a welcome, remembered once they have ended. */
import { createAllowances } from "./allowances.ts";
import type { ClockMode } from "./clock-estimator.ts";
import { HOP_SLOTS } from "./data-frame.ts";
import { createEndedSessions } from "./ended-sessions.ts";
import { MAX_PAYLOAD_BYTES } from "./frame.ts";
import { type Hello, PROCESS_ID_BYTES, SESSION_ID_BYTES } from "./hello.ts";
import { toHex } from "./hex.ts";
import { createProcessPairs } from "./process-pairs.ts";
import type { RateLimits } from "./rate-limit.ts";
import { createSequenceTracker } from "./sequence.ts";
import type { Connection, Session } from "./session.ts";
import { HEARTBEAT_MS } from "./timeouts.ts";
import type { Welcome } from "./welcome.ts";

export interface SessionsOptions {
  /** Of the relay. */
  name: string;
  /** Of the relay: told to clients, never logged. */
  processId: Uint8Array;
  /** Text that a session's payloads must contain to be metered; empty: any will do. */
  filter: string;
  clockMode: ClockMode;
  maxRate?: RateLimits | undefined;
  /** Connections from one address; Infinity: any number. */
  maxPerAddress: number;
  /** Whether clients are asked for what they measure. */
  takesReports: boolean;
  randomBytes: (count: number) => Uint8Array;
}

export interface Sessions {
  readonly open: ReadonlySet<Session>;
  begin(connection: Connection, hello: Hello, atUs: number): Session;
  /** False where it had ended before. */
  end(session: Session, atUs: number): boolean;
  /** The one that a client had before it came back, if it is still open. */
  previousOf(hello: Hello): Session | undefined;
  welcome(hello: Hello, session: Session): Welcome;
  /** Answers who only asks whether somebody serves here; `named`: and who. */
  welcomeProbe(hello: Hello, named: boolean): Welcome;
  /** Lets go of what is known of clients that are gone for long. */
  forget(atUs: number): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const open = new Set<Session>();
  const ended = createEndedSessions();
  const pairs = createProcessPairs(options.clockMode);
  const allowances = options.maxRate && createAllowances(options.maxRate, options.maxPerAddress);
  let lastNumber = 0;

  const welcomeFor = (hello: Hello) => {
    const previous = ended.countsFor(hello);
    return {
      takesReports: options.takesReports,
      maxPayloadBytes: Math.min(hello.maxPayloadBytes, MAX_PAYLOAD_BYTES),
      heartbeatMs: HEARTBEAT_MS,
      hopSlots: HOP_SLOTS,
      ...(previous && { previous }),
    };
  };

  return {
    open,
    begin(connection, hello, atUs) {
      const idBytes = options.randomBytes(SESSION_ID_BYTES);
      const session: Session = {
        connection,
        number: ++lastNumber,
        id: toHex(idBytes),
        idBytes,
        name: hello.name,
        route: hello.route,
        flow: hello.flow,
        mode: hello.mode,
        echo: hello.echo,
        metered: hello.prefix.includes(options.filter),
        maxPayloadBytes: hello.maxPayloadBytes,
        pair: pairs.take(hello.processId),
        tracker: createSequenceTracker(1),
        dropped: new Map(),
        droppedTotal: 0,
        noSlot: 0,
        overflowed: false,
        rate: allowances?.take(connection.admission.source, atUs),
        held: false,
        dataUs: 0,
        reportUs: -Infinity,
        heartbeatDueUs: atUs + HEARTBEAT_MS * 1000,
        rttUs: NaN,
        answer: undefined,
      };
      open.add(session);
      return session;
    },
    end(session, atUs) {
      if (!open.delete(session)) return false;
      if (session.rate) allowances!.release(session.connection.admission.source, session.rate);
      pairs.release(session.pair, atUs);
      ended.remember(session);
      return true;
    },
    previousOf(hello) {
      const previous = toHex(hello.previousSession);
      const processId = toHex(hello.processId);
      for (const session of open) {
        if (session.id === previous && session.pair.processId === processId) return session;
      }
      return undefined;
    },
    welcome(hello, { metered, number, idBytes }) {
      const { name, processId } = options;
      return {
        ...welcomeFor(hello),
        metered,
        session: number,
        sessionId: idBytes,
        name,
        processId,
      };
    },
    welcomeProbe(hello, named) {
      return {
        ...welcomeFor(hello),
        metered: true,
        session: 0,
        sessionId: new Uint8Array(SESSION_ID_BYTES),
        name: named ? options.name : "",
        processId: named ? options.processId : new Uint8Array(PROCESS_ID_BYTES),
      };
    },
    forget: pairs.forget,
  };
}
