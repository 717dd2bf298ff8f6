/**
 * How wrong this host's wall clock may be, by what the place tells: `--clock-error`, ClockBound's
 * file on EC2, or the task's metadata on Fargate. Unknown elsewhere.
 */
import { readFile } from "node:fs/promises";
import { clockBoundAt, type ClockBoundReading, parseClockBound } from "./clock-bound.ts";
import { ecsBoundAt, type EcsClockReading, parseEcsClock } from "./ecs-clock.ts";
import { createAsk, type Fetch } from "./metadata.ts";

const CLOCK_BOUND_FILES = ["/var/run/clockbound/shm0", "/var/run/clockbound/shm"];
/** ClockBound's daemon writes every second, the ECS agent more seldom. */
const CLOCK_BOUND_PERIOD_MS = 1_000;
const ECS_PERIOD_MS = 10_000;
const ECS_TIMEOUT_MS = 2_000;
const WRITE_RETRIES = 5;

export interface ClockErrorOptions {
  /** `--clock-error`, in ms: nothing else is asked then. */
  clockErrorMs: number | undefined;
  env: Readonly<Record<string, string | undefined>>;
  fetch: Fetch;
  /** Told once for each change: where the bound comes from, or why it is unknown. */
  tell: (message: string, data?: Record<string, string | number>) => void;
  /** ClockBound's files, the first that exists counts. */
  files?: readonly string[];
}

/** A bound on wall clock − UTC that is kept up to date. */
export interface ClockError {
  /** In µs, now; NaN where unknown. Cheap: nothing is read. */
  boundUs(): number;
  /** Reads anew what the place tells; resolves once that is done. It goes on by itself too. */
  refresh(): Promise<void>;
}

/** One source's news: a bound as a function of now, or why there is none. */
type News =
  | { source: string; boundUs: () => number; data: Record<string, string | number> }
  | string;
type Read = () => Promise<News | undefined>;

/** Finds out who tells of this host's clock, and goes on asking without keeping the process. */
export function createClockError(options: ClockErrorOptions): ClockError {
  const { clockErrorMs, env, tell } = options;
  if (clockErrorMs !== undefined) {
    const boundUs = clockErrorMs * 1000;
    return { boundUs: () => boundUs, refresh: () => Promise.resolve() };
  }
  const ecs = env["ECS_CONTAINER_METADATA_URI_V4"];
  const read: Read = ecs ? readEcs(`${ecs}/task`, options.fetch) : readClockBound(
    options.files ?? CLOCK_BOUND_FILES,
  );
  let boundUs = (): number => NaN;
  let told: string | undefined;

  const refresh = async (): Promise<void> => {
    const news = await read();
    if (news === undefined) return;
    const message = typeof news === "string"
      ? `this host's clock error is unknown: ${news}`
      : `this host's clock error is known from ${news.source}`;
    boundUs = typeof news === "string" ? () => NaN : news.boundUs;
    if (message === told) return;
    told = message;
    tell(message, typeof news === "string" ? undefined : news.data);
  };
  void refresh();
  setInterval(() => void refresh(), ecs ? ECS_PERIOD_MS : CLOCK_BOUND_PERIOD_MS).unref();
  return { boundUs: () => boundUs(), refresh };
}

function readEcs(url: string, fetch: Fetch): Read {
  return async () => {
    const text = await createAsk(fetch, AbortSignal.timeout(ECS_TIMEOUT_MS))(url);
    if (text === undefined) return "the task's metadata does not answer";
    const reading = parseEcsClock(text);
    if (typeof reading === "string") return reading;
    const boundUs = () => ecsBoundAt(reading, Date.now());
    if (Number.isNaN(boundUs())) return "what the task's metadata says of it is too old";
    return { source: "the task's metadata", boundUs, data: ecsData(reading) };
  };
}

function ecsData({ boundUs, asOfUnixMs }: EcsClockReading): Record<string, string | number> {
  return { bound_ms: boundUs / 1000, as_of: new Date(asOfUnixMs).toISOString() };
}

function readClockBound(files: readonly string[]): Read {
  let found = false;
  return async () => {
    for (const file of files) {
      const bytes = await contents(file);
      if (bytes === undefined) continue;
      found = true;
      return await readClockBoundFile(file, bytes);
    }
    // Most machines have none: nothing to tell.
    return found ? "ClockBound's file is gone" : undefined;
  };
}

async function readClockBoundFile(file: string, first: Uint8Array): Promise<News> {
  // Deno's monotonic clock begins near zero, the file's times do not.
  if ("Deno" in globalThis) return `${file} cannot be related to Deno's clock`;
  let before = first;
  for (let retry = 0;; retry++) {
    const again = await contents(file) ?? new Uint8Array(0);
    const reading = parseClockBound(before, again);
    if (!("fault" in reading)) return clockBoundNews(file, reading);
    if (!reading.passing || retry === WRITE_RETRIES) return `${file} ${reading.fault}`;
    before = again;
  }
}

function clockBoundNews(file: string, reading: ClockBoundReading): News {
  const boundUs = () => clockBoundAt(reading, Number(process.hrtime.bigint()));
  const bound = boundUs();
  if (Number.isNaN(bound)) return `${file} is stale: its daemon does not write`;
  return {
    source: `ClockBound${reading.freeRunning ? ", whose clock runs free" : ""}`,
    boundUs,
    data: { bound_ms: bound / 1000, drift_ppm: reading.driftPpb / 1000, file },
  };
}

/** Undefined for a file that is not there, or may not be read. */
async function contents(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}
