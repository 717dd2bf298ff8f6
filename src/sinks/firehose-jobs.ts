/**
 * What is to be sent, and what became of it. A batch of the queue becomes one job or a few; what a
 * request leaves over is a job again, until each record is taken or given up and the batch is
 * released.
 */
import { cutLines, linesIn } from "./aggregation.ts";
import type { RecordBatch, RecordQueue } from "./record-queue.ts";

/** Firehose's own limit on the records of a request. */
export const PUT_RECORDS = 500;
/** Records that are refused so often, while others are taken, are given up. */
const MAX_REFUSALS = 100;

/** A batch of the queue, on its way. */
interface Parcel {
  batch: RecordBatch;
  /** Firehose records of it that are neither taken nor given up. */
  open: number;
  /** Lines given up. */
  failed: number;
}

/** Firehose records for one request. */
export interface Job {
  readonly parcel: Parcel;
  readonly records: readonly Uint8Array[];
  /** Sent before. */
  readonly again: boolean;
  /** Number of the last request with these; 0: none. */
  readonly request: number;
  /** Not to be sent before. */
  readonly dueMs: number;
  /** Times that the service refused these while it took others. */
  readonly refusals: number;
  /** Number of the newest request when these were last sent in vain, or came from the queue. */
  readonly since: number;
  /** The same of when something in it was first called invalid; Infinity: never. */
  readonly invalidSince: number;
}

export interface Jobs {
  add(batch: RecordBatch): void;
  /**
   * The job to send now, which is under way then. What was sent in vain yields to what was not,
   * be it still in the queue: whether others are taken tells what is wrong.
   */
  next(nowMs: number, othersWait: boolean): Job | undefined;
  /** When the first job is due. */
  earliestMs(): number;
  /** A request was answered: all but those at the indexes `refused` are taken. */
  taken(job: Job, refused: readonly number[], message: string, dueMs: DueMs): void;
  /** All were refused one by one. */
  refused(job: Job, message: string, dueMs: DueMs): void;
  /** The request as such was refused: halves are tried, down to the single record. */
  invalid(job: Job, message: string, dueMs: number): void;
  /** Nothing was learnt about the records. */
  again(job: Job, dueMs: number): void;
  /** All are due now. */
  hurry(): void;
  /** Batches that are not released. */
  openBatches(): number;
  /** Lines in them. */
  openLines(): number;
  /** Of these lines, those that are taken. */
  partlySent(): number;
  counts(): { sent: number; failed: number };
}

/** When to send records again that were refused so often. */
type DueMs = (refusals: number) => number;

/** @param givenUp told of lines that nobody will ever take */
export function createJobs({ queue, aggregate, givenUp }: {
  queue: Pick<RecordQueue, "release">;
  aggregate: boolean;
  givenUp: (message: string, lines: number) => void;
}): Jobs {
  const parcels = new Set<Parcel>();
  let waiting: Job[] = [];
  const underWay = new Set<Job>();
  const counts = { sent: 0, failed: 0 };
  let openLines = 0;
  /** Requests are numbered. */
  let lastRequest = 0;
  let lastTaken = 0;

  /** So many records of the parcel are taken or given up. */
  const done = (parcel: Parcel, records: number): void => {
    parcel.open -= records;
    if (parcel.open > 0) return;
    const { batch, failed } = parcel;
    parcels.delete(parcel);
    openLines -= batch.records;
    counts.failed += failed;
    counts.sent += batch.records - failed;
    queue.release(batch);
  };

  const othersTaken = ({ since }: Job): boolean => lastTaken > since;

  const giveUp = ({ parcel, records }: Job, message: string): void => {
    const lines = linesIn(records);
    givenUp(message, lines);
    parcel.failed += lines;
    done(parcel, records.length);
  };

  const refuse = (job: Job, message: string, dueMs: DueMs): void => {
    const refusals = job.refusals + (othersTaken(job) ? 1 : 0);
    if (refusals >= MAX_REFUSALS) return giveUp(job, message);
    waiting.push({ ...job, refusals, since: lastRequest, dueMs: dueMs(refusals) });
  };

  return {
    add(batch) {
      const { records, tooLong } = cutLines(batch.bytes, aggregate);
      const parcel = { batch, open: records.length, failed: tooLong };
      parcels.add(parcel);
      openLines += batch.records;
      if (tooLong > 0) givenUp("a record is longer than Firehose takes", tooLong);
      for (let start = 0; start < records.length; start += PUT_RECORDS) {
        waiting.push({
          parcel,
          records: records.slice(start, start + PUT_RECORDS),
          again: false,
          dueMs: -Infinity,
          request: 0,
          refusals: 0,
          since: lastRequest,
          invalidSince: Infinity,
        });
      }
      done(parcel, 0);
    },
    next(nowMs, othersWait) {
      const due = waiting.filter(({ dueMs }) => dueMs <= nowMs);
      const found = due.find((job) => job.request === 0 || othersTaken(job)) ??
        (othersWait ? undefined : due[0]);
      if (found === undefined) return undefined;
      waiting = waiting.filter((job) => job !== found);
      const job = { ...found, again: found.request > 0, request: ++lastRequest };
      underWay.add(job);
      return job;
    },
    earliestMs: () => waiting.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Infinity),
    taken(job, refused, message, dueMs) {
      underWay.delete(job);
      lastTaken = Math.max(lastTaken, job.request);
      done(job.parcel, job.records.length - refused.length);
      if (refused.length === 0) return;
      refuse({ ...job, records: refused.map((index) => job.records[index]!) }, message, dueMs);
    },
    refused(job, message, dueMs) {
      underWay.delete(job);
      refuse(job, message, dueMs);
    },
    invalid(job, message, dueMs) {
      underWay.delete(job);
      const { records, invalidSince } = job;
      const middle = records.length >> 1;
      const doubted = {
        ...job,
        since: lastRequest,
        invalidSince: Math.min(invalidSince, lastRequest),
      };
      if (middle > 0) {
        waiting.push(
          { ...doubted, records: records.slice(0, middle), dueMs: -Infinity },
          { ...doubted, records: records.slice(middle), dueMs: -Infinity },
        );
      } else if (lastTaken > invalidSince) {
        giveUp(job, message);
      } else {
        waiting.push({ ...doubted, dueMs });
      }
    },
    again(job, dueMs) {
      underWay.delete(job);
      waiting.push({ ...job, since: lastRequest, dueMs });
    },
    hurry() {
      waiting = waiting.map((job) => ({ ...job, dueMs: -Infinity }));
    },
    openBatches: () => parcels.size,
    openLines: () => openLines,
    partlySent() {
      let lines = openLines;
      for (const { failed } of parcels) lines -= failed;
      for (const { records } of [...waiting, ...underWay]) lines -= linesIn(records);
      return lines;
    },
    counts: () => counts,
  };
}
