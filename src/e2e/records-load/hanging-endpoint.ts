/**
 * Delays of one mesh, in turns: all its processes send their records to an endpoint that gives no
 * answer for a minute, or make none. Metering that waits for its sink would show in the delays.
 */
import type { RunSummary } from "../../metrics/summary.ts";
import { createFirehoseEndpoint } from "../firehose-endpoint.ts";
import { documentOf, startClient, startServer } from "../processes.ts";
import { type Bench, environment, firehoseOf, format } from "./bench.ts";

const REPETITIONS = Number(process.argv[3] ?? 6);
const DURATION = process.argv[4] ?? "60s";
const MESSAGES_A_SECOND = 500;

interface Delays {
  p50: number;
  p99: number;
}

export async function hangingEndpoint(bench: Bench): Promise<void> {
  const { say, check } = bench;
  const endpoint = await createFirehoseEndpoint({ faults: { hang: 1 }, keep: "nothing" });
  bench.after(endpoint.close);
  const without: Delays[] = [];
  const hanging: Delays[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    // What grows with time on this machine, grows for both.
    const order = repetition % 2 === 1 ? [without, hanging] : [hanging, without];
    for (const figures of order) {
      const withSink = figures === hanging;
      const delays = await runMesh(bench, withSink ? endpoint.url : undefined);
      figures.push(delays);
      say(`${withSink ? "hanging" : "no sink"}: p50 ${us(delays.p50)}, p99 ${us(delays.p99)}`);
    }
  }
  const { requests, records } = endpoint.counts();
  check(requests >= REPETITIONS && records === 0, `${requests} requests hung, none was answered`);
  for (const figure of ["p50", "p99"] as const) {
    const a = without.map((delays) => delays[figure]);
    const b = hanging.map((delays) => delays[figure]);
    const difference = median(b) - median(a);
    const noise = Math.max(typicalDifference(a), typicalDifference(b));
    check(
      difference < noise,
      `${figure} of hops: ${us(median(a))} without a sink, ${us(median(b))} beside a hanging ` +
        `endpoint: ${us(difference)} more, where two repetitions differ by ${us(noise)}`,
    );
  }
}

/** Runs a server and two clients; all hops of all three together. */
async function runMesh(bench: Bench, url: string | undefined): Promise<Delays> {
  const sink = url === undefined ? [] : ["-k", "records", "--flush-interval", "1s"];
  const env = url === undefined ? {} : environment(url);
  const common = [...sink, "--json", "--grace", "1s"];
  const server = await startServer(bench, common, { env });
  const client = (name: string) =>
    startClient(bench, server.port, [
      ...["-n", name, "--size", "128", "--rate", String(MESSAGES_A_SECOND)],
      ...["--duration", DURATION, ...common],
    ], { env });
  const clients = await Promise.all([client("one"), client("two")]);
  const documents = (await Promise.all(clients.map(({ exited }) => exited))).map(documentOf);
  documents.push(documentOf(await server.stop()));
  if (url !== undefined) {
    const waiting = documents.map(firehoseOf);
    bench.check(
      waiting.every(({ accepted, sent, failed }) => accepted > 0 && sent === 0 && failed > 0),
      `${waiting.map(({ accepted }) => format(accepted)).join(", ")} records, none sent`,
    );
  }
  return delaysOf(documents);
}

/** The mean of each percentile over the hops, each by the process that ended it. */
function delaysOf(documents: readonly RunSummary[]): Delays {
  const hops = documents.flatMap(({ keys, config }) =>
    keys.filter(({ hops, to, ms }) => hops === 1 && to === config["name"] && ms !== undefined)
  );
  const mean = (figure: keyof Delays): number =>
    hops.reduce((sum, { ms }) => sum + ms![figure], 0) / hops.length;
  return { p50: mean("p50"), p99: mean("p99") };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Between two of them: the median of all pairs', which a single odd one does not widen. */
function typicalDifference(values: readonly number[]): number {
  return median(
    values.flatMap((a, index) => values.slice(index + 1).map((b) => Math.abs(a - b))),
  );
}

const us = (ms: number): string => `${format(ms * 1000, 1)} µs`;
