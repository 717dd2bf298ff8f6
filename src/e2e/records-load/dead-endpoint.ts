/**
 * A client that makes 50,000 records a second for a minute, none of which can be sent: connections
 * are refused. With a queue in memory, and with a spool: what the process holds at most, and
 * whether each record is in the counts.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createFirehoseEndpoint } from "../firehose-endpoint.ts";
import { documentOf, startClient, startServer } from "../processes.ts";
import { type Bench, environment, firehoseOf, format, pathsOf, watchPeakMb } from "./bench.ts";

const SECONDS = Number(process.argv[3] ?? 60);
/** Somewhat above: a busy machine misses some slots. */
const MESSAGES_A_SECOND = 27_000;
const RECORDS_A_MESSAGE = 2;
const RECORDS_A_SECOND = 50_000;
const SPOOL_LIMIT = "256MiB";
/** Of the process: what waits is 64 MiB of it. */
const MAX_PEAK_MB = 400;

export async function deadEndpoint(bench: Bench): Promise<void> {
  const dead = await createFirehoseEndpoint();
  await dead.close();
  const spool = join(bench.folder, "spool");
  mkdirSync(spool);
  const sinkOf = {
    "no sink": [],
    "memory": ["-k", "records"],
    "spool": ["-k", "records", "--spool", spool, "--spool-limit", SPOOL_LIMIT],
  };
  for (const [name, sink] of Object.entries(sinkOf)) {
    await runClient(bench, name, sink, environment(dead.url));
  }
}

async function runClient(
  bench: Bench,
  name: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  const { say, check } = bench;
  const server = await startServer(bench);
  const listener = await startClient(bench, server.port, [
    ...["-n", "listener", "--interval", "1h", "--json", "--grace", "5s"],
    ...["--records", "all", ...args],
  ], { env });
  const peakMb = watchPeakMb(listener);
  const sender = await startClient(bench, server.port, [
    ...["-n", "sender", "--size", "16", "--rate", String(MESSAGES_A_SECOND)],
    ...["--duration", `${SECONDS}s`, "--json"],
  ]);
  const { sent } = documentOf(await sender.exited);
  const document = documentOf(await listener.stop());
  await server.stop();
  const metered = pathsOf(document);
  const records = metered * RECORDS_A_MESSAGE;
  const lost = document.keys.reduce((sum, { hops, lost }) => sum + (hops === 2 ? lost : 0), 0);
  say(
    `${name}: ${format(sent)} messages sent, ${format(metered)} metered, ${format(lost)} lost; ` +
      `peak memory ${format(peakMb())} MB`,
  );
  if (args.length === 0) return;
  const { accepted, queued, spooled = 0, failed, dropped } = firehoseOf(document);
  say(
    `${name}: accepted ${format(accepted)}, queued ${format(queued)}, on disk ${
      format(spooled)
    }, failed ${format(failed)}, dropped ${format(dropped)}`,
  );
  check(
    records / SECONDS >= RECORDS_A_SECOND,
    `${name}: ${format(records / SECONDS)} records a second`,
  );
  check(metered + document.warmup === sent, `${name}: each message was metered`);
  check(accepted === records, `${name}: each record is counted as accepted`);
  check(
    firehoseOf(document).sent === 0 && accepted === queued + failed + dropped && dropped > 0,
    `${name}: each is counted as queued, failed or dropped`,
  );
  check(queued === spooled, `${name}: what is still queued is on disk`);
  check(peakMb() <= MAX_PEAK_MB, `${name}: at most ${format(MAX_PEAK_MB)} MB of memory`);
}
