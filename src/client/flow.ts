/**
 * One connection of a route, kept alive: connects, and after a loss again, with backoff and a
 * fresh look at the resolver. Owns what was sent over it, missed and left unconfirmed.
 */
import { SESSION_ID_BYTES } from "../relay/hello.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import type { RouteConfig } from "./options.ts";
import type { Backoff } from "./backoff.ts";
import { updateLoss } from "./origins.ts";
import type { ClientSession, SessionEnd } from "./session.ts";

export interface FlowOptions {
  route: RouteConfig;
  /** Which of the route's connections this is, from 0. */
  flow: number;
  /** First messages of each connection that stay out of the figures. */
  warmUp: number;
  backoff: Backoff;
  /** Connects the transport; rejects with a reason for people. */
  connect: (
    route: RouteConfig,
    signal: AbortSignal,
    opened: (link: Link) => LinkEvents,
  ) => Promise<void>;
  /** Makes the session of a new connection. `previous` is the id of the one before. */
  createSession: (link: Link, flow: Flow, previous: Uint8Array) => ClientSession;
  /** An attempt failed, or a session ended; the next attempt follows in `retryMs`. */
  lost: (flow: Flow, reason: string, retryMs: number) => void;
  /** The relay's last word on an ended session is known, or that there will be none. */
  settled: (session: ClientSession) => void;
}

export interface Flow {
  readonly route: RouteConfig;
  readonly flow: number;
  readonly session: ClientSession | undefined;
  /** Its session is open: messages may be sent. */
  readonly isOpen: boolean;
  /** It connects no more, and its last session has ended. */
  readonly stopped: boolean;
  /** It has connected, or failed to, at least once. */
  readonly tried: boolean;
  /** Messages sent over all sessions, warm-up included. */
  readonly sent: number;
  /** Of them, those that count. */
  readonly measured: number;
  /** Warm-up messages of this session so far. */
  readonly warmedUp: number;
  /** Slots missed while there was no open session, or no room in its backlog. */
  readonly unsent: number;
  /** Sent after the last count of a session that ended without the relay's bye. */
  readonly unconfirmed: number;
  readonly reconnects: number;
  /** Sends one message in the slot `intendedUs`, or counts it as unsent; true where it was sent. */
  send(intendedUs: number, payloadBytes: number): boolean;
  /** Counts a slot as missed. */
  miss(): void;
  /** The next message is one of the warm-up. */
  readonly warmingUp: boolean;
  /** A message was sent by other means than `send`. */
  countSent(): void;
  /** What the session tells its observer, as far as it concerns the flow. */
  welcomed(): void;
  opened(): void;
  ended(end: SessionEnd): void;
  /** Connects no more. An open session is left to its owner. */
  stop(): void;
}

export function createFlow(options: FlowOptions): Flow {
  const { route, warmUp, backoff } = options;
  const stopping = new AbortController();
  let session: ClientSession | undefined;
  /** The session before, while the relay's last word on it is awaited. */
  let unsettled: { session: ClientSession; unconfirmed: number } | undefined;
  let previous: Uint8Array = new Uint8Array(SESSION_ID_BYTES);
  let retry: ReturnType<typeof setTimeout> | undefined;
  let tried = false;
  let everOpened = false;
  let sent = 0;
  let measured = 0;
  let warmedUp = 0;
  let unsent = 0;
  let unconfirmed = 0;
  let reconnects = 0;

  function connect(): void {
    retry = undefined;
    options.connect(route, stopping.signal, (link) => {
      session = options.createSession(link, flow, previous);
      return session.events;
    }).catch((error: Error) => retryLater(error.message));
  }

  function retryLater(reason: string): void {
    tried = true;
    session = undefined;
    if (stopping.signal.aborted) return settle(undefined);
    const retryMs = backoff.nextMs();
    retry = setTimeout(connect, retryMs);
    options.lost(flow, reason, retryMs);
  }

  /** Counts what an ended session has left open until the relay tells more. */
  function leaveUnsettled(ended: ClientSession): void {
    const { self } = ended;
    if (self === undefined) return;
    const confirmed = Math.max(self.latest.next, self.tracker.next) - 1;
    const open = Math.max(0, ended.sent - confirmed);
    unconfirmed += open;
    unsettled = { session: ended, unconfirmed: open };
  }

  /** What the relay never had of all that was sent is lost on the way up. */
  function loseRest({ self, sent }: ClientSession, received: number): void {
    const { number, dropped } = self!;
    updateLoss(self!, { session: number, received, next: sent + 1, dropped });
  }

  /** The relay told, or will never tell, what became of the session before. */
  function settle(counts: { received: number; next: number } | undefined): void {
    if (unsettled === undefined) return;
    const { session: ended, unconfirmed: open } = unsettled;
    unsettled = undefined;
    if (counts !== undefined && ended.self !== undefined) {
      unconfirmed -= open;
      loseRest(ended, counts.received);
    }
    options.settled(ended);
  }

  const flow: Flow = {
    route,
    flow: options.flow,
    get session() {
      return session;
    },
    get isOpen() {
      return session?.state === "open";
    },
    get stopped() {
      return stopping.signal.aborted && session === undefined;
    },
    get tried() {
      return tried;
    },
    get sent() {
      return sent;
    },
    get measured() {
      return measured;
    },
    get warmedUp() {
      return warmedUp;
    },
    get warmingUp() {
      return warmedUp < warmUp;
    },
    get unsent() {
      return unsent;
    },
    get unconfirmed() {
      return unconfirmed;
    },
    get reconnects() {
      return reconnects;
    },
    send(intendedUs, payloadBytes) {
      if (session?.state !== "open" || !session.send(intendedUs, payloadBytes, flow.warmingUp)) {
        flow.miss();
        return false;
      }
      flow.countSent();
      return true;
    },
    miss() {
      unsent++;
    },
    countSent() {
      sent++;
      if (flow.warmingUp) warmedUp++;
      else measured++;
    },
    welcomed() {
      settle(session?.welcome?.previous);
      previous = session!.welcome!.sessionId;
      backoff.reset();
    },
    opened() {
      tried = true;
      warmedUp = 0;
      if (everOpened) reconnects++;
      everOpened = true;
    },
    ended(end) {
      const ended = session;
      if (ended?.welcome !== undefined) {
        if (end.byRelay) {
          // It may have said its bye while messages were on their way to it.
          if (ended.self !== undefined) loseRest(ended, ended.self.latest.received);
          options.settled(ended);
        } else leaveUnsettled(ended);
      }
      retryLater(end.reason);
    },
    stop() {
      stopping.abort();
      clearTimeout(retry);
      if (session === undefined) settle(undefined);
    },
  };
  connect();
  return flow;
}
