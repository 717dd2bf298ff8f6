/** What the HTTP service shows of a client. */
import type { ServedProgram } from "../http/service.ts";
import { toMs } from "../metrics/delays.ts";
import { keyNodes, OTHER } from "../metrics/keys.ts";
import type { SessionView } from "../metrics/mesh-view.ts";
import type { RunSummary } from "../metrics/summary.ts";
import { toUnixMs } from "../relay/time.ts";
import type { Client } from "./client.ts";
import type { ClientMetering } from "./metering.ts";
import type { ClientSession } from "./session.ts";

/** Nothing heard for so long, where heartbeats come every 10 s. */
const STALE_US = 15e6;

export interface ServedClientOptions {
  name: string;
  run: string;
  nowUs: () => number;
  metering: ClientMetering;
  client: Pick<Client, "sessions" | "summarise">;
  clockErrorMs: () => number;
  summarise: () => RunSummary;
  rest: () => Pick<RunSummary, "sinks" | "udp">;
}

export function createServedClient(options: ServedClientOptions): ServedProgram {
  const { name, metering, client, nowUs } = options;
  const sessions = (): ClientSession[] =>
    client.sessions().filter(({ welcome }) => welcome !== undefined);

  const viewOf = (session: ClientSession): SessionView => {
    const { hello, welcome, self, pair, link, rttUs, heardUs } = session;
    const atUs = nowUs();
    const { errorUs } = pair!.estimator.estimateAt(atUs);
    const silentUs = Math.max(0, atUs - heardUs);
    return {
      id: self!.id,
      name: welcome!.name,
      route: hello.route,
      flow: hello.flow,
      peer: link.peer,
      transport: link.transport,
      mode: hello.mode,
      state: silentUs > STALE_US ? "stale" : "live",
      joined_at: Math.round(toUnixMs(session.startUs)),
      silent_s: Math.round(silentUs / 1e5) / 10,
      ...(Number.isFinite(rttUs) && { rtt_ms: toMs(rttUs) }),
      ...(Number.isFinite(errorUs) && { error_ms: toMs(errorUs) }),
      backlog_bytes: session.backlogBytes,
      dropped: 0,
      metered: welcome!.metered,
    };
  };

  return {
    tool: "performance-client",
    kind: "client",
    name,
    run: options.run,
    figures: metering.figures,
    isOwnName: (other) => other === name || sessions().some(({ hello }) => hello.name === other),
    isExpected: ({ key }) => {
      if (key === OTHER) return true;
      const nodes = keyNodes(key);
      return sessions().some(({ welcome }) => nodes.includes(welcome!.name));
    },
    isReady: () => sessions().some(({ state }) => state === "open"),
    sessions: () => sessions().map(viewOf),
    differences: metering.differences,
    clockErrorMs: options.clockErrorMs,
    summarise: options.summarise,
    processFigures() {
      const { sent, routes } = client.summarise();
      return {
        sent,
        ...metering.totals(),
        routes,
        differences: metering.differences(),
        lag: metering.lags,
        udp: undefined,
        ...options.rest(),
      };
    },
  };
}
