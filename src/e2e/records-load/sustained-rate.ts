/**
 * How many records a second one client delivers to a healthy endpoint on the same machine, and
 * what share of its CPU time that costs.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createFirehoseEndpoint } from "../firehose-endpoint.ts";
import { documentOf, startClient, startServer } from "../processes.ts";
import { type Bench, cpuSeconds, environment, firehoseOf, format, pathsOf } from "./bench.ts";

const SECONDS = Number(process.argv[3] ?? 20);
/** Messages a second; each makes two records. */
const RATES = [500, 5_000, 15_000, 25_000];
/** Up to this rate, nothing is given up; above, the endpoint beside it may lack the CPU time. */
const PROMISED_RATE = 5_000;

export async function sustainedRate(bench: Bench): Promise<void> {
  const endpoint = await createFirehoseEndpoint({ keep: "nothing" });
  bench.after(endpoint.close);
  const sinkOf = {
    "none": [],
    "firehose": ["-k", "records"],
    "firehose, no aggregation": ["-k", "records", "--no-aggregate"],
    "firehose, spool": ["-k", "records", "--spool", join(bench.folder, "spool")],
  };
  for (const rate of RATES) {
    let cpuWithout = NaN;
    for (const [name, sink] of Object.entries(sinkOf)) {
      const figures = await runClient(bench, sink, rate, environment(endpoint.url));
      if (name === "none") cpuWithout = figures.cpuShare;
      const costUs = (figures.cpuShare - cpuWithout) * 1e6 / figures.sentPerSecond;
      bench.say(
        `${format(2 * rate)}/s, ${name}: ${format(figures.madePerSecond)} records/s made, ` +
          `${format(figures.sentPerSecond)}/s arrived, ${format(100 * figures.cpuShare, 1)} % CPU` +
          (name === "none" ? "" : `, ${format(costUs, 1)} µs of CPU a record`),
      );
      const givenUp = `${format(figures.givenUp)} records were dropped or failed`;
      if (rate <= PROMISED_RATE) bench.check(figures.givenUp === 0, givenUp);
      else if (figures.givenUp > 0) bench.say(givenUp);
    }
  }
  const { requests, records, bytes } = endpoint.counts();
  bench.say(
    `${format(records)} Firehose records, ${format(bytes / 1e6)} MB in ${
      format(requests)
    } requests`,
  );
}

async function runClient(
  bench: Bench,
  sink: readonly string[],
  rate: number,
  env: Record<string, string>,
): Promise<{ madePerSecond: number; sentPerSecond: number; cpuShare: number; givenUp: number }> {
  const server = await startServer(bench);
  const listener = await startClient(bench, server.port, [
    ...["-n", "listener", "--interval", "1h", "--json", "--records", "all", ...sink],
  ], { env });
  const sender = await startClient(bench, server.port, [
    ...["-n", "sender", "--size", "64", "--rate", String(rate)],
  ]);
  // Beginnings are dearer.
  await sleep(2000);
  const startMs = performance.now();
  const cpuBefore = cpuSeconds(listener);
  await sleep(SECONDS * 1000);
  const seconds = (performance.now() - startMs) / 1000;
  const cpuShare = (cpuSeconds(listener) - cpuBefore) / seconds;
  await sender.stop();
  const document = documentOf(await listener.stop());
  await server.stop();
  const { sent, failed, dropped } = sink.length > 0
    ? firehoseOf(document)
    : { sent: 0, failed: 0, dropped: 0 };
  return {
    madePerSecond: 2 * pathsOf(document) / document.seconds,
    sentPerSecond: sent / document.seconds,
    cpuShare,
    givenUp: failed + dropped,
  };
}
