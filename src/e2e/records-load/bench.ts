/** What the load tests share: a place to work in, promises, and what a process costs. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunSummary, SinkSummary } from "../../metrics/summary.ts";
import { TEST_CREDENTIALS } from "../firehose-endpoint.ts";
import type { Owner, Running } from "../processes.ts";

export interface Bench extends Owner {
  /** Of this run alone; removed at its end. */
  readonly folder: string;
  say(text: string): void;
  /** A promise and whether it was kept. */
  check(kept: boolean, promise: string): void;
  broken(): number;
  /** Ends all that was started, the last first. */
  end(): Promise<void>;
}

export async function createBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "records-load-"));
  const startMs = performance.now();
  const cleanups: (() => unknown)[] = [];
  let broken = 0;
  const say = (text: string): void => {
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1).padStart(6);
    console.log(`${seconds} s  ${text}`);
  };
  return {
    folder,
    // Of both signatures of `after`, only this one is used.
    after: (cleanup?: unknown) => void cleanups.push(cleanup as () => unknown),
    say,
    check(kept, promise) {
      if (!kept) broken++;
      say(`${kept ? "kept  " : "BROKEN"}  ${promise}`);
    },
    broken: () => broken,
    async end() {
      for (const cleanup of cleanups.reverse()) await cleanup();
      await rm(folder, { recursive: true });
    },
  };
}

/** Leads a program to an endpoint. */
export function environment(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_FIREHOSE: url,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    AWS_REGION: "eu-west-1",
  };
}

export function firehoseOf({ sinks }: RunSummary): SinkSummary {
  return sinks.find(({ sink }) => sink.startsWith("firehose "))!;
}

/** Messages that this document's client metered: each had two hops. */
export function pathsOf({ keys }: RunSummary): number {
  return keys.reduce((sum, { hops, count }) => sum + (hops === 2 ? count : 0), 0);
}

/** CPU time so far, in user and system mode. */
export function cpuSeconds({ pid }: Running): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Watches the most memory that a process has held, until it ends. */
export function watchPeakMb({ pid }: Running): () => number {
  let peakMb = 0;
  const read = (): void => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      peakMb = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? peakMb * 1024) / 1024;
    } catch {
      clearInterval(timer);
    }
  };
  const timer = setInterval(read, 100);
  read();
  return () => {
    clearInterval(timer);
    return peakMb;
  };
}

export function format(figure: number, digits = 0): string {
  return figure.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
