/** Our two programs, of which one sends and gets its own messages back. */
import type { KeySummary, RunSummary } from "../../metrics/summary.ts";
import { documentOf, type Owner, start, startServer } from "../processes.ts";

export interface EchoRun {
  client: RunSummary;
  server: RunSummary;
  /** The way to the relay and back. */
  echo: KeySummary;
}

export async function runEcho(
  owner: Owner,
  { args, both = [], transport = "tcp", onServer = [], onClient = [], address }: {
    /** Of the client. */
    args: readonly string[];
    /** Of both. */
    both?: readonly string[];
    transport?: "tcp" | "udp";
    /** What starts each of them. */
    onServer?: readonly string[];
    onClient?: readonly string[];
    /** The address that the client uses, if not the server's own port. */
    address?: (port: number) => Promise<number>;
  },
): Promise<EchoRun> {
  const common = ["--transport", transport, "--json", ...both];
  const server = await startServer(owner, common, { through: onServer });
  const port = await address?.(server.port) ?? server.port;
  const client = start(owner, "client", [
    ...["-s", `127.0.0.1:${port}`, "--echo", ...common, ...args],
  ], { through: onClient });
  const document = documentOf(await client.exited);
  const echo = document.keys.find(({ echo, hops }) => echo && hops === 2);
  if (echo === undefined) throw new Error("no message came back");
  return { client: document, server: documentOf(await server.stop()), echo };
}
