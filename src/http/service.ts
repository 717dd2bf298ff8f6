/**
 * The HTTP service of a program: keeps the mesh up to date interval by interval, and answers by
 * what it then is. What an interval's answers need is put together once, in stretches short enough
 * for messages to pass in between, and shared by all who ask.
 */
import { logger } from "../cli/log.ts";
import { version } from "../cli/version.ts";
import type { FigureSet } from "../metrics/figure-set.ts";
import { createKeyMetrics } from "../metrics/key-metrics.ts";
import { createKeyNews, inStretches } from "../metrics/key-news.ts";
import { createMesh, type Mesh } from "../metrics/mesh.ts";
import { better } from "../metrics/mesh-key.ts";
import type { KeyView, SessionView } from "../metrics/mesh-view.ts";
import type { ProcessFigures } from "../metrics/process-metrics.ts";
import type { DifferenceSummary, RunSummary } from "../metrics/summary.ts";
import { Failure } from "../platform/failure.ts";
import { describeNetworkError } from "../transport/network-error.ts";
import { formatAddress } from "../transport/tcp.ts";
import { createApi } from "./api.ts";
import { createEventStream } from "./event-stream.ts";
import { isLoopback } from "./guard.ts";
import { createHttpServer } from "./http-server.ts";
import { createReporters, type Reporters } from "./reporters.ts";
import { createSessionViews } from "./session-views.ts";

/** Intervals are those of --stats, within these. */
const LEAST_INTERVAL_MS = 1_000;
const MOST_INTERVAL_MS = 10_000;

/** What a program tells of itself; all of it asked for once an interval at most. */
export interface ServedProgram {
  tool: RunSummary["tool"];
  kind: "server" | "client";
  name: string;
  /** Identifies this run. */
  run: string;
  figures: FigureSet;
  isOwnName: (name: string) => boolean;
  /** Whether messages of one of its own keys can still come. */
  isExpected: (key: Pick<KeyView, "key" | "from" | "to" | "route">) => boolean;
  isReady: () => boolean;
  sessions: () => SessionView[];
  differences: () => readonly DifferenceSummary[];
  /** Bound on the error of this host's clock in ms; NaN where unknown. */
  clockErrorMs: () => number;
  summarise: () => RunSummary;
  /** What `/metrics` has beside keys, the mesh, sessions and HTTP. */
  processFigures: () => Pick<
    ProcessFigures,
    | "sent"
    | "received"
    | "warmup"
    | "routes"
    | "differences"
    | "sinks"
    | "udp"
    | "residence"
    | "fanOutWait"
    | "lag"
    | "turnedAway"
  >;
  /** There are no file descriptors for another connection. */
  isShortOfDescriptors?: (() => boolean) | undefined;
  /** The dashboard; undefined where there is none. */
  page?: () => Promise<Page | undefined>;
}

/** The dashboard's parts. */
export interface Page {
  html: string;
  script: string;
  style: string;
}

export interface HttpService {
  readonly port: number;
  readonly reporters: Reporters;
  /** A session ended, for this reason. */
  left(id: string, reason: string): void;
  close(): void;
}

export interface HttpConfig {
  http: { host: string; port: number };
  httpOpen: boolean;
  stats: number;
}

/** The time between two updates. */
export function intervalOf(statsMs: number): number {
  return Math.min(MOST_INTERVAL_MS, Math.max(LEAST_INTERVAL_MS, statsMs));
}

/** Listens and begins to serve. Throws a Failure where it cannot. */
export async function openHttpService(
  { http: { host, port }, httpOpen, stats }: HttpConfig,
  token: string | undefined,
  program: ServedProgram,
): Promise<HttpService> {
  const log = logger("http");
  if (!isLoopback(host) && token === undefined && !httpOpen) {
    throw new Failure(
      `--http ${formatAddress(host, port)} is open to other machines: give a token ` +
        "(--http-token-file), or say --http-open",
    );
  }
  const intervalMs = intervalOf(stats);
  const startedAt = Date.now();
  const mesh = createMesh({
    kind: program.kind,
    nowMs: Date.now,
    intervalMs,
    isOwnName: program.isOwnName,
    isExpected: program.isExpected,
  });
  const own = mesh.join(program.name, true);
  const keyNews = createKeyNews(program.figures);
  const keyMetrics = createKeyMetrics();
  const sessions = createSessionViews(program.sessions);
  const events = createEventStream();
  const api = createApi({
    program,
    mesh,
    keyMetrics,
    sessions,
    events,
    intervalMs,
    startedAt,
    version,
    view: () => viewOf(program, mesh, sessions.list()),
    server: () => server,
  });
  const server = await createHttpServer({
    host,
    port,
    token,
    handle: api.handle,
    isShortOfDescriptors: program.isShortOfDescriptors,
    failed: (error) => log.error("a request failed", { fault: error.stack ?? error.message }),
  }).catch((error: Error) => {
    events.close();
    throw new Failure(
      `cannot serve HTTP on ${formatAddress(host, port)}: ${describeNetworkError(error)}`,
    );
  });
  log.info(`serving http://${formatAddress(host, server.port)}/`, {
    port: server.port,
    token: token === undefined ? "none" : "needed",
  });

  let lastMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  /** One interval's end. */
  async function update(): Promise<void> {
    const nowMs = performance.now();
    const spanMs = Math.max(1, nowMs - lastMs);
    lastMs = nowMs;
    sessions.update();
    await inStretches(keyNews(spanMs), (news) => {
      mesh.takeOwn(own, news);
      keyMetrics.take(news);
    });
    mesh.takeOwnDifferences(own, program.differences());
    await inStretches(mesh.review(), () => {});
    await api.publish();
  }

  function schedule(): void {
    timer = setTimeout(() => {
      update().catch((error: Error) => {
        log.error("an update failed", { fault: error.stack ?? error.message });
      }).finally(() => {
        if (!closed) schedule();
      });
    }, intervalMs);
  }

  await update();
  schedule();
  return {
    port: server.port,
    reporters: createReporters(mesh),
    left: sessions.left,
    close() {
      closed = true;
      clearTimeout(timer);
      events.close();
      server.close();
    },
  };
}

/** The part of view and update that is made anew each time. */
function viewOf(program: ServedProgram, mesh: Mesh, sessions: readonly SessionView[]) {
  const nodes = mesh.nodes();
  const other = program.kind === "server" ? "client" : "server";
  const add = (
    name: string,
    kind: "server" | "client",
    state: SessionView["state"],
    count: number,
  ) => {
    const node = nodes.get(name) ?? { name, kind, state, sessions: 0 };
    node.state = better(node.state, state);
    node.sessions += count;
    nodes.set(name, node);
  };
  for (const { name, state } of sessions) add(name, other, state, state === "gone" ? 0 : 1);
  add(program.name, program.kind, "live", 0);
  const clockErrorMs = program.clockErrorMs();
  return {
    at: Date.now(),
    ...(Number.isFinite(clockErrorMs) && { clock_error_ms: clockErrorMs }),
    nodes: [...nodes.values()],
    sessions,
    differences: mesh.differences(),
    omitted_keys: mesh.omittedKeys,
  };
}
