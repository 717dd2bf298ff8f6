/** The relays that the load program is run against, and the rate at which they deliver. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Owner, type Running, startCommand, startServer } from "../../processes.ts";
import type { Contestant, Effort } from "../experiment.ts";
import { lacks, output, startListener } from "../started.ts";
import { type ProtocolName, protocolOf, type Role } from "./protocols.ts";

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Before it, buffers fill and code is compiled. */
const WARM_UP_SHARE = 0.4;

export interface Relay {
  name: string;
  /** Its program, if it is not ours. */
  needs?: string;
  protocol: ProtocolName;
  /** Starts it on a free port, which it returns, for so many receivers. */
  start(owner: Owner, receivers: number): Promise<number>;
}

/** Without a file of its own it listens on the port that is told, on this machine alone. */
const mosquitto = (port: number): string[] => ["mosquitto", "-p", `${port}`];

export const RELAYS = {
  ours: {
    name: "performance-server",
    protocol: "ours",
    start: async (owner) => (await startServer(owner)).port,
  },
  nats: {
    name: "nats-server",
    needs: "nats-server",
    protocol: "nats",
    start: (owner) =>
      startListener(owner, (port) => ["nats-server", "-a", "127.0.0.1", "-p", `${port}`]),
  },
  mosquitto: {
    name: "mosquitto, QoS 0",
    needs: "mosquitto",
    protocol: "mqtt",
    start: (owner) => startListener(owner, mosquitto),
  },
  redis: {
    name: "redis pub/sub",
    needs: "redis-server",
    protocol: "redis",
    start: (owner) =>
      startListener(owner, (port) => [
        ...["redis-server", "--bind", "127.0.0.1", "--port", `${port}`, "--save", ""],
        // Or it would cut off receivers that fall behind for a moment.
        ...["--client-output-buffer-limit", "pubsub 512mb 0 0"],
      ]),
  },
  bare: {
    name: "bare Node relay",
    protocol: "bare",
    async start(owner) {
      const command = [process.execPath, fileOf("bare-relay-main.ts")];
      return await printedPort(startCommand(owner, command, {}));
    },
  },
  copying: {
    name: "bare C relay",
    needs: "gcc",
    protocol: "bare",
    async start(owner, receivers) {
      const folder = mkdtempSync(join(tmpdir(), "bench-"));
      owner.after(() => rmSync(folder, { recursive: true }));
      const program = join(folder, "copy-relay");
      await output(["gcc", "-O2", "-o", program, fileOf("copy-relay.c")]);
      return await printedPort(startCommand(owner, [program, `${receivers}`], {}));
    },
  },
} satisfies Record<string, Relay>;

/** The port that a relay prints first. */
async function printedPort(running: Running): Promise<number> {
  const [first] = await running.printed<{ port: number }>((lines) => lines.length > 0);
  return first!.port;
}

interface Report {
  ms: number;
  bytes: number;
}

/** Messages a second that all receivers get together while one sender sends what it can. */
async function deliveryRate(
  owner: Owner,
  relay: Relay,
  receivers: number,
  { seconds }: Effort,
): Promise<number> {
  const port = await relay.start(owner, receivers);
  const load = async (role: Role, connections: number): Promise<Running> => {
    const args = [role, relay.protocol, `${port}`, `${connections}`];
    const running = startCommand(owner, [process.execPath, fileOf("load-main.ts"), ...args], {});
    await running.printed((lines) => lines.length > 0);
    return running;
  };
  const receiving = await load("receive", receivers);
  const startMs = performance.timeOrigin + performance.now();
  await load("send", 1);
  const fromMs = startMs + WARM_UP_SHARE * seconds * 1000;
  const toMs = fromMs + seconds * 1000;

  const reports = await receiving.printed<Report>((lines) => lines.at(-1)!.ms >= toMs);
  const [first, last] = [reports.find(({ ms }) => ms >= fromMs)!, reports.at(-1)!];
  const messages = (last.bytes - first.bytes) / protocolOf(relay.protocol).receivedBytes;
  return messages / ((last.ms - first.ms) / 1000);
}

/** A relay as a contestant; its figure is `delivered`, messages a second. */
export function relayContestant(relay: Relay, receivers: number): Contestant {
  return {
    name: relay.name,
    ...(relay.needs !== undefined && { unable: lacks(relay.needs) }),
    async measure(owner, effort) {
      return { delivered: await deliveryRate(owner, relay, receivers, effort) };
    },
  };
}
