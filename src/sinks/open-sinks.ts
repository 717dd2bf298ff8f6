/** Opens all sinks that a configuration asks for, and makes one of them. */
import type { SinkSummary } from "../metrics/summary.ts";
import { Failure } from "../platform/failure.ts";
import type { SinkLog } from "./delivery-log.ts";
import { createFirehosePut } from "./firehose-client.ts";
import { createFirehoseSink } from "./firehose-sink.ts";
import { createMemoryQueue } from "./memory-queue.ts";
import { createNdjsonSink } from "./ndjson.ts";
import type { RecordQueue } from "./record-queue.ts";
import type { Sink } from "./sink.ts";
import { openSpool } from "./spool.ts";

/** Of a program's configuration, what concerns sinks: its options, durations in milliseconds. */
export interface SinksConfig {
  ndjson: string | undefined;
  rotateSize: number | undefined;
  rotateAge: number | undefined;
  kinesis: { name: string; region: string | undefined } | undefined;
  flushInterval: number;
  aggregate: boolean;
  spool: string | undefined;
  spoolLimit: number;
}

export interface SinksSurroundings {
  /** Where this process runs, for a stream without a region; `any` is unknown. */
  place: { region: string };
  env: Readonly<Record<string, string | undefined>>;
  log: SinkLog;
}

export interface Sinks {
  /** Takes one record for each of them: a line of JSON with its newline. */
  write(line: string): void;
  /**
   * Closes all at the same time. Resolves when all have written what waits, or after `graceMs`;
   * then what is left for the next start, and what is lost, has been logged.
   */
  close(graceMs: number): Promise<void>;
  summaries(): SinkSummary[];
}

/**
 * Undefined where the configuration asks for none. That Firehose cannot be reached is no failure:
 * records wait.
 *
 * @throws Failure where a sink cannot be opened
 */
export async function openSinks(
  config: SinksConfig,
  surroundings: SinksSurroundings,
): Promise<Sinks | undefined> {
  const { log } = surroundings;
  const sinks: Sink[] = [];
  if (config.ndjson !== undefined) {
    sinks.push(createNdjsonSink({
      path: config.ndjson,
      rotateBytes: config.rotateSize,
      rotateAgeMs: config.rotateAge,
      failed: log.warn,
      info: log.info,
    }));
  }
  if (config.kinesis !== undefined) {
    sinks.push(await openFirehose(config.kinesis, config, surroundings));
  }
  if (sinks.length === 0) return undefined;

  return {
    write(line) {
      for (const sink of sinks) sink.write(line);
    },
    async close(graceMs) {
      await Promise.all(sinks.map((sink) => sink.close(graceMs)));
      for (const sink of sinks) tellOfTheRest(sink.summary(), config.spool, log);
    },
    summaries: () => sinks.map((sink) => sink.summary()),
  };
}

/**
 * The SDK is loaded here, before anything is measured: that holds up the process for some 40 ms,
 * which would show in the delays of messages.
 */
async function openFirehose(
  stream: { name: string; region: string | undefined },
  config: SinksConfig,
  { place, env, log }: SinksSurroundings,
): Promise<Sink> {
  const { put, region } = await createFirehosePut({
    stream: stream.name,
    region: stream.region,
    placeRegion: place.region === "any" ? undefined : place.region,
    env,
  }).catch((error: Error) => {
    if (error instanceof Failure) throw error;
    throw new Failure(`records cannot be sent to Firehose: ${error.message}`);
  });
  return createFirehoseSink({
    name: `${region}:${stream.name}`,
    queue: await openQueue(config, log),
    put,
    flushMs: config.flushInterval,
    aggregate: config.aggregate,
    nowMs,
    random: Math.random,
    log,
  });
}

async function openQueue({ spool, spoolLimit }: SinksConfig, log: SinkLog): Promise<RecordQueue> {
  if (spool === undefined) return createMemoryQueue({ nowMs, warn: log.warn });
  const queue = await openSpool({
    folder: spool,
    limitBytes: spoolLimit,
    nowMs,
    warn: log.warn,
    info: log.info,
  });
  const { recovered } = queue.counts();
  if (recovered > 0) {
    log.info(`records of an earlier run wait in ${spool}, and are sent now`, {
      records: recovered,
    });
  }
  return queue;
}

/** Unix time that never goes back. */
const nowMs = (): number => performance.timeOrigin + performance.now();

function tellOfTheRest(
  { sink, queued, failed, dropped }: SinkSummary,
  spool: string | undefined,
  log: SinkLog,
): void {
  if (queued > 0) {
    const text = `records wait in ${spool}, and are sent at the next start with --spool ${spool}`;
    log.info(`${sink}: ${text}`, { records: queued });
  }
  if (failed + dropped > 0) {
    const isQueue = sink.startsWith("firehose") && spool === undefined;
    const advice = isQueue ? "; with --spool DIR they wait on disk, and for the next start" : "";
    log.warn(`${sink}: records are lost${advice}`, { failed, dropped });
  }
}
