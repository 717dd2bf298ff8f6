/**
 * Empties a queue into Firehose: when to send what, what to send again, when to give up. One
 * request starts a turn of the event loop at most, and each is small: preparing it (base64, JSON, a
 * signature) holds up the process, which is busy stamping messages. 4 MB cost 8 to 11 ms, 250 kB
 * some 1 ms; and Firehose counts records and bytes, so that small requests cost no more.
 */
import { createTicker } from "../platform/ticker.ts";
import { countLines, cutLines } from "./aggregation.ts";
import { createDeliveryLog, type SinkLog } from "./delivery-log.ts";
import { createPace } from "./firehose-pace.ts";
import type { Put, PutOutcome } from "./firehose-put.ts";
import type { RecordBatch, RecordQueue } from "./record-queue.ts";

/** A request's size. Firehose would take 4 MiB. */
export const PUT_BYTES = 250_000;
/** Firehose's own limit on the records of a request. */
const PUT_RECORDS = 500;
/** With a fifth of a second for each request: 10 MB/s. */
export const MAX_IN_FLIGHT = 8;
/** Batches taken and not done, those that wait to be sent again included. */
const MAX_OPEN = 2 * MAX_IN_FLIGHT;
/** Nothing that the request's own time limits miss holds a place for longer. */
const PUT_TIMEOUT_MS = 20_000;
/** Records that are refused so often, while others are taken, are given up. */
const MAX_REFUSALS = 100;

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

/** A batch of the queue, on its way. */
interface Parcel {
  batch: RecordBatch;
  /** Firehose records of it that are neither taken nor given up. */
  open: number;
  /** Lines given up. */
  failed: number;
}

/** Records for one request. */
interface Job {
  parcel: Parcel;
  records: readonly Uint8Array[];
  /** Sent before. */
  again: boolean;
  dueMs: number;
  /** Times that the service refused these while it took others. */
  refusals: number;
  /** How many requests had succeeded when they were refused, or first taken from the queue. */
  successesThen: number;
  /** One record that the service called invalid: is it the record, or is it all of them? */
  suspect: boolean;
}

interface Flight {
  job: Job;
  round: number;
  abort: AbortController;
  timer: ReturnType<typeof setTimeout>;
}

