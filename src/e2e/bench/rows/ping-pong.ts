/** One message at a time to and fro over TCP. */
import { fileURLToPath } from "node:url";
import { type Owner, startCommand } from "../../processes.ts";
import type { Effort, Experiment } from "../experiment.ts";
import { runEcho } from "../our-echo.ts";
import { runSockperf } from "../peers/sockperf.ts";
import { lacks, onCore } from "../started.ts";

const BYTES = 64;
const bareFile = fileURLToPath(new URL("../load/bare-ping-pong-main.ts", import.meta.url));

interface Places {
  server: readonly string[];
  client: readonly string[];
}

async function runBare(
  owner: Owner,
  { seconds }: Effort,
  { server, client }: Places,
): Promise<{ p50Us: number }> {
  const command = [process.execPath, bareFile];
  const serving = startCommand(owner, [...server, ...command, "serve"], {});
  const [{ port }] = await serving.printed<{ port: number }>((lines) => lines.length > 0) as [
    { port: number },
  ];
  const args = [port, BYTES, seconds].map(String);
  const pinging = startCommand(owner, [...client, ...command, "ping", ...args], {});
  const [figures] = await pinging.printed<{ p50Us: number }>((lines) => lines.length > 0);
  return figures!;
}

const pingPong = (where: string, places: Places): Experiment => ({
  name: `ping-pong ${where}`,
  contestants: [
    {
      name: "performance-client",
      async measure(owner, { seconds }) {
        const args = ["--mode", "ping-pong", "--size", `${BYTES}`, "--duration", `${seconds}s`];
        const { echo } = await runEcho(owner, {
          args,
          onServer: places.server,
          onClient: places.client,
        });
        return { p50Us: echo.elapsed_ms!.p50 * 1000 };
      },
    },
    {
      name: "sockperf",
      unable: lacks("sockperf"),
      measure: async (owner, { seconds }) => ({
        ...await runSockperf(owner, { bytes: BYTES, seconds, ...places }),
      }),
    },
    {
      name: "bare Node",
      measure: async (owner, effort) => ({ ...await runBare(owner, effort, places) }),
    },
  ],
  rows: [{
    what: `ping-pong over TCP, 64 B, p50, ${where}`,
    figure: "p50Us",
    unit: "µs",
    reference: "sockperf",
    budget: { of: "ratio", atMost: 1.25 },
  }],
});

export const pingPongExperiments: readonly Experiment[] = [
  pingPong("on two cores", { server: onCore(0), client: onCore(1) }),
  pingPong("where the system puts them", { server: [], client: [] }),
];
