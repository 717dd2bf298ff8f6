/**
 * Empties a queue into Firehose: when to send what, what to send again, when to give up. One
 * request starts a turn of the event loop at most, and each is small: preparing it (base64, JSON, a
 * signature) holds up the process, which is busy stamping messages. 4 MB cost 8 to 11 ms, 250 kB
 * some 1 ms; and Firehose counts records and bytes, so that small requests cost no more.
 */
import { createTicker } from "../platform/ticker.ts";
import { linesIn } from "./aggregation.ts";
import { createDeliveryLog, type SinkLog } from "./delivery-log.ts";
import { createJobs, type Job, PUT_RECORDS } from "./firehose-jobs.ts";
import { createPace } from "./firehose-pace.ts";
import type { Put, PutOutcome } from "./firehose-put.ts";
import type { RecordQueue } from "./record-queue.ts";

/** A request's size. Firehose would take 4 MiB. */
export const PUT_BYTES = 250_000;
/** With a fifth of a second for each request: 10 MB/s. */
export const MAX_IN_FLIGHT = 8;
/** Batches taken and not done, those that wait to be sent again included. */
const MAX_OPEN = 2 * MAX_IN_FLIGHT;
/** Nothing that the request's own time limits miss holds a place for longer. */
const PUT_TIMEOUT_MS = 20_000;

/** Of lines. A batch counts when all of it is done. */
export interface SenderCounts {
  sent: number;
  /** Once for each time that a line was sent again. */
  retried: number;
  failed: number;
}

export interface FirehoseSender {
  /** To be called after each push to the queue. */
  pushed(): void;
  counts(): SenderCounts;
  /** Of the lines that the queue holds, those that Firehose has taken: their batch is not done. */
  partlySent(): number;
  /**
   * Sends what waits, whatever its age. Resolves when nothing is left, when `graceMs` have passed,
   * or when only somebody's doing could help; the queue then holds what was not sent. What becomes
   * of requests that were under way is unknown: they count as not sent.
   */
  close(graceMs: number): Promise<void>;
}

export interface SenderOptions {
  /** Of the sink, for the log. */
  name: string;
  queue: RecordQueue;
  put: Put;
  /** Records wait so long for others to go with. */
  flushMs: number;
  aggregate: boolean;
  /** A clock that never goes back. */
  nowMs: () => number;
  /** From 0 to 1. */
  random: () => number;
  log: SinkLog;
}

interface Flight {
  job: Job;
  round: number;
  abort: AbortController;
  timer: ReturnType<typeof setTimeout>;
}

