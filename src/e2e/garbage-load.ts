/**
 * Run by hand: connections of garbage, as many as this machine makes, at a server that meters two
 * honest clients. Shows their delays and losses before, during and after, and the server's memory.
 *
 *     node src/e2e/garbage-load.ts [SECONDS [SERVER OPTIONS …]]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeHello } from "../relay/hello.ts";
import { documentOf, type Owner, startClient, startServer } from "./processes.ts";

const QUIET_MS = 15_000;
const GENERATORS = 2;
/** Connections under way in each generator. */
const AT_ONCE = 64;
/** A server that says nothing is left after this time; some stay for long, to fill its tables. */
const PATIENCE_MS = 20;
const LOITER_MS = 8_000;
const LOITERERS = 0.002;

const hello = writeHello({
  probe: false,
  echo: false,
  processId: new Uint8Array(16),
  previousSession: new Uint8Array(8),
  maxPayloadBytes: 1,
  flow: 0,
  mode: "paced",
  name: "nobody",
  route: "",
  prefix: "",
});

/** What a connection says, by turns. */
const GARBAGE: (() => Uint8Array)[] = [
  () => randomBytes(randomInt(1, 2000)),
  () => new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
  () => Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...randomBytes(200)),
  () => hello.subarray(0, randomInt(1, hello.byteLength)),
  () => hello.with(randomInt(8, hello.byteLength), randomInt(256)).subarray(0, -1),
  () => Uint8Array.of(...hello.subarray(0, 42), ...randomBytes(hello.byteLength - 42)),
  () => new Uint8Array(0),
];

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Connects until told to end; prints how many connections it made. */
function generate(port: number): void {
  let made = 0;
  let failed = 0;
  let isEnding = false;
  const next = (): void => {
    if (isEnding) return;
    const turn = made++;
    const localAddress = `127.0.${1 + (turn % 50)}.${1 + (turn % 200)}`;
    const socket = net.connect({ host: "127.0.0.1", port, localAddress });
    const patienceMs = Math.random() < LOITERERS ? LOITER_MS : PATIENCE_MS;
    const timer = setTimeout(() => socket.resetAndDestroy(), patienceMs);
    // One that loiters does not keep others from coming.
    if (patienceMs === LOITER_MS) setImmediate(next);
    socket.on("connect", () => socket.write(GARBAGE[turn % GARBAGE.length]!()));
    socket.on("data", () => {});
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRNOTAVAIL" || error.code === "ECONNREFUSED") failed++;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      if (patienceMs !== LOITER_MS) setImmediate(next);
    });
  };
  for (let i = 0; i < AT_ONCE; i++) next();
  process.stdin.on("end", () => {
    isEnding = true;
    process.stdout.write(JSON.stringify({ made, failed }), () => process.exit());
  });
  process.stdin.resume();
}

/** Resident memory of a process, in MiB. */
function memoryMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
}

interface HopRecord {
  id: string;
  echo: boolean;
  elapsed_ms?: number;
  sent: string;
  received: string;
}

/** Round trips of messages whose slot lies between two instants, and of those how many are missing. */
function figuresOf(records: readonly HopRecord[], fromMs: number, toMs: number) {
  const within = records.filter(({ received, elapsed_ms: elapsedMs = 0 }) => {
    const sentMs = Date.parse(received) - elapsedMs;
    return sentMs >= fromMs && sentMs < toMs;
  });
  const delays = within.map(({ elapsed_ms: elapsedMs = NaN }) => elapsedMs).sort((a, b) => a - b);
  const rank = (share: number) => delays[Math.max(0, Math.ceil(share * delays.length) - 1)] ?? NaN;
  const sequences = within.map(({ id }) => Number(id.slice(id.lastIndexOf("-") + 1)));
  const span = Math.max(...sequences) - Math.min(...sequences) + 1;
  return {
    messages: within.length,
    lost: span - new Set(sequences).size,
    p50: rank(0.5),
    p99: rank(0.99),
    max: rank(1),
  };
}

async function main(seconds: number, options: string[]): Promise<void> {
  const ends: (() => unknown)[] = [];
  const owner: Owner = { after: (end: unknown) => void ends.push(end as () => unknown) };
  const folder = mkdtempSync(join(tmpdir(), "garbage-"));
  const generators: ChildProcess[] = [];
  // Garbage comes from elsewhere: what its makers take of this machine is not to be measured.
  const through = process.getuid?.() === 0 ? ["nice", "-n", "-15"] : [];
  const how = { through };
  try {
    const server = await startServer(owner, ["--json", ...options], how);
    const files = ["a", "b"].map((name) => join(folder, `${name}.ndjson`));
    const clients = await Promise.all(files.map((file, index) =>
      startClient(owner, server.port, [
        ...["-n", `honest-${index}`, "--rate", "100", "--size", "64", "--echo", "--json"],
        ...["--ndjson", file, "--warmup", "0"],
      ], how)
    ));
    await wait(3_000);
    const marks = [Date.now()];
    await wait(QUIET_MS);
    const memory = [memoryMiB(server.pid)];
    marks.push(Date.now());
    for (let i = 0; i < GENERATORS; i++) {
      const main = fileURLToPath(import.meta.url);
      generators.push(spawn(process.execPath, [main, "--generate", String(server.port)], {
        stdio: ["pipe", "pipe", "inherit"],
      }));
    }
    await wait(seconds * 1000);
    memory.push(memoryMiB(server.pid));
    const counts = await Promise.all(generators.map(async (generator) => {
      const told = new Promise<Buffer>((resolve) => generator.stdout!.once("data", resolve));
      generator.stdin!.end();
      return JSON.parse(String(await told)) as { made: number; failed: number };
    }));
    marks.push(Date.now());
    await wait(10_000);
    marks.push(Date.now());
    await wait(QUIET_MS);
    marks.push(Date.now());
    memory.push(memoryMiB(server.pid));
    const documents = (await Promise.all(clients.map((client) => client.stop()))).map(documentOf);
    const { refusals } = documentOf(await server.stop());
    const made = counts.reduce((sum, count) => sum + count.made, 0);
    const failed = counts.reduce((sum, count) => sum + count.failed, 0);
    const tookS = (marks[2]! - marks[1]!) / 1000;
    console.log(`${made} connections in ${tookS} s: ${Math.round(made / tookS)} a second`);
    console.log(`${failed} of them did not come about`, refusals);
    const phases = [["before", 0, 1], ["during", 1, 2], ["after", 3, 4]] as const;
    for (const [index, file] of files.entries()) {
      const records = readFileSync(file, "utf8").trimEnd().split("\n")
        .map((line): HopRecord => JSON.parse(line)).filter(({ echo }) => echo);
      console.log(`honest-${index}: round trips, ms`);
      console.table(Object.fromEntries(phases.map(([phase, from, to]) => [
        phase,
        figuresOf(records, marks[from]!, marks[to]!),
      ])));
      const { routes, keys } = documents[index]!;
      const lost = keys.reduce((sum, key) => sum + key.lost, 0);
      console.log(`in all: lost ${lost}, reconnects ${routes![0]!.reconnects}`);
    }
    console.log(`server's memory before, during, after: ${memory.join(", ")} MiB`);
  } finally {
    for (const generator of generators) generator.kill();
    for (const end of ends) await end();
    rmSync(folder, { recursive: true });
  }
}

const [first, second, ...rest] = process.argv.slice(2);
if (first === "--generate") generate(Number(second));
else await main(Number(first ?? 30), second === undefined ? [] : [second, ...rest]);
