/** What the HTTP service shows of a server. */
import type { ServedProgram } from "../http/service.ts";
import { toMs } from "../metrics/delays.ts";
import { OTHER } from "../metrics/keys.ts";
import type { SessionView } from "../metrics/mesh-view.ts";
import type { RunSummary } from "../metrics/summary.ts";
import type { RelayObserver } from "../relay/relay.ts";
import type { Session } from "../relay/session.ts";
import { toUnixMs } from "../relay/time.ts";
import type { ServerMetering } from "./metering.ts";

/** Nothing heard for so long, where heartbeats come every 10 s. */
const STALE_US = 15e6;

export interface ServedServerOptions {
  name: string;
  run: string;
  nowUs: () => number;
  metering: ServerMetering;
  sessions: () => ReadonlySet<Session>;
  isReady: () => boolean;
  clockErrorMs: () => number;
  summarise: () => RunSummary;
  rest: () => Pick<RunSummary, "sinks" | "udp">;
  page?: NonNullable<ServedProgram["page"]>;
}

export interface ServedServer {
  program: ServedProgram;
  /** To be told what the relay tells its observer. */
  observer: Pick<RelayObserver, "joined" | "left"> & {
    /** A connection became no session, for this reason: one of few words. */
    turnedAway(reason: string): void;
  };
}

export function createServedServer(options: ServedServerOptions): ServedServer {
  const { name, metering, nowUs } = options;
  const joinedAt = new WeakMap<Session, number>();
  /** Sessions by name and route. */
  const expected = new Map<string, number>();
  const turnedAway = new Map<string, number>();

  const count = (session: { name: string; route: string }, change: number): void => {
    const id = JSON.stringify([session.name, session.route]);
    const now = (expected.get(id) ?? 0) + change;
    if (now > 0) expected.set(id, now);
    else expected.delete(id);
  };

  const viewOf = (session: Session): SessionView => {
    const { connection, rttUs, pair } = session;
    const atUs = nowUs();
    const { errorUs } = pair.estimator.estimateAt(atUs);
    const silentUs = Math.max(0, atUs - connection.heardUs);
    return {
      id: session.id,
      name: session.name,
      route: session.route,
      flow: session.flow,
      peer: connection.link.peer,
      transport: connection.link.transport,
      mode: session.mode,
      state: silentUs > STALE_US ? "stale" : "live",
      joined_at: Math.round(joinedAt.get(session) ?? 0),
      silent_s: Math.round(silentUs / 1e5) / 10,
      ...(Number.isFinite(rttUs) && { rtt_ms: toMs(rttUs) }),
      ...(Number.isFinite(errorUs) && { error_ms: toMs(errorUs) }),
      backlog_bytes: connection.outbox.backlogBytes,
      dropped: session.droppedTotal,
      metered: session.metered,
    };
  };

  return {
    observer: {
      joined(session) {
        joinedAt.set(session, toUnixMs(nowUs()));
        count(session, 1);
      },
      left: (session) => count(session, -1),
      turnedAway: (reason) => void turnedAway.set(reason, (turnedAway.get(reason) ?? 0) + 1),
    },
    program: {
      tool: "performance-server",
      kind: "server",
      name,
      run: options.run,
      figures: metering.figures,
      isOwnName: (other) => other === name,
      isExpected: ({ from, route }) =>
        from === OTHER || expected.has(JSON.stringify([from, route])),
      isReady: options.isReady,
      sessions: () => [...options.sessions()].map(viewOf),
      differences: () => [],
      clockErrorMs: options.clockErrorMs,
      summarise: options.summarise,
      processFigures: () => ({
        ...metering.totals(),
        ...metering.distributions,
        turnedAway,
        udp: undefined,
        ...options.rest(),
      }),
      ...(options.page && { page: options.page }),
    },
  };
}
