/** What the sender needs to know of a request to Firehose, and nothing of the AWS SDK. */

/** What became of a request. Messages are one line, for users. */
export type PutOutcome =
  /** The service has answered for each record. */
  | {
    kind: "answered";
    /** Indexes of the records that it did not take. */
    refused: readonly number[];
    /** Why, of the first. */
    message?: string;
  }
  /** Passes by itself: the service is throttling, failing, or cannot be reached. */
  | { kind: "failed"; message: string }
  /** Passes when somebody does something, which the message tells. */
  | { kind: "blocked"; message: string }
  /** The service will not take these records, or not together. */
  | { kind: "invalid"; message: string };

/**
 * Sends records in one request. Never rejects. Once the signal is aborted nobody waits for the
 * outcome any more.
 */
export type Put = (records: readonly Uint8Array[], signal: AbortSignal) => Promise<PutOutcome>;
