/**
 * Hours of steady traffic, outside the test command: does memory stay flat, do figures drift?
 *
 *     node src/e2e/soak.ts [MINUTES [RATE]]
 *
 * For each transport one client sends RATE messages a second (5,000) to another one, all through
 * one server. Prints, for each tenth of the time, the memory of each process and the figures of the
 * paths. Exit code 1 where a message was lost over TCP, or memory grew in the second half.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { documentOf, type Exit, type Running, startClient, startServer } from "./processes.ts";

const minutes = Number(process.argv[2] ?? 60);
const rate = Number(process.argv[3] ?? 5_000);
const PARTS = 10;
/** In the second half: in the first one each heap grows to the size at which it is swept. */
const MOST_GROWTH = 1.1;
const TRANSPORTS = ["tcp", "udp"] as const;

interface Process {
  name: string;
  running: Running;
  /** At the end of each part. */
  memoryMb: number[];
}

interface SummaryRecord {
  key: string;
  hops: number;
  from: string;
  count: number;
  lost: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

function memoryMb({ pid }: Running): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s*(\d+)/.exec(status)![1]) / 1024);
}

const ends: (() => unknown)[] = [];
const owner = { after: (end: () => unknown) => void ends.push(end) };
const partMs = (minutes * 60_000) / PARTS;
const server = await startServer(owner, ["--transport", "tcp,udp", "--stats", "0", "--json"]);
const processes: Process[] = [{ name: "server", running: server, memoryMb: [] }];
const receivers: Running[] = [];
for (const transport of TRANSPORTS) {
  const common = ["--transport", transport, "--json"];
  const receiver = await startClient(owner, server.port, [
    ...common.slice(0, 2),
    ...["-n", `${transport}-receiver`, "--interval", "1h", "--warmup", "0"],
    ...["--records", "summary", "--ndjson", "-", "--stats", `${Math.round(partMs)}ms`],
  ]);
  const sender = await startClient(owner, server.port, [
    ...common,
    ...["-n", `${transport}-sender`, "--rate", String(rate), "--size", "128", "--stats", "0"],
  ]);
  receivers.push(receiver);
  processes.push({ name: `${transport} receiver`, running: receiver, memoryMb: [] });
  processes.push({ name: `${transport} sender`, running: sender, memoryMb: [] });
}

for (let part = 1; part <= PARTS; part++) {
  await sleep(partMs);
  for (const each of processes) each.memoryMb.push(memoryMb(each.running));
  const shown = processes.map(({ name, memoryMb }) => `${name} ${memoryMb.at(-1)} MB`);
  console.log(`${part}/${PARTS}: ${shown.join(", ")}`);
}

const sent = new Map<string, number>();
const exits = new Map<Running, Exit>();
for (const { name, running } of processes.toReversed()) {
  const exit = await running.stop();
  exits.set(running, exit);
  if (name.endsWith("sender")) sent.set(name.split(" ")[0]!, documentOf(exit).sent!);
}
let broken = false;
for (const [index, transport] of TRANSPORTS.entries()) {
  const { stdout } = exits.get(receivers[index]!)!;
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as SummaryRecord)
    .filter(({ hops, from }) => hops === 2 && from === `${transport}-sender`);
  console.log(`\n${transport}: ${sent.get(transport)} sent`);
  for (const { count, lost, p50_ms, p99_ms, max_ms } of records) {
    console.log(
      `  ${count} received, ${lost} lost, p50 ${p50_ms}, p99 ${p99_ms}, max ${max_ms} ms`,
    );
  }
  if (transport === "tcp" && records.some(({ lost }) => lost !== 0)) broken = true;
}
for (const { name, memoryMb } of processes) {
  const [settled, last] = [memoryMb[PARTS / 2 - 1]!, memoryMb.at(-1)!];
  if (last > settled * MOST_GROWTH) {
    broken = true;
    console.log(`${name} grew from ${settled} to ${last} MB`);
  }
}
for (const end of ends.reverse()) await end();
if (broken) process.exitCode = 1;
