/**
 * Cuts lines into Firehose records. Firehose bills each record rounded up to 5 KB, so lines of some
 * 600 bytes sent one by one would be billed eight times over: several go into one record, which
 * arrives in S3 as the same bytes. Of records of 64 KB, rounding adds a 25th on average; larger ones
 * would save little more, and a record that is refused is sent again as a whole.
 */
import { countLines } from "./segment-lines.ts";

/** Firehose's own limit on a record: 1,000 KiB. */
export const MAX_RECORD_BYTES = 1000 * 1024;
const AGGREGATE_BYTES = 64_000;
const NEWLINE = 10;

export interface CutLines {
  /** Views of the bytes given, not copies: each is one line or more, newlines included. */
  records: Uint8Array[];
  /** Lines that are left out, since Firehose would never take them. */
  tooLong: number;
}

/**
 * @param bytes whole lines, each with its newline
 * @param aggregate several lines in one record; else each line is one
 */
export function cutLines(bytes: Uint8Array, aggregate: boolean): CutLines {
  const records: Uint8Array[] = [];
  let tooLong = 0;
  for (let start = 0; start < bytes.byteLength;) {
    const furthest = start + AGGREGATE_BYTES - 1;
    let newline = aggregate ? bytes.lastIndexOf(NEWLINE, furthest) : -1;
    // A line longer than that is a record of its own.
    if (newline < start) newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.byteLength : newline + 1;
    if (end - start > MAX_RECORD_BYTES) tooLong++;
    else records.push(bytes.subarray(start, end));
    start = end;
  }
  return { records, tooLong };
}

/** Lines in these records. */
export function linesIn(records: readonly Uint8Array[]): number {
  return records.reduce((lines, record) => lines + countLines(record).records, 0);
}
