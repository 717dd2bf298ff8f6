/**
 * The client's parts put together: flows that keep connected, the sender that paces them, the
 * metering that hears of all they receive.
 */
import { randomBytes } from "node:crypto";
import { logClockEvent } from "../cli/clock-log.ts";
import { logger } from "../cli/log.ts";
import type { RouteSummary, RunSummary } from "../metrics/summary.ts";
import type { Clock } from "../platform/clock.ts";
import { hmacSha256 } from "../platform/hmac.ts";
import { fillName, type Place } from "../platform/place.ts";
import { createTicker, type Ticker } from "../platform/ticker.ts";
import { MAX_UDP_PAYLOAD_BYTES } from "../relay/datagram.ts";
import { MAX_PAYLOAD_BYTES } from "../relay/frame.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import type { HostClock } from "../relay/clock-system-interval.ts";
import { eachMessage } from "../relay/message-run.ts";
import { PROOF_NONCE_BYTES } from "../relay/proof.ts";
import { createProcessPairs } from "../relay/process-pairs.ts";
import { describeNetworkError } from "../transport/network-error.ts";
import { formatAddress } from "../transport/tcp.ts";
import { createBackoff } from "./backoff.ts";
import type { Connector } from "./connect.ts";
import { endFlows } from "./ending.ts";
import { createFloodSender } from "./flood-sender.ts";
import { createFlow, type Flow } from "./flow.ts";
import { spreadOf } from "./flow-figures.ts";
import type { ClientMetering } from "./metering.ts";
import type { ClientConfig, RouteConfig } from "./options.ts";
import { createPacedSender } from "./paced-sender.ts";
import { createPingPongSender } from "./ping-pong-sender.ts";
import type { Sender, SenderOptions } from "./sender.ts";
import { type ClientSession, createClientSession, type SessionObserver } from "./session.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Bytes that wait for a connection that takes nothing, before slots on it are missed. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;
/** The first slot waits this long for the other routes, so that they start together. */
const START_PATIENCE_MS = 2_000;

export interface Client {
  /** Resolves when the run is complete: by its count, or by its duration. */
  readonly completed: Promise<void>;
  /** Resolves at the first welcome of any route. */
  readonly connected: Promise<void>;
  /** The last failure of each route that has not connected, for people. */
  failures(): string[];
  /** Those that there are, in whatever state. */
  sessions(): ClientSession[];
  /** Stops sending, awaits what is under way, says bye. */
  end(graceMs: number): Promise<void>;
  summarise(): Pick<RunSummary, "seconds" | "sent" | "notes"> & { routes: RouteSummary[] };
}

export interface ClientOptions {
  config: ClientConfig;
  place: Place;
  /** 128 random bits; a secret between this client and its servers. */
  processId: Uint8Array;
  /** The tokens of now, of which the first is used; undefined: any server will do. */
  tokens: (() => readonly Uint8Array[]) | undefined;
  clock: Clock;
  metering: ClientMetering;
  connector: Connector;
  /** What is known of this host's wall clock. */
  hostClock: () => HostClock;
}