export function createFirehoseSender(options: SenderOptions): FirehoseSender {
  const { queue, put, flushMs, aggregate, nowMs, random } = options;
  const pace = createPace({ maxInFlight: MAX_IN_FLIGHT, random });
  const delivery = createDeliveryLog({
    name: options.name,
    log: options.log,
    nowMs,
    waiting: () => ({
      queued: queue.counts().queued,
      oldest_waiting_s: Math.round((nowMs() - queue.oldestMs()) / 1000) || 0,
    }),
  });
  const jobs = createJobs({ queue, aggregate, givenUp: delivery.refused });
  const flights = new Set<Flight>();
  let retried = 0;
  let taking = false;
  /** When the records that nobody took yet are to go, however few. */
  let deadlineMs = queue.waitingBytes() > 0 ? -Infinity : Infinity;
  /** There are too few records to send: pushes are watched. */
  let watching = true;
  let pushes = 0;
  let state: "open" | "closing" | "closed" = "open";
  const closed = Promise.withResolvers<void>();

  /** Whether to take a batch, as far as the queue is concerned. */
  const isDue = (now: number): boolean => {
    const bytes = queue.waitingBytes();
    if (bytes === 0) return false;
    return state === "closing" || bytes >= PUT_BYTES || now >= deadlineMs ||
      (!aggregate && queue.counts().queued - jobs.openLines() >= PUT_RECORDS);
  };

  const tick = (): number => {
    if (state === "closed") return Infinity;
    const now = nowMs();
    if (state === "closing" && queue.counts().queued === 0) {
      finish();
      return Infinity;
    }
    if (queue.waitingBytes() === 0) deadlineMs = Infinity;
    else if (deadlineMs === Infinity) deadlineMs = now + flushMs;
    const due = isDue(now);
    watching = !due;
    pushes = 0;
    if (!taking && pace.mayStart(flights.size, now)) {
      const mayTake = due && jobs.openBatches() < MAX_OPEN;
      const job = jobs.next(now, mayTake);
      if (job !== undefined) {
        send(job);
        return now * 1000;
      }
      if (mayTake) take();
    }
    const wakeMs = Math.max(
      Math.min(due ? now : deadlineMs, jobs.earliestMs()),
      pace.heldUntilMs(),
    );
    // What could go now, but for other requests, goes when one of them ends.
    return wakeMs > now ? wakeMs * 1000 : Infinity;
  };
  const ticker = createTicker(() => nowMs() * 1000, tick);
  const poke = (): void => ticker.wake(nowMs() * 1000);

  const take = async (): Promise<void> => {
    taking = true;
    const limits = { bytes: PUT_BYTES, records: aggregate ? Infinity : PUT_RECORDS };
    const batch = await queue.take(limits).catch((error: Error) => {
      pace.failed(pace.started(), nowMs());
      delivery.failed(error.message, pace.failures());
    });
    taking = false;
    if (state === "closed") return;
    deadlineMs = nowMs() + flushMs;
    if (batch !== undefined) jobs.add(batch);
    poke();
  };

  const send = (job: Job): void => {
    if (job.again) retried += linesIn(job.records);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const message = `Firehose gave no answer for ${PUT_TIMEOUT_MS / 1000} s`;
      settle(flight, { kind: "failed", message });
    }, PUT_TIMEOUT_MS);
    const flight: Flight = { job, round: pace.started(), abort, timer };
    flights.add(flight);
    put(job.records, abort.signal).then(
      (outcome) => settle(flight, outcome),
      (error: Error) => settle(flight, { kind: "failed", message: error.message }),
    );
  };

  const settle = (flight: Flight, outcome: PutOutcome): void => {
    // It may have been given up before.
    if (!flights.delete(flight)) return;
    clearTimeout(flight.timer);
    flight.abort.abort();
    const { job, round } = flight;
    const now = nowMs();
    const { message = "Firehose refuses some records" }: { message?: string } = outcome;
    const refusedDueMs = (refusals: number): number => now + pace.backoffMs(refusals);
    if (outcome.kind === "answered" && outcome.refused.length < job.records.length) {
      pace.succeeded(outcome.refused.length === 0);
      delivery.succeeded();
      jobs.taken(job, outcome.refused, message, refusedDueMs);
    } else if (outcome.kind === "blocked") {
      pace.blocked(now);
      delivery.blocked(message);
      jobs.again(job, pace.heldUntilMs());
      // Nobody will have seen to it before the end.
      if (state === "closing") finish();
    } else {
      const dueMs = now + pace.failed(round, now);
      delivery.failed(message, pace.failures());
      if (outcome.kind === "invalid") jobs.invalid(job, message, dueMs);
      else if (outcome.kind === "answered") jobs.refused(job, message, refusedDueMs);
      else jobs.again(job, dueMs);
    }
    poke();
  };

  const finish = (): void => {
    state = "closed";
    ticker.stop();
    for (const { abort, timer } of flights) {
      clearTimeout(timer);
      abort.abort();
    }
    flights.clear();
    closed.resolve();
  };

  if (deadlineMs < 0) poke();

  return {
    pushed() {
      if (!watching) return;
      if (++pushes >= PUT_RECORDS || queue.waitingBytes() >= PUT_BYTES) {
        watching = false;
        poke();
      } else if (deadlineMs === Infinity) {
        deadlineMs = nowMs() + flushMs;
        ticker.wake(deadlineMs * 1000);
      }
    },
    counts: () => ({ ...jobs.counts(), retried }),
    partlySent: jobs.partlySent,
    async close(graceMs) {
      state = "closing";
      pace.hurry();
      jobs.hurry();
      poke();
      const timer = setTimeout(finish, graceMs);
      await closed.promise;
      clearTimeout(timer);
    },
  };
}
