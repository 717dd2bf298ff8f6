/** One run of the client, from the first connection to the last bye. */
import { randomBytes } from "node:crypto";
import { startGrace, stopped } from "../cli/ending.ts";
import { ExitCode } from "../cli/exit.ts";
import { createHostClock } from "../cli/host-clock.ts";
import { readHttpToken } from "../cli/http-options.ts";
import { logger } from "../cli/log.ts";
import { showPeriodically } from "../cli/periodic.ts";
import { hideFilter } from "../cli/shown-config.ts";
import type { ProgramContext } from "../cli/program.ts";
import type { ShownTrends } from "../cli/trend-lines.ts";
import { nameProblem } from "../cli/values.ts";
import { version } from "../cli/version.ts";
import { intervalOf, openHttpService } from "../http/service.ts";
import type { RunSummary } from "../metrics/summary.ts";
import { createTrends } from "../metrics/trends.ts";
import { udpNotes, udpSummary } from "../metrics/udp-losses.ts";
import { createClock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { fillName, findPlace } from "../platform/place.ts";
import { watchTokens } from "../platform/tokens.ts";
import { PROCESS_ID_BYTES } from "../relay/hello.ts";
import { toHex } from "../relay/hex.ts";
import { REPORT_PERIOD_US } from "../relay/report-frame.ts";
import { toIso } from "../relay/time.ts";
import { openSinks } from "../sinks/open-sinks.ts";
import { createSummaryWriter } from "../sinks/summary-writer.ts";
import { familyOf } from "../transport/tcp.ts";
import { type Client, createClient } from "./client.ts";
import { type Connector, createConnector } from "./connect.ts";
import { createClientMetering } from "./metering.ts";
import { type ClientConfig, fragmentWarning } from "./options.ts";
import { logReachability } from "./reachability.ts";
import { createClientRecorder } from "./records.ts";
import { createReports } from "./reports.ts";
import { createServedClient } from "./served.ts";

const RUN_ID_BYTES = 4;
const FLOOD_NOTE = "delays of a flood are those of full queues, not of the network";

/** Resolves with the exit code. */
export async function runClient(config: ClientConfig, context: ProgramContext): Promise<number> {
  const log = logger("client");
  const clock = createClock();
  log.debug("clock anchored", { anchor_error_us: clock.anchorErrorUs });
  const place = await findPlace({ env: process.env, fetch, timeoutMs: 1000 });
  const template = fillName(config.name, place);
  checkNames(config, template);
  // For what concerns all routes together.
  const name = fillName(template, { route: config.server.map(({ label }) => label).join("+") });
  const connector = createConnector(config, clock.nowUs);
  if (config.verbose) await logAllReachability(config, connector, context.stopping);

  const httpToken = config.http && readHttpToken(config.httpTokenFile, "CLIENT", process.env);
  const tokens = watchTokens(
    { tokenFile: config.tokenFile, variable: "CLIENT_TOKEN", env: process.env },
    log,
  );
  const fragments = fragmentWarning(config, tokens !== undefined);
  if (fragments !== undefined) log.warn(fragments);
  const startedUs = clock.nowUs();
  const processId = randomBytes(PROCESS_ID_BYTES);
  const source = { reporter: name, ...place, run: toHex(randomBytes(RUN_ID_BYTES)) };
  const sinks = await openSinks(config, {
    place,
    env: process.env,
    log: logger("records"),
  });
  const metering = createClientMetering({
    name,
    routes: config.server.map(({ label }) => label),
    record: sinks && config.records !== "summary"
      ? createClientRecorder({
        records: config.records,
        sink: sinks,
        source,
        processId: toHex(processId),
      })
      : undefined,
  });
  const endInterval = sinks && config.records === "summary"
    ? createSummaryWriter({ figures: metering.figures, sink: sinks, source, nowUs: clock.nowUs })
    : undefined;
  const hostClock = createHostClock(clock, config.clockError);
  const client = createClient({
    config,
    place,
    processId,
    tokens,
    clock,
    metering,
    connector,
    hostClock,
  });
  const reports = createReports({
    figures: metering.figures,
    differences: metering.differences,
    sessions: client.sessions,
    intervalMs: intervalOf(config.stats),
    nowMs: () => performance.now(),
  });
  const reporting = setInterval(() => {
    reports.tick().catch((error: Error) => log.error("no report", { fault: error.stack }));
  }, REPORT_PERIOD_US / 1000);
  const summarise = (hdr: boolean): RunSummary => {
    const run = client.summarise();
    const losses = connector.losses();
    const udp = losses && udpSummary(losses);
    return {
      version: 1,
      tool: "performance-client",
      tool_version: version,
      config: { ...hideFilter(config), name },
      started: toIso(startedUs),
      ...run,
      ...metering.summarise(run.seconds, hdr),
      sinks: sinks?.summaries() ?? [],
      ...(udp && { udp }),
      notes: [
        ...run.notes,
        ...(udp ? udpNotes(udp) : []),
        ...(config.mode === "flood" ? [FLOOD_NOTE] : []),
      ],
    };
  };
  const service = config.http && await openHttpService(
    { ...config, http: config.http },
    httpToken,
    createServedClient({
      name,
      run: source.run,
      nowUs: clock.nowUs,
      metering,
      client,
      clockErrorMs: () => hostClock().boundUs / 1000,
      summarise: () => summarise(false),
      rest: () => ({ sinks: sinks?.summaries() ?? [], ...udpOf(connector) }),
    }),
  );
  const trends = context.isLive ? createTrends(metering.figures) : undefined;
  const shownTrends = (): ShownTrends | undefined =>
    trends && { intervalMs: config.stats, keys: trends.all() };
  const stopShowing = showPeriodically({ statsMs: config.stats, isLive: context.isLive }, {
    report() {
      trends?.endInterval();
      context.showFigures(summarise(false), true, shownTrends());
      endInterval?.();
    },
    redraw: () => context.showFigures(summarise(false), false, shownTrends()),
  });
  try {
    await runUntilDone(config, client, context.stopping);
  } finally {
    stopShowing();
    clearInterval(reporting);
    const grace = startGrace({
      graceMs: config.grace,
      withRecords: sinks !== undefined,
      nowMs: () => performance.now(),
    });
    await client.end(grace.forRunMs);
    endInterval?.();
    service?.close();
    await sinks?.close(grace.leftMs());
  }
  context.printSummary(summarise(true));
  return ExitCode.ok;
}

/** Losses of this machine's sockets, where there are such. */
function udpOf(connector: Connector): Pick<RunSummary, "udp"> {
  const losses = connector.losses();
  return losses === undefined ? {} : { udp: udpSummary(losses) };
}

/** Waits for a connection, then for the end: by signal, count or duration. */
async function runUntilDone(
  config: ClientConfig,
  client: Client,
  stopping: AbortSignal,
): Promise<void> {
  const asked = stopped(stopping);
  if (config.connectTimeout > 0) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timedOut = new Promise<void>((_resolve, reject) => {
      timer = setTimeout(() => {
        const seconds = config.connectTimeout / 1000;
        reject(new Failure(`no server within ${seconds} s: ${client.failures().join("; ")}`));
      }, config.connectTimeout);
    });
    await Promise.race([client.connected, asked, timedOut]).finally(() => clearTimeout(timer));
  }
  await Promise.race([client.completed, asked]);
}

/** Names are checked as written; what they become here may still break a rule. */
function checkNames(config: ClientConfig, name: string): void {
  for (const { label } of config.server) {
    const problem = nameProblem(fillName(name, { route: label }));
    if (problem !== undefined) throw new Failure(`the name becomes ${problem}`);
  }
}

async function logAllReachability(
  config: ClientConfig,
  { connect }: Connector,
  signal: AbortSignal,
): Promise<void> {
  const log = logger("reachability");
  const family = familyOf(config);
  for (const route of config.server) await logReachability(route, { family, connect, signal }, log);
}