export function createClient(options: ClientOptions): Client {
  const { config, place, processId, clock, metering, connector, hostClock } = options;
  const log = logger("client");
  const { nowUs } = clock;
  const pairs = createProcessPairs(config.clock);
  const payload = createPayload(config);
  const tickers = new Map<ClientSession, Ticker>();
  const lastFailure = new Map<Flow, string>();
  const connectedFlows = new Set<Flow>();
  /** Servers whose filter keeps this client's messages out. */
  const ignoredBy = new Set<string>();
  const completed = Promise.withResolvers<void>();
  const connected = Promise.withResolvers<void>();
  const flows: Flow[] = [];
  let sender: Sender | undefined;
  let startTimer: ReturnType<typeof setTimeout> | undefined;
  let durationTimer: ReturnType<typeof setTimeout> | undefined;
  let firstSentUs = NaN;
  let lastHeardUs = NaN;
  let ended = false;

  function connect(
    route: RouteConfig,
    signal: AbortSignal,
    opened: (link: Link) => LinkEvents,
  ): Promise<void> {
    return connector.connect(route, CONNECT_TIMEOUT_MS, signal, opened).catch((error: Error) => {
      throw new Error(describeNetworkError(error));
    });
  }

  function createSession(link: Link, flow: Flow, previousSession: Uint8Array): ClientSession {
    const { label } = flow.route;
    const token = options.tokens?.()[0];
    const session = createClientSession(link, {
      secret: token && { token, hmac: hmacSha256 },
      hello: {
        ...(token && { nonce: randomBytes(PROOF_NONCE_BYTES) }),
        probe: false,
        echo: config.echo,
        processId,
        previousSession,
        maxPayloadBytes: config.transport === "udp" ? MAX_UDP_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES,
        flow: flow.flow,
        mode: config.mode,
        name: fillName(config.name, { ...place, route: label }),
        route: label,
        prefix: config.filter,
      },
      pairs,
      nowUs,
      random: Math.random,
      hostClock,
      maxBacklogBytes: MAX_BACKLOG_BYTES,
      payload: payload.bytes,
      wake: (woken, atUs) => tickers.get(woken)?.wake(atUs),
      observer: createObserver(flow),
    });
    const ticker = createTicker(nowUs, session.tick);
    tickers.set(session, ticker);
    ticker.wake(nowUs());
    return session;
  }

  /** What tells a flow in the log. */
  const fieldsOf = ({ route, flow }: Flow) => ({
    route: route.label,
    ...(config.flows > 1 && { flow }),
  });

  function createObserver(flow: Flow): SessionObserver {
    const { label } = flow.route;
    return {
      originJoined: metering.originJoined,
      originLeft: metering.originLeft,
      rtt: metering.rtt,
      welcomed(session) {
        flow.welcomed();
        metering.welcomed(session);
        connected.resolve();
        connectedFlows.add(flow);
        if (config.duration !== undefined && durationTimer === undefined) {
          durationTimer = setTimeout(completed.resolve, config.duration);
        }
        const { name, metered } = session.welcome!;
        log.info(`connected to ${name}`, { ...fieldsOf(flow), peer: session.link.peer });
        if (!metered) {
          ignoredBy.add(name);
          log.warn(`${name} ignores this client's messages: they lack its filter's text`, {
            route: label,
          });
        }
      },
      opened() {
        flow.opened();
        startWhenReady();
        sender?.opened(flow);
      },
      messages(session, origin, run, arrival) {
        lastHeardUs = run.receivedUs;
        metering.messages(session, origin, run, arrival);
        if (origin === session.self) eachMessage(run, (at) => sender?.echo(flow, run.view, at));
      },
      clock: (session, event) => logClockEvent(event, session.welcome!.name),
      drained: (session) => sender?.drained(flow, session),
      ended(session, end) {
        if (end.byRelay) lastHeardUs = session.heardUs;
        tickers.get(session)?.stop();
        tickers.delete(session);
        metering.ended(session);
        flow.ended(end);
        sender?.ended(flow);
      },
    };
  }

  /** Starts to send once every route is open or has failed, or the first has waited long enough. */
  function startWhenReady(): void {
    if (ended || sender !== undefined) return;
    if (flows.every(({ tried }) => tried)) start();
    else startTimer ??= setTimeout(start, START_PATIENCE_MS);
  }

  function start(): void {
    clearTimeout(startTimer);
    if (ended || sender !== undefined) return;
    firstSentUs = nowUs();
    sender = createSender(config, {
      flows,
      count: config.count,
      sizes: config.size,
      prefixBytes: payload.prefixBytes,
      nowUs,
      random: Math.random,
      lag: metering.lag,
      finished: completed.resolve,
    });
    sender.start();
  }

  const openFlow = (route: RouteConfig, flow: number): Flow =>
    createFlow({
      route,
      flow,
      warmUp: config.warmup,
      backoff: createBackoff(Math.random),
      connect,
      createSession,
      settled: metering.settled,
      lost(flow, reason, retryMs) {
        const wasOpen = connectedFlows.delete(flow);
        lastFailure.set(flow, reason);
        log.warn(`${wasOpen ? "connection lost" : "no connection"}: ${reason}`, {
          ...fieldsOf(flow),
          server: route.address,
          retry_ms: Math.round(retryMs),
        });
        if (flows.some(({ isOpen }) => isOpen)) startWhenReady();
      },
    });
  // By index: flows of one index, on several routes, send one after another.
  for (let index = 0; index < config.flows; index++) {
    for (const route of config.server) flows.push(openFlow(route, index));
  }

  return {
    completed: completed.promise,
    connected: connected.promise,
    failures: () =>
      flows.map((flow) => {
        const { host, port } = flow.route;
        return `${formatAddress(host, port)}: ${lastFailure.get(flow) ?? "no answer"}`;
      }),
    sessions: () => flows.flatMap(({ session }) => session ?? []),
    async end(graceMs) {
      ended = true;
      clearTimeout(startTimer);
      clearTimeout(durationTimer);
      sender?.stop();
      await endFlows(flows, {
        graceMs,
        echo: config.echo,
        isFlood: config.mode === "flood",
        isUdp: config.transport === "udp",
      });
    },
    summarise() {
      const untilUs = ended && Number.isFinite(lastHeardUs) ? lastHeardUs : nowUs();
      return {
        seconds: Number.isFinite(firstSentUs) ? Math.max(0, untilUs - firstSentUs) / 1e6 : 0,
        sent: flows.reduce((sum, { sent }) => sum + sent, 0),
        notes: [...ignoredBy].map((name) =>
          `${name} ignores this client's messages: they lack its filter's text`
        ),
        routes: config.server.map(({ label }) =>
          summariseRoute(
            flows.filter(({ route }) => route.label === label),
            config.warmup,
            metering,
          )
        ),
      };
    },
  };
}

