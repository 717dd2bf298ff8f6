/** sockperf: bounces one message after another, in C. */
import type { Owner } from "../../processes.ts";
import { output, startListener } from "../started.ts";

/** @throws where the text has no median */
export function parseSockperf(text: string): { p50Us: number } {
  const median = /percentile 50\.000 =\s*([\d.]+)/.exec(text)?.[1];
  if (median === undefined) throw new Error("sockperf told no median");
  return { p50Us: Number(median) };
}

/** Median round trip over TCP between a server and a client, each started through its prefix. */
export async function runSockperf(
  owner: Owner,
  { bytes, seconds, server, client }: {
    bytes: number;
    seconds: number;
    server: readonly string[];
    client: readonly string[];
  },
): Promise<{ p50Us: number }> {
  const where = (port: number): string[] => ["--tcp", "-i", "127.0.0.1", "-p", `${port}`];
  const port = await startListener(
    owner,
    (port) => [...server, "sockperf", "server", ...where(port)],
  );
  return parseSockperf(
    await output([
      ...[...client, "sockperf", "ping-pong", ...where(port)],
      ...["--full-rtt", "-m", `${bytes}`, "-t", `${Math.ceil(seconds)}`],
    ]),
  );
}
