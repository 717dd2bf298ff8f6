/** Metrics of the process itself: what it sent, its connections and routes, sinks and clocks. */

import {
  type ExpositionFormat,
  type Family,
  familyLines,
  type Labels,
  labelsText,
  sampleLine,
} from "./exposition.ts";
import type { Histogram } from "./histogram.ts";
import { distributionLines } from "./key-metrics.ts";
import type { LifeState, SessionView } from "./mesh-view.ts";
import {
  differenceMetrics,
  type Metric,
  routeMetrics,
  type Samples,
  sinkMetrics,
} from "./route-metrics.ts";
import type { DifferenceSummary, RouteSummary, SinkSummary, UdpSummary } from "./summary.ts";

/** Names and routes that have label sets of their own. */
const MOST_PEERS = 1_000;

/** All that is exposed beside keys; what a program does not have is absent. */
export interface ProcessFigures {
  tool: string;
  version: string;
  name: string;
  startedAtS: number;
  sent: number;
  received: number;
  warmup: number;
  /** Bound on the error of this host's clock, where known. */
  clockErrorS: number | undefined;
  sessions: readonly SessionView[];
  /** Of the mesh. */
  keys: Readonly<Record<LifeState, number>>;
  reporters: Readonly<Record<"live" | "gone", number>>;
  omittedKeys: number;
  http: { requests: number; refused: number; listeners: number; droppedListeners: number };
  routes?: readonly RouteSummary[];
  differences?: readonly DifferenceSummary[];
  sinks: readonly SinkSummary[];
  udp: UdpSummary | undefined;
  residence?: Histogram;
  fanOutWait?: Histogram;
  lag?: Histogram;
  /** Connections that became no session, by reason. */
  turnedAway?: ReadonlyMap<string, number>;
  cpuS: number;
  memoryBytes: number;
}

export function* processMetrics(
  figures: ProcessFigures,
  format: ExpositionFormat,
): Iterable<string> {
  const metric = (
    name: string,
    type: Family["type"],
    help: string,
    samples: Samples,
    unit?: Family["unit"],
  ): string => {
    const list = typeof samples === "number" ? [[{}, samples] as const] : samples ?? [];
    if (list.length === 0) return "";
    const family: Family = { name, type, help, ...(unit && { unit }) };
    return familyLines(family, format) +
      list.map(([labels, value]) => sampleLine(family, labelsText(labels), value)).join("");
  };
  const counter = (name: string, help: string, samples: Samples, unit?: Family["unit"]) =>
    metric(name, "counter", help, samples, unit);
  const gauge = (name: string, help: string, samples: Samples, unit?: Family["unit"]) =>
    metric(name, "gauge", help, samples, unit);
  const { tool, version, name } = figures;
  const states = (counts: Readonly<Record<string, number>>): Samples =>
    Object.entries(counts).map(([state, count]) => [{ state }, count]);

  yield metric("performance_build", "info", "What this is.", [[{ tool, version, name }, 1]]);
  yield gauge(
    "process_start_time_seconds",
    "When it started, since 1970.",
    figures.startedAtS,
    "seconds",
  );
  yield counter("process_cpu_seconds", "Processor time used.", figures.cpuS, "seconds");
  yield gauge("process_resident_memory_bytes", "Memory used.", figures.memoryBytes, "bytes");
  yield counter("performance_sent_messages", "Messages sent, warm-up included.", figures.sent);
  yield counter("performance_received_messages", "Messages received.", figures.received);
  yield counter("performance_warmup_messages", "Messages left out as warm-up.", figures.warmup);
  yield gauge(
    "performance_clock_error_bound_seconds",
    "Bound on the error of this host's clock, where it is known.",
    figures.clockErrorS,
    "seconds",
  );
  yield gauge("performance_mesh_keys", "Keys of the mesh.", states(figures.keys));
  yield gauge("performance_reporters", "Processes that report.", states(figures.reporters));
  yield counter(
    "performance_omitted_keys",
    "Reported keys that the bounds on their number keep out, once each time.",
    figures.omittedKeys,
  );
  yield* sessionMetrics(figures.sessions, gauge);
  yield* routeMetrics(figures.routes ?? [], gauge, counter);
  yield* differenceMetrics(figures.differences ?? [], gauge, counter);
  yield* sinkMetrics(figures.sinks, gauge, counter);
  yield counter(
    "performance_udp_send_failures",
    "Datagrams that this system did not send.",
    figures.udp?.send_failures,
  );
  yield counter(
    "performance_udp_kernel_drops",
    "Datagrams that arrived and found no room.",
    figures.udp?.kernel_drops,
  );
  yield counter(
    "performance_turned_away_connections",
    "Connections that became no session.",
    [...figures.turnedAway ?? []].map(([reason, count]) => [{ reason }, count]),
  );
  const { requests, refused, listeners, droppedListeners } = figures.http;
  yield counter("performance_http_requests", "HTTP requests answered.", requests);
  yield counter("performance_http_refused_requests", "HTTP requests refused.", refused);
  yield gauge("performance_http_listeners", "Listeners of the event stream.", listeners);
  yield counter(
    "performance_http_dropped_listeners",
    "Listeners that were too slow.",
    droppedListeners,
  );
  const distribution = (name: string, help: string, histogram: Histogram | undefined) =>
    histogram
      ? distributionLines({ name, type: "histogram", unit: "seconds", help }, histogram, format)
      : "";
  yield distribution(
    "performance_residence_seconds",
    "Time of messages inside the relay.",
    figures.residence,
  );
  yield distribution(
    "performance_fanout_wait_seconds",
    "What the last receiver of a message waits for the others.",
    figures.fanOutWait,
  );
  yield distribution(
    "performance_schedule_lag_seconds",
    "Intended to actual time of sending.",
    figures.lag,
  );
}

