/**
 * Records that wait to be sent, oldest first: in memory, or on disk (the spool). The sender takes
 * batches and releases each once all of it is sent; until then the queue holds it, so that a spool
 * can hand it out again after a restart.
 */

/** Neighbouring records, in the order in which they were accepted. */
export interface RecordBatch {
  /** Whole lines, each with its newline. The bytes belong to the taker until it releases them. */
  readonly bytes: Uint8Array;
  readonly records: number;
}

export interface QueueCounts {
  /** Taken over from an earlier run. */
  recovered: number;
  /** Neither released nor dropped: waiting, or taken by the sender. */
  queued: number;
  /** Of the queued, those that a file holds: they survive the process. */
  spooled: number;
  /** Given up, the oldest first, because the limit was reached. */
  dropped: number;
}

export interface RecordQueue {
  /** Takes a line with its newline. Where the queue is full, the oldest that nobody took are dropped. */
  push(line: string): void;
  /** Bytes that nobody took yet. */
  waitingBytes(): number;
  /** When the oldest record that is not released was accepted, on the clock handed in; NaN: none. */
  oldestMs(): number;
  /**
   * The oldest lines that nobody took, within the limits but at least one; undefined where none
   * waits. One call at a time.
   */
  take(limits: { bytes: number; records: number }): Promise<RecordBatch | undefined>;
  /** All of a batch is sent. Batches may be released in any order. */
  release(batch: RecordBatch): void;
  counts(): QueueCounts;
  /** Makes what is still held as safe as it can be; nothing is taken or released after this. */
  close(): Promise<void>;
}
