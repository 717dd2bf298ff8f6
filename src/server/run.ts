/** One run of the server, from listening to the last bye. */
import { randomBytes } from "node:crypto";
import { startGrace, stopped } from "../cli/ending.ts";
import { ExitCode } from "../cli/exit.ts";
import { logClockEvent } from "../cli/clock-log.ts";
import { createHostClock } from "../cli/host-clock.ts";
import { readHttpToken } from "../cli/http-options.ts";
import { logger } from "../cli/log.ts";
import { showPeriodically } from "../cli/periodic.ts";
import { hideFilter } from "../cli/shown-config.ts";
import type { ProgramContext } from "../cli/program.ts";
import type { ShownTrends } from "../cli/trend-lines.ts";
import { nameProblem } from "../cli/values.ts";
import { version } from "../cli/version.ts";
import type { RunSummary } from "../metrics/summary.ts";
import { createTrends } from "../metrics/trends.ts";
import { udpNotes } from "../metrics/udp-losses.ts";
import { type HttpService, openHttpService } from "../http/service.ts";
import { type Clock, createClock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { hmacSha256 } from "../platform/hmac.ts";
import { findDescriptors } from "../platform/descriptors.ts";
import { fillName, findPlace } from "../platform/place.ts";
import { createTicker } from "../platform/ticker.ts";
import { watchTokens } from "../platform/tokens.ts";
import { PROCESS_ID_BYTES } from "../relay/hello.ts";
import { toHex } from "../relay/hex.ts";
import { createRelay, type Relay, type RelayObserver, type RelayOptions } from "../relay/relay.ts";
import { toIso } from "../relay/time.ts";
import { openSinks } from "../sinks/open-sinks.ts";
import { createSummaryWriter } from "../sinks/summary-writer.ts";
import { describeNetworkError } from "../transport/network-error.ts";
import { familyOf, formatAddress } from "../transport/tcp.ts";
import { askHealth, hostsToAsk } from "./health.ts";
import { listen, type Listening, transportsOf } from "./listen.ts";
import { createServerMetering, type ServerMetering, summariseSession } from "./metering.ts";
import type { ServerConfig } from "./options.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { createServerRecorder } from "./records.ts";
import { createServedServer, type ServedServer } from "./served.ts";
import { loadPage } from "../web/page.ts";

const RUN_ID_BYTES = 4;

/** Resolves with the exit code. */
export async function runServer(config: ServerConfig, context: ProgramContext): Promise<number> {
  if (config.health) return await checkHealth(config);
  const log = logger("server");
  const clock = createClock();
  log.debug("clock anchored", { anchor_error_us: clock.anchorErrorUs });
  const place = await findPlace({ env: process.env, fetch, timeoutMs: 1000 });
  const name = fillName(config.name, place);
  const problem = nameProblem(name);
  if (problem !== undefined) throw new Failure(`the name becomes ${problem}`);
  const httpToken = config.http && readHttpToken(config.httpTokenFile, "SERVER", process.env);
  const tokens = watchTokens(
    { tokenFile: config.tokenFile, variable: "SERVER_TOKEN", env: process.env },
    log,
  );
  const startedUs = clock.nowUs();
  const processId = randomBytes(PROCESS_ID_BYTES);
  const source = { reporter: name, ...place, run: toHex(randomBytes(RUN_ID_BYTES)) };
  const sinks = await openSinks(config, {
    place,
    env: process.env,
    log: logger("records"),
  });
  const metering = createServerMetering({
    name,
    record: sinks && config.records !== "summary"
      ? createServerRecorder({ sink: sinks, source, processId: toHex(processId) })
      : undefined,
  });
  const endInterval = sinks && config.records === "summary"
    ? createSummaryWriter({ figures: metering.figures, sink: sinks, source, nowUs: clock.nowUs })
    : undefined;
  const refusals = createRefusals({ log: logger("relay"), nowMs: () => performance.now() });
  const hostClock = createHostClock(clock, config.clockError);
  const descriptors = findDescriptors(config.maxClients, log.warn);
  const ticker = createTicker(clock.nowUs, () => relay.tick());
  let service: HttpService | undefined;
  const served = config.http && createServedServer({
    page: loadPage,
    name,
    run: source.run,
    nowUs: clock.nowUs,
    metering,
    sessions: () => relay.sessions,
    isReady: () => !context.stopping.aborted,
    clockErrorMs: () => hostClock().boundUs / 1000,
    summarise: () => summarise(false),
    rest: () => ({ sinks: sinks?.summaries() ?? [], ...udpOf(listening) }),
  });
  const relay = createServerRelay({
    config,
    name,
    processId,
    clock,
    hostClock,
    metering,
    wake: ticker.wake,
    refusals,
    secrets: tokens && { tokens, hmac: hmacSha256 },
    isShortOfDescriptors: descriptors?.isShort,
    served: served && {
      ...served.observer,
      left(session, reason) {
        served.observer.left(session, reason);
        service?.left(session.id, reason);
        service?.reporters.left(session, relay.sessions);
      },
      report: (session, report) => service?.reporters.report(session, report),
    },
  });
  const listening = await listen(config, relay, clock.nowUs).catch(async (error) => {
    await sinks?.close(0);
    throw error;
  });
  for (const { host, port, transport } of listening.addresses) {
    log.info(`${name} is listening on ${formatAddress(host, port)}`, { port, transport });
  }
  const { port } = listening.addresses[0]!;
  ticker.wake(clock.nowUs());

  const summarise = (hdr: boolean): RunSummary => {
    const seconds = (clock.nowUs() - startedUs) / 1e6;
    const udp = listening.udp();
    return {
      version: 1,
      tool: "performance-server",
      tool_version: version,
      config: { ...hideFilter(config), name, port },
      started: toIso(startedUs),
      seconds,
      ...metering.summarise(seconds, hdr),
      sessions: [...relay.sessions].map((session) => summariseSession(session, clock.nowUs())),
      sinks: sinks?.summaries() ?? [],
      refusals: refusals.counts(),
      ...(udp && { udp }),
      notes: udp ? udpNotes(udp) : [],
    };
  };
  if (config.http && served) {
    const { http } = config;
    service = await openHttpService({ ...config, http }, httpToken, {
      ...served.program,
      isShortOfDescriptors: descriptors?.isShortForHttp,
    });
  }
  const trends = context.isLive ? createTrends(metering.figures) : undefined;
  const shownTrends = (): ShownTrends | undefined =>
    trends && { intervalMs: config.stats, keys: trends.all() };
  const stopShowing = showPeriodically({ statsMs: config.stats, isLive: context.isLive }, {
    report() {
      // Also where no client is there to be told of it.
      hostClock();
      trends?.endInterval();
      context.showFigures(summarise(false), true, shownTrends());
      endInterval?.();
    },
    redraw: () => context.showFigures(summarise(false), false, shownTrends()),
  });

  await stopped(context.stopping);
  stopShowing();
  const { sessions } = summarise(false);
  const grace = startGrace({
    graceMs: config.grace,
    withRecords: sinks !== undefined,
    nowMs: () => performance.now(),
  });
  await sayBye(relay, listening, grace.forRunMs);
  ticker.stop();
  service?.close();
  endInterval?.();
  await sinks?.close(grace.leftMs());
  context.printSummary({ ...summarise(true), sessions: sessions ?? [] });
  return ExitCode.ok;
}

async function checkHealth(config: ServerConfig): Promise<number> {
  const log = logger("health");
  const [transport = "tcp"] = transportsOf(config);
  const port = transport === "udp" ? config.udpPort ?? config.port : config.port;
  const problems: string[] = [];
  for (const host of hostsToAsk(config)) {
    try {
      const name = await askHealth({
        host,
        port,
        family: familyOf(config),
        transport,
        tls: config.tlsCert !== undefined,
      });
      log.info(`${name === "" ? "a server" : name} serves on port ${port}`);
      return ExitCode.ok;
    } catch (error) {
      problems.push(`${formatAddress(host, port)}: ${describeNetworkError(error as Error)}`);
    }
  }
  throw new Failure(`no server on ${problems.join("; on ")}`);
}

/** Losses of this machine's sockets, where there are such. */
function udpOf(listening: Listening): Pick<RunSummary, "udp"> {
  const udp = listening.udp();
  return udp === undefined ? {} : { udp };
}

/** What else hears of the relay: the HTTP service. */
type Served =
  & ServedServer["observer"]
  & Required<Pick<RelayObserver, "report">>;

function createServerRelay(
  { config, clock, metering, served, refusals, ...given }:
    & {
      config: ServerConfig;
      clock: Clock;
      metering: ServerMetering;
      served: Served | undefined;
      refusals: Refusals;
    }
    & Pick<
      RelayOptions,
      "name" | "processId" | "hostClock" | "wake" | "secrets" | "isShortOfDescriptors"
    >,
): Relay {
  return createRelay({
    ...given,
    maxClients: config.maxClients,
    ...(config.maxPerAddress !== undefined && { maxPerAddress: config.maxPerAddress }),
    maxRate: { messages: config.maxRate ?? Infinity, bytes: config.maxByteRate ?? Infinity },
    maxBacklogBytes: config.maxBacklog,
    filter: config.filter,
    clockMode: config.clock,
    nowUs: clock.nowUs,
    randomBytes: (count) => randomBytes(count),
    observer: createObserver(metering, served, refusals),
  });
}

/** The relay's events: into the metering, and into the log. */
function createObserver(
  { observer }: ServerMetering,
  served: Served | undefined,
  refusals: Refusals,
): RelayObserver {
  const log = logger("relay");
  const refused: RelayObserver["refused"] = (peer, text, reason) => {
    served?.turnedAway(reason);
    refusals.refused(peer, text, reason);
  };
  return {
    ...observer,
    ...(served && { report: served.report }),
    joined(session) {
      served?.joined(session);
      const { name, route, mode, metered } = session;
      log.info(`${name} joined`, { route, mode, peer: session.connection.link.peer });
      if (!metered) log.warn(`${name} is not relayed: its payloads lack the filter's text`);
    },
    left(session, reason) {
      observer.left(session, reason);
      served?.left(session, reason);
      const { name, route, tracker, droppedTotal, noSlot } = session;
      const { received } = tracker;
      log.info(`${name} left: ${reason}`, {
        route,
        received,
        dropped: droppedTotal,
        ...(noSlot > 0 && { not_relayed: noSlot }),
      });
    },
    refused,
    stranger: refused,
    dropped(recipient, origin, messages) {
      if (recipient.droppedTotal !== messages) return;
      log.warn(`${recipient.name} falls behind: messages to it are dropped`, {
        route: recipient.route,
        from: origin.name,
      });
    },
    clock: (session, event) => logClockEvent(event, session.name),
  };
}

/** Takes no more connections, says bye to all, and waits for them to go. */
async function sayBye(relay: Relay, listening: Listening, graceMs: number): Promise<void> {
  const log = logger("server");
  listening.close();
  relay.shutdown();
  const deadlineMs = performance.now() + graceMs;
  while (relay.connections > 0 && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (relay.connections > 0) log.warn(`${relay.connections} connections did not end in time`);
  listening.destroy();
}