export function createFirehoseSender(options: SenderOptions): FirehoseSender {
  const { queue, put, flushMs, aggregate, nowMs, random } = options;
  const counts: SenderCounts = { sent: 0, retried: 0, failed: 0 };
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
  const parcels = new Set<Parcel>();
  /** To be sent, or sent again. */
  let jobs: Job[] = [];
  const flights = new Set<Flight>();
  let takenRecords = 0;
  let taking = false;
  /** When the records that nobody took yet are to go, however few. */
  let deadlineMs = queue.waitingBytes() > 0 ? -Infinity : Infinity;
  /** There are too few records to send: pushes are watched. */
  let watching = true;
  let pushes = 0;
  let successes = 0;
  let state: "open" | "closing" | "closed" = "open";
  const closed = Promise.withResolvers<void>();

  const isDue = (now: number): boolean => {
    const bytes = queue.waitingBytes();
    if (bytes === 0) return false;
    return state === "closing" || bytes >= PUT_BYTES || now >= deadlineMs ||
      (!aggregate && queue.counts().queued - takenRecords >= PUT_RECORDS);
  };

  const tick = (): number => {
    if (state === "closed") return Infinity;
    const now = nowMs();
    const { dropped, queued } = queue.counts();
    delivery.dropped(dropped);
    if (queue.waitingBytes() === 0) deadlineMs = Infinity;
    else if (deadlineMs === Infinity) deadlineMs = now + flushMs;
    const due = isDue(now);
    watching = !due;
    pushes = 0;
    if (!taking && pace.mayStart(flights.size, now)) {
      const job = nextJob(now, due && parcels.size < MAX_OPEN);
      if (job !== undefined) {
        send(job);
        return now * 1000;
      }
      if (due && parcels.size < MAX_OPEN) take();
    }
    if (state === "closing" && queued === 0) finish();
    let wakeMs = due ? now : deadlineMs;
    for (const { dueMs } of jobs) wakeMs = Math.min(wakeMs, dueMs);
    wakeMs = Math.max(wakeMs, pace.heldUntilMs());
    // What could go now, but for other requests, goes when one of them ends.
    if (wakeMs <= now) wakeMs = Infinity;
    // Drops are told soon also while nothing is sent.
    return 1000 * Math.min(wakeMs, queued > 0 ? now + 1000 : Infinity);
  };
  const ticker = createTicker(() => nowMs() * 1000, tick);
  const poke = (): void => ticker.wake(nowMs() * 1000);

  /** Suspects go last: whether others are taken tells what is wrong with them. */
  const nextJob = (now: number, othersWait: boolean): Job | undefined => {
    const due = jobs.filter(({ dueMs }) => dueMs <= now);
    const job = due.find((job) => !job.suspect || job.successesThen < successes) ??
      (othersWait ? undefined : due[0]);
    if (job !== undefined) jobs = jobs.filter((other) => other !== job);
    return job;
  };

  const take = async (): Promise<void> => {
    taking = true;
    const limits = { bytes: PUT_BYTES, records: aggregate ? Infinity : PUT_RECORDS };
    const batch = await queue.take(limits).catch((error: Error) => {
      pace.failed(pace.started(), nowMs());
      delivery.failed(error.message, pace.failures());
    });
    taking = false;
    deadlineMs = nowMs() + flushMs;
    if (batch === undefined || state === "closed") return poke();
    const { records, tooLong } = cutLines(batch.bytes, aggregate);
    if (tooLong > 0) delivery.refused("a record is longer than Firehose takes", tooLong);
    const parcel = { batch, open: records.length, failed: tooLong };
    parcels.add(parcel);
    takenRecords += batch.records;
    for (let start = 0; start < records.length; start += PUT_RECORDS) {
      jobs.push({
        parcel,
        records: records.slice(start, start + PUT_RECORDS),
        again: false,
        dueMs: -Infinity,
        refusals: 0,
        successesThen: successes,
        suspect: false,
      });
    }
    done(parcel, 0);
    poke();
  };

  const send = (job: Job): void => {
    if (job.again) counts.retried += countLines(job.records);
    job.again = true;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      settle(flight, {
        kind: "failed",
        message: `Firehose gave no answer for ${PUT_TIMEOUT_MS / 1000} s`,
      });
    }, PUT_TIMEOUT_MS);
    const flight: Flight = { job, round: pace.started(), abort, timer };
    flights.add(flight);
    put(job.records, abort.signal).then(
      (outcome) => settle(flight, outcome),
      (error: Error) => settle(flight, { kind: "failed", message: error.message }),
    );
  };

  const settle = (flight: Flight, outcome: PutOutcome): void => {
    if (!flights.delete(flight)) return;
    clearTimeout(flight.timer);
    flight.abort.abort();
    const { job, round } = flight;
    const now = nowMs();
    if (outcome.kind === "answered" && outcome.refused.length < job.records.length) {
      successes++;
      pace.succeeded(outcome.refused.length === 0);
      delivery.succeeded();
      done(job.parcel, job.records.length - outcome.refused.length);
      if (outcome.refused.length > 0) {
        job.records = outcome.refused.map((index) => job.records[index]!);
        refuse(job, outcome.message);
        job.dueMs = now + pace.backoffMs(job.refusals);
      }
    } else if (outcome.kind === "blocked") {
      pace.blocked(now);
      delivery.blocked(outcome.message);
      job.dueMs = pace.heldUntilMs();
      jobs.push(job);
      if (state === "closing") finish();
    } else {
      job.dueMs = now + pace.failed(round, now);
      delivery.failed(outcome.message ?? "Firehose takes no records", pace.failures());
      if (outcome.kind === "invalid") divide(job, outcome.message);
      else if (outcome.kind === "answered") refuse(job, outcome.message);
      else jobs.push(job);
    }
    poke();
  };

  /** Refused one by one, in an answer: sent again, unless that has been tried for long. */
  const refuse = (job: Job, message = "Firehose refuses some records"): void => {
    if (job.successesThen < successes) job.refusals++;
    job.successesThen = successes;
    if (job.refusals < MAX_REFUSALS) jobs.push(job);
    else giveUp(job, message);
  };

  /** Something in it is invalid: halves are tried, down to the single record that is. */
  const divide = (job: Job, message: string): void => {
    const { length } = job.records;
    if (length > 1) {
      const middle = length >> 1;
      jobs.push(
        { ...job, records: job.records.slice(0, middle), dueMs: -Infinity },
        { ...job, records: job.records.slice(middle), dueMs: -Infinity },
      );
    } else if (job.suspect && job.successesThen < successes) {
      giveUp(job, message);
    } else {
      job.suspect = true;
      job.successesThen = successes;
      jobs.push(job);
    }
  };

  const giveUp = (job: Job, message: string): void => {
    const lines = countLines(job.records);
    delivery.refused(message, lines);
    job.parcel.failed += lines;
    done(job.parcel, job.records.length);
  };

  /** So many Firehose records of the parcel are taken or given up. */
  const done = (parcel: Parcel, records: number): void => {
    parcel.open -= records;
    if (parcel.open > 0 || state === "closed") return;
    parcels.delete(parcel);
    const { batch, failed } = parcel;
    takenRecords -= batch.records;
    counts.failed += failed;
    counts.sent += batch.records - failed;
    queue.release(batch);
  };

  const finish = (): void => {
    state = "closed";
    ticker.stop();
    for (const { job, abort, timer } of flights) {
      clearTimeout(timer);
      abort.abort();
      jobs.push(job);
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
    counts: () => ({ ...counts }),
    partlySent() {
      let lines = 0;
      for (const { batch, failed } of parcels) lines += batch.records - failed;
      for (const { records } of jobs) lines -= countLines(records);
      for (const { job } of flights) lines -= countLines(job.records);
      return lines;
    },
    async close(graceMs) {
      state = "closing";
      pace.hurry();
      for (const job of jobs) job.dueMs = -Infinity;
      poke();
      const timer = setTimeout(finish, graceMs);
      await closed.promise;
      clearTimeout(timer);
    },
  };
}
