/**
 * Hosts for a test, on one network that nothing else is on. Each is a network namespace without a
 * name, held by a process that ends with the test, however that ends: nothing is left behind.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Owner } from "./processes.ts";

/** Length of the network's prefix. */
const PREFIX_BITS = 16;

export interface TestHost {
  readonly address: string;
  /** What starts a program there: goes before its command. */
  readonly through: readonly string[];
}

/** As `test` takes it: why tests that need hosts are skipped, else false. */
export const skipWithoutHosts: string | false = findObstacle();

function findObstacle(): string | false {
  if (process.getuid?.() !== 0) return "hosts of their own are made by root alone";
  const probe = "ip link add type bridge && ip link add type veth && nsenter --version";
  const { status } = spawnSync("unshare", ["--net", "sh", "-c", probe]);
  return status !== 0 && "network namespaces, bridges and pairs of interfaces are not to be had";
}

/** Makes hosts of these addresses (IPv4), all of which reach one another. */
export async function createHosts<Name extends string>(
  t: Owner,
  addresses: Readonly<Record<Name, string>>,
): Promise<Record<Name, TestHost>> {
  const bridge = await createNamespace(t);
  configure(bridge, ["link add hosts type bridge", "link set hosts up"]);
  const hosts: Partial<Record<Name, TestHost>> = {};
  for (const name in addresses) {
    const pid = await createNamespace(t);
    configure(bridge, [
      `link add to-${pid} type veth peer name eth0 netns ${pid}`,
      `link set to-${pid} master hosts up`,
    ]);
    const address = addresses[name];
    configure(pid, [
      "link set lo up",
      `addr add ${address}/${PREFIX_BITS} dev eth0`,
      "link set eth0 up",
    ]);
    hosts[name] = { address, through: enter(pid) };
  }
  return hosts as Record<Name, TestHost>;
}

/** The process that holds a new network namespace: it lasts as long as its stdin. */
async function createNamespace(t: Owner): Promise<number> {
  const child = spawn("unshare", ["--net", "cat"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  t.after(() => {
    child.stdin.end();
    return ended;
  });
  // What it echoes, it echoes from inside.
  child.stdin.write("inside\n");
  await Promise.race([once(child.stdout, "data"), ended]);
  if (child.exitCode !== null) throw new Error("there is no network namespace to be had");
  return child.pid!;
}

function enter(pid: number): string[] {
  return ["nsenter", `--net=/proc/${pid}/ns/net`];
}

/** Runs commands of `ip` in a namespace. */
function configure(pid: number, commands: readonly string[]): void {
  const [program, ...args] = enter(pid);
  execFileSync(program!, [...args, "ip", "-batch", "-"], { input: commands.join("\n") });
}