function createSender(config: ClientConfig, options: SenderOptions): Sender {
  if (config.mode === "flood") return createFloodSender(options);
  if (config.mode === "ping-pong") return createPingPongSender(options);
  const { minMs, maxMs } = config.interval;
  return createPacedSender({ ...options, minUs: minMs * 1000, maxUs: maxMs * 1000 });
}

/** The filter's text, then filler, as long as the longest payload. */
function createPayload(config: ClientConfig): { bytes: Uint8Array; prefixBytes: number } {
  const prefix = new TextEncoder().encode(config.filter);
  const bytes = new Uint8Array(Math.max(prefix.byteLength, ...config.size));
  bytes.fill("=".charCodeAt(0));
  bytes.set(prefix);
  return { bytes, prefixBytes: prefix.byteLength };
}

/** A route's figures over its flows. */
function summariseRoute(
  flows: readonly Flow[],
  warmUp: number,
  metering: ClientMetering,
): RouteSummary {
  const { route } = flows[0]!;
  const sum = (count: (flow: Flow) => number) =>
    flows.reduce((total, flow) => total + count(flow), 0);
  const warming = flows.find(({ isOpen, warmingUp }) => isOpen && warmingUp);
  const rtt = metering.rttOf(route.label);
  return {
    route: route.label,
    server: route.address,
    state: stateOf(flows, warming),
    ...(warming && { warmed_up: { sent: warming.warmedUp, of: warmUp } }),
    sent: sum(({ sent }) => sent),
    unsent: sum(({ unsent }) => unsent),
    unconfirmed: sum(({ unconfirmed }) => unconfirmed),
    reconnects: sum(({ reconnects }) => reconnects),
    ...(rtt && { rtt_ms: rtt }),
    ...(flows.length > 1 && summariseFlows(flows, metering)),
  };
}

function summariseFlows(
  flows: readonly Flow[],
  metering: ClientMetering,
): Pick<RouteSummary, "flows" | "flow_spread"> {
  const figures = flows.map(({ route, flow, sent }) => ({
    sent,
    ...metering.flowOf(route.label, flow),
  }));
  const spread = spreadOf(figures);
  return { flows: figures, ...(spread && { flow_spread: spread }) };
}

function stateOf(flows: readonly Flow[], warming: Flow | undefined): RouteSummary["state"] {
  if (flows.every(({ stopped }) => stopped)) return "closed";
  if (warming !== undefined) return "warming-up";
  return flows.some(({ isOpen }) => isOpen) ? "measuring" : "connecting";
}
