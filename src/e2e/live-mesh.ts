/** Three servers with dashboards, and clients that measure each over two ways of known delays. */

import type { MeshView } from "../metrics/mesh-view.ts";
import {
  isConnected,
  type Owner,
  type Running,
  type RunningServer,
  start,
  type StartOptions,
  startProxy,
  startServer,
} from "./processes.ts";

export const REGIONS = ["europe", "america", "asia"] as const;
/** Each client's far server is the next one; accelerated is shorter both ways. */
const DELAYS_US = { direct: [24_000, 30_000, 18_000], accelerated: [14_000, 26_000, 9_000] };
/** By how much accelerated is faster one way, ms, from each region to the next. */
export const GAINS_MS: readonly number[] = DELAYS_US.direct.map((us, i) =>
  (us - DELAYS_US.accelerated[i]!) / 1000
);

export interface DashboardServer extends RunningServer {
  url: string;
}

/** @param http 0: any free port */
export async function startDashboardServer(
  t: Owner,
  name: string,
  { port = 0, http = 0 }: { port?: number; http?: number } = {},
  options: StartOptions = {},
): Promise<DashboardServer> {
  const args = ["--name", name, "--port", String(port), "--http", String(http), "--stats", "1"];
  const server = await startServer(t, args, options);
  const { message } = await server.logged(({ message }) => message.startsWith("serving http://"));
  return { ...server, url: message.slice("serving ".length) };
}

export interface LiveMesh {
  servers: DashboardServer[];
  clients: Running[];
}

export async function startLiveMesh(t: Owner, options: StartOptions = {}): Promise<LiveMesh> {
  const servers = await Promise.all(
    REGIONS.map((region) => startDashboardServer(t, `server-${region}`, {}, options)),
  );
  const clients = await Promise.all(REGIONS.map(async (region, index) => {
    const far = servers[(index + 1) % REGIONS.length]!;
    const target = { host: "127.0.0.1", port: far.port };
    const routes = await Promise.all((["direct", "accelerated"] as const).map(async (label) => {
      const delayUs = DELAYS_US[label][index]!;
      const way = { delayUs, jitterUs: 1000 };
      const proxy = await startProxy(t, { target, up: way, down: way });
      return `${label}=127.0.0.1:${proxy.port}`;
    }));
    const server = ["-s", [...routes, `home=127.0.0.1:${servers[index]!.port}`].join()];
    const args = ["--name", `client-${region}`, "--interval", "40ms", "--warmup", "2"];
    const client = start(t, "client", [...server, ...args, "--stats", "1"], options);
    await client.logged(isConnected);
    return client;
  }));
  return { servers, clients };
}

/** What a server's HTTP interface says, once it `matches`: asked for anew after each update. */
export async function meshOf(
  { url }: Pick<DashboardServer, "url">,
  matches: (mesh: MeshView) => boolean,
): Promise<MeshView> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new Error("not in time")), 60_000);
  try {
    const events = await fetch(`${url}api/v1/events`, { signal: patience.signal });
    for await (const _ of events.body!) {
      const answer = await fetch(`${url}api/v1/mesh`, { signal: patience.signal });
      const mesh: MeshView = await answer.json();
      if (matches(mesh)) return mesh;
    }
    throw new Error(`${url} sends no more events`);
  } finally {
    clearTimeout(timer);
    patience.abort();
  }
}
