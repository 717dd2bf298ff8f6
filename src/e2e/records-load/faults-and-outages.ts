/**
 * 200,000 records of one client to an endpoint that fails in part of every tenth request and
 * wholly of every twentieth, and loses its answer to every fiftieth, with two outages of 20 s:
 * connections refused, and no answers. In the second, the client is killed and started again with
 * the same spool. All that it wrote down is to arrive.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createFirehoseEndpoint } from "../firehose-endpoint.ts";
import { documentOf, type Running, startClient, startServer } from "../processes.ts";
import { type Bench, environment, firehoseOf, format, pathsOf } from "./bench.ts";

const RECORDS = 200_000;
const MESSAGES_A_SECOND = 1000;
/** Of the hop to the server, and of the hop from it. */
const RECORDS_A_MESSAGE = 2;
const HEALTHY_MS = 15_000;
const OUTAGE_MS = 20_000;
/** Each start after the kill has so long to empty the spool. */
const GRACE = "60s";
/** What was accepted so shortly before the kill need not be on disk. */
const UNWRITTEN_MS = 1000;
/** Where an answer is lost, records come twice. */
const FAULTS = { partial: 0.1, error503: 0.05, acceptThenReset: 0.02 };

export async function faultsAndOutages(bench: Bench): Promise<void> {
  const { folder, say, check } = bench;
  const endpoint = await createFirehoseEndpoint({ faults: FAULTS });
  bench.after(endpoint.close);
  const spool = join(folder, "spool");
  const server = await startServer(bench);
  let runs = 0;
  const startListener = (): Promise<Running> =>
    startClient(bench, server.port, [
      ...["-n", "listener", "--interval", "1h", "--records", "all", "--json", "--grace", GRACE],
      ...["-k", "records", "--spool", spool, "--ndjson", join(folder, `${++runs}.ndjson`)],
    ], { env: environment(endpoint.url) });
  /** What a start of the listener wrote to its file. */
  const written = (run: number): string[] => wholeLines(join(folder, `${run}.ndjson`));

  const killed = await startListener();
  const sender = await startClient(bench, server.port, [
    ...["-n", "sender", "--size", "64", "--rate", String(MESSAGES_A_SECOND), "--json"],
  ]);
  const startMs = performance.now();
  await sleep(HEALTHY_MS);
  say("the endpoint refuses connections");
  await endpoint.refuse();
  await sleep(OUTAGE_MS);
  say("the endpoint is back");
  await endpoint.accept();
  await sleep(HEALTHY_MS);
  say("the endpoint gives no answers");
  endpoint.setFaults({ hang: 1 });
  await sleep(OUTAGE_MS / 2);
  const killedAt = Date.now();
  killed.signal("SIGKILL");
  await killed.exited;
  const onDisk = readdirSync(spool).flatMap((name) => wholeLines(join(spool, name)))
    .filter((line) => "id" in JSON.parse(line));
  say(`the client is killed: ${format(onDisk.length)} records in its spool`);
  const heir = await startListener();
  await sleep(OUTAGE_MS / 2);
  say("the endpoint answers again");
  endpoint.setFaults(FAULTS);
  const seconds = RECORDS / RECORDS_A_MESSAGE / MESSAGES_A_SECOND;
  // A second for the kill, during which nobody listens, and one to be above.
  await sleep(Math.max(0, seconds * 1000 + 2000 - (performance.now() - startMs)));
  const { sent } = documentOf(await sender.stop());
  const document = documentOf(await heir.stop());
  const sink = firehoseOf(document);
  say(`the sender sent ${format(sent)} messages; the second listener: ${JSON.stringify(sink)}`);

  const before = written(1);
  const after = written(2);
  const records = before.length + after.length;
  check(records >= RECORDS, `${format(records)} records were made, ${format(RECORDS)} at least`);
  check(onDisk.every(endpoint.has), "all that the dead client had in its spool arrived");
  check(after.every(endpoint.has), "all records of the client that followed arrived");
  check(
    sink.accepted === after.length && sink.accepted === pathsOf(document) * RECORDS_A_MESSAGE,
    `it counted ${format(sink.accepted)} as accepted, and so many there were`,
  );
  check(
    sink.queued + sink.failed + sink.dropped === 0 &&
      sink.sent === sink.accepted + (sink.recovered ?? 0),
    `it sent them all, and the ${format(sink.recovered ?? 0)} that it recovered`,
  );
  const missing = before.filter((line) => !endpoint.has(line));
  const oldestMs = missing.map((line) => killedAt - Date.parse(JSON.parse(line).received))
    .reduce((a, b) => Math.max(a, b), 0);
  check(
    oldestMs <= UNWRITTEN_MS,
    `of the dead client, ${format(missing.length)} records are missing that its --ndjson has, ` +
      `the oldest made ${format(oldestMs)} ms before the kill`,
  );
  const newestMs = onDisk.concat(before)
    .map((line) => Date.parse(JSON.parse(line).received)).reduce((a, b) => Math.max(a, b), 0);
  say(`the newest record on disk was made ${format(killedAt - newestMs)} ms before the kill`);
  const { lines, distinct, duplicates, requests, faults } = endpoint.counts();
  say(
    `${format(lines)} lines arrived, ${format(distinct)} records and ${format(duplicates)} ` +
      `duplicates, in ${format(requests)} requests; ${format(sink.retried)} were sent again by ` +
      `the second listener; faults: ${JSON.stringify(faults)}`,
  );
}

/** Without a last one that was not written to its end. */
function wholeLines(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) =>
    line.startsWith("{")
  );
}
