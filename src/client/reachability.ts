/**
 * What `-v` tells of a server before the run: what its name resolves to, and how long connecting
 * takes. Done in this process, so that a container without any tools can do it.
 */
import { lookup } from "node:dns/promises";
import type { Logger } from "../cli/log.ts";
import { describeNetworkError } from "../transport/network-error.ts";
import { type Family, formatAddress } from "../transport/tcp.ts";
import type { Connector } from "./connect.ts";
import type { RouteConfig } from "./options.ts";

const ATTEMPTS = 4;
const TIMEOUT_MS = 3_000;

interface ReachabilityOptions {
  family: Family;
  connect: Connector["connect"];
  signal: AbortSignal;
}

/** Logs what it finds; never fails: the run itself will tell. */
export async function logReachability(
  route: RouteConfig,
  options: ReachabilityOptions,
  log: Logger,
): Promise<void> {
  await logAddresses(route, options.family, log);
  for (let attempt = 1; attempt <= ATTEMPTS && !options.signal.aborted; attempt++) {
    await logConnect(route, options, attempt, log);
  }
  log.debug("a connect through an accelerator or a proxy may be the time to its edge alone");
}

async function logAddresses(route: RouteConfig, family: Family, log: Logger): Promise<void> {
  const startMs = performance.now();
  try {
    const addresses = await lookup(route.host, { all: true, family });
    log.debug(`${route.host} resolves to ${addresses.map(({ address }) => address).join(", ")}`, {
      route: route.label,
      took_ms: elapsedMs(startMs),
    });
  } catch (error) {
    log.debug(`${route.host} does not resolve: ${describeNetworkError(error as Error)}`, {
      route: route.label,
      took_ms: elapsedMs(startMs),
    });
  }
}

async function logConnect(
  route: RouteConfig,
  { connect, signal }: ReachabilityOptions,
  attempt: number,
  log: Logger,
): Promise<void> {
  const { host, port, label } = route;
  const fields = { route: label, attempt: `${attempt}/${ATTEMPTS}` };
  const startMs = performance.now();
  try {
    let peer = "";
    await connect(route, TIMEOUT_MS, signal, (link) => {
      peer = link.peer;
      link.destroy();
      return { data() {}, written() {}, closed() {} };
    });
    log.debug(`connected to ${peer}`, { ...fields, took_ms: elapsedMs(startMs) });
  } catch (error) {
    const reason = describeNetworkError(error as Error);
    log.debug(`no connection to ${formatAddress(host, port)}: ${reason}`, fields);
  }
}

function elapsedMs(startMs: number): number {
  return Math.round((performance.now() - startMs) * 1000) / 1000;
}