/** By name and route: sessions come and go under ever new ids. */
function* sessionMetrics(
  sessions: readonly SessionView[],
  gauge: Metric,
): Iterable<string> {
  interface Peer {
    labels: Labels;
    sessions: number;
    rttS: number;
    errorS: number;
    backlogBytes: number;
    dropped: number;
  }
  const peers = new Map<string, Peer>();
  const states: Record<LifeState, number> = { live: 0, stale: 0, gone: 0 };
  for (const session of sessions) {
    states[session.state]++;
    if (session.state === "gone") continue;
    const { name, route } = session;
    let id = JSON.stringify([name, route]);
    let labels: Labels = { name, route };
    if (!peers.has(id) && peers.size >= MOST_PEERS) {
      id = "other";
      labels = { name: "other", route: "other" };
    }
    const peer = peers.get(id) ??
      { labels, sessions: 0, rttS: NaN, errorS: NaN, backlogBytes: 0, dropped: 0 };
    peers.set(id, peer);
    peer.sessions++;
    peer.backlogBytes += session.backlog_bytes;
    peer.dropped += session.dropped;
    peer.rttS = largest(peer.rttS, session.rtt_ms);
    peer.errorS = largest(peer.errorS, session.error_ms);
  }
  const each = (of: (peer: Peer) => number): Samples =>
    [...peers.values()].flatMap((peer) =>
      Number.isNaN(of(peer)) ? [] : [[peer.labels, of(peer)] as const]
    );
  yield gauge(
    "performance_sessions",
    "Connections by state; gone ones for five minutes.",
    Object.entries(states).map(([state, count]) => [{ state }, count]),
  );
  yield gauge(
    "performance_peer_sessions",
    "Connections with the other end.",
    each(({ sessions }) => sessions),
  );
  yield gauge(
    "performance_rtt_seconds",
    "Newest round trip of the clock exchange; the largest of a peer's connections.",
    each(({ rttS }) => rttS),
    "seconds",
  );
  yield gauge(
    "performance_clock_offset_error_bound_seconds",
    "Bound on the error of the clock offset to the other end.",
    each(({ errorS }) => errorS),
    "seconds",
  );
  yield gauge(
    "performance_backlog_bytes",
    "Bytes that wait for the other end.",
    each(({ backlogBytes }) => backlogBytes),
    "bytes",
  );
  yield gauge(
    "performance_peer_dropped_messages",
    "Messages given up for the connections that there are, as the other end fell behind.",
    each(({ dropped }) => dropped),
  );
}

function largest(a: number, ms: number | undefined): number {
  if (ms === undefined) return a;
  return Number.isNaN(a) ? ms / 1000 : Math.max(a, ms / 1000);
}
