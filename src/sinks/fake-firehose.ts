/** A Firehose sink in time that stands still, and a service that answers as a test wants. For tests. */
import assert from "node:assert/strict";
import type { SinkSummary } from "../metrics/summary.ts";
import { withFakeTime } from "../platform/fake-time.ts";
import type { Put, PutOutcome } from "./firehose-put.ts";
import { createFirehoseSink } from "./firehose-sink.ts";
import { createMemoryQueue } from "./memory-queue.ts";
import type { Sink } from "./sink.ts";

/** Real, whatever the time does. */
const { setImmediate: realSetImmediate } = globalThis;
/** Time passes in such steps, and what was promised happens between them. */
const STEP_MS = 5;

/** One request. */
export interface Request {
  atMs: number;
  /** Of each Firehose record. */
  texts: string[];
  /** Nobody waits for it any more. */
  signal: AbortSignal;
  answer(outcome: PutOutcome): void;
}

export const taken: PutOutcome = { kind: "answered", refused: [] };
export const failed: PutOutcome = { kind: "failed", message: "Firehose fails" };

export interface FirehoseWorld {
  sink: Sink;
  /** Requests so far. */
  requests: Request[];
  /** Those that have no answer. */
  open(): Request[];
  /** Answers requests as they come; undefined: later, by the test. */
  answerWith(answer: (request: Request) => PutOutcome | undefined): void;
  /** Lines whose request was answered so that they are safe. */
  delivered: Set<string>;
  /** Writes lines of so many bytes. */
  write(count: number, bytes?: number): void;
  /** All lines that were written. */
  written: string[];
  /** What was logged: level and message. */
  log: string[];
  /** Time passes. */
  pass(ms: number): Promise<void>;
  nowMs(): number;
  /** The summary, once its sum is checked. */
  summary(): SinkSummary;
}

export async function withFirehose(
  body: (world: FirehoseWorld) => Promise<void>,
  { aggregate = true, limitBytes = 8_000_000, random = () => 0.5 }: {
    aggregate?: boolean;
    limitBytes?: number;
    random?: () => number;
  } = {},
): Promise<void> {
  await withFakeTime(async (time) => {
    const nowMs = (): number => time.nowUs() / 1000;
    const startMs = nowMs();
    const requests: Request[] = [];
    const waiting = new Set<Request>();
    const delivered = new Set<string>();
    const written: string[] = [];
    const log: string[] = [];
    let answerWith = (_request: Request): PutOutcome | undefined => taken;

    const put: Put = (records, signal) =>
      new Promise((resolve) => {
        const texts = records.map((record) => Buffer.from(record).toString());
        const request: Request = {
          atMs: nowMs() - startMs,
          texts,
          signal,
          answer(outcome) {
            waiting.delete(request);
            if (outcome.kind === "answered") {
              texts.forEach((text, index) => {
                if (outcome.refused.includes(index)) return;
                for (const line of text.trimEnd().split("\n")) delivered.add(`${line}\n`);
              });
            }
            resolve(outcome);
          },
        };
        requests.push(request);
        waiting.add(request);
        signal.addEventListener("abort", () => waiting.delete(request));
        const outcome = answerWith(request);
        if (outcome !== undefined) request.answer(outcome);
      });

    const note = (level: string) => (message: string): void => void log.push(`${level} ${message}`);
    const sink = createFirehoseSink({
      name: "here:stream",
      queue: createMemoryQueue({ limitBytes, nowMs, warn: note("warn") }),
      put,
      flushMs: 5000,
      aggregate,
      nowMs,
      random,
      log: { warn: note("warn"), info: note("info"), debug() {} },
    });

    await body({
      sink,
      requests,
      open: () => [...waiting],
      answerWith(answer) {
        answerWith = answer;
      },
      delivered,
      write(count, bytes = 600) {
        for (let i = 0; i < count; i++) {
          const line = `${`${written.length} `.padEnd(bytes - 1, "x")}\n`;
          written.push(line);
          sink.write(line);
        }
      },
      written,
      log,
      async pass(ms) {
        for (let passed = 0; passed < ms; passed += STEP_MS) {
          time.advance(STEP_MS * 1000);
          await new Promise<void>((resolve) => realSetImmediate(resolve));
        }
      },
      nowMs: () => nowMs() - startMs,
      summary() {
        const summary = sink.summary();
        const { accepted, queued, sent, failed, dropped } = summary;
        assert.equal(queued + sent + failed + dropped, accepted, JSON.stringify(summary));
        return summary;
      },
    });
  });
}
