/** Starts peers that are no programs of ours, and tells when they can be reached. */
import { execFile, spawnSync } from "node:child_process";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Owner, startCommand } from "../processes.ts";

const execute = promisify(execFile);
const PATIENCE_MS = 10_000;

function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", 'command -v "$0"', program]).status === 0;
}

/** Says of a contestant that its program is not here. */
export const lacks = (program: string) => (): string | undefined =>
  isInstalled(program) ? undefined : `missing: ${program} is not installed`;

/** A port that nothing listens on now. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Starts a server on a free port, and waits until it can be reached. */
export async function startReachable(
  owner: Owner,
  commandOf: (port: number) => readonly string[],
  isReachable: (port: number) => Promise<boolean>,
): Promise<number> {
  const port = await freePort();
  const command = commandOf(port);
  startCommand(owner, command, {});
  const endMs = Date.now() + PATIENCE_MS;
  while (!await isReachable(port)) {
    if (Date.now() > endMs) throw new Error(`${command[0]} does not listen`);
    await sleep(20);
  }
  return port;
}

/** Starts a server that listens on TCP on a free port, and waits until it does. */
export const startListener = (
  owner: Owner,
  commandOf: (port: number) => readonly string[],
): Promise<number> => startReachable(owner, commandOf, canConnect);

/** What a command prints. Rejects where it fails. */
export async function output(command: readonly string[]): Promise<string> {
  const { stdout } = await execute(command[0]!, command.slice(1), { maxBuffer: 2 ** 30 });
  return stdout;
}

/** Runs a command on one core: what is compared must sit in the same places. */
export const onCore = (core: number): readonly string[] => ["taskset", "-c", String(core)];
