/** Goes through the lines of inputs: each is a record, or counted as malformed. */

import { type ChunkReader, createChunkReader } from "./chunks.ts";
import { createHopTemplates } from "./hop-template.ts";
import { HOP_VALUES, type HopSpec, type HopValues } from "./hop-values.ts";
import type { Input } from "./inputs.ts";
import { createRecordParser, type SummaryRecord } from "./record-json.ts";

const NEWLINE = 0x0a;
const FIRST_ROOM_BYTES = 2 << 20;
/** A longer line is no record: the longest histogram of a summary has some 20 KB. */
const MOST_LINE_BYTES = 1 << 20;
/** A line that JSON could be written on with nothing to say. */
const BLANK = /^[ \t\r]*$/;

/** What becomes of the records; `S` is whatever `streamOf` gives. */
export interface RecordTaker<S> {
  streamOf(spec: HopSpec): S;
  /** `values` are overwritten by the next record. */
  hop(stream: S, values: HopValues): void;
  /** @returns what is wrong with the record, if anything */
  summary(summary: SummaryRecord): string | undefined;
}

/** How the reading went. */
export interface ReadingReport {
  lines: number;
  malformed: number;
  /** The first malformed line: `FILE:LINE: problem`. */
  firstMalformed: string | undefined;
  /** Inputs that end within a record: `FILE: problem`. */
  torn: string[];
}

export interface ReadingOptions {
  stdin: AsyncIterable<Uint8Array>;
  /** Told now and then how many bytes have been read of all inputs. */
  progress: (bytes: number, lines: number) => void;
}

export async function readRecords<S>(
  inputs: readonly Input[],
  taker: RecordTaker<S>,
  { stdin, progress }: ReadingOptions,
): Promise<ReadingReport> {
  const templates = createHopTemplates<S>();
  const parser = createRecordParser();
  const values = new Float64Array(HOP_VALUES);
  const report: ReadingReport = { lines: 0, malformed: 0, firstMalformed: undefined, torn: [] };
  let buffer = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
  let bytesBefore = 0;

  const tellMalformed = (input: Input, line: number, problem: string): void => {
    report.malformed++;
    report.firstMalformed ??= `${input.name}:${line}: ${problem}`;
  };

  /** Takes a line with its newline by its JSON. */
  const takeSlowly = (line: Buffer): string | undefined => {
    const text = line.toString("utf8", 0, line.length - 1);
    if (BLANK.test(text)) {
      report.lines--;
      return undefined;
    }
    const parsed = parser.parse(text, values);
    if (parsed.kind === "malformed") return parsed.problem;
    if (parsed.kind === "summary") return taker.summary(parsed.summary);
    const stream = taker.streamOf(parsed.spec);
    templates.learn(line, stream, values);
    taker.hop(stream, values);
    return undefined;
  };

  /** Takes whole lines; returns how many of them there were. */
  const takeLines = (bytes: Buffer, input: Input, linesBefore: number): number => {
    let at = 0;
    let lines = 0;
    while (at < bytes.length) {
      lines++;
      report.lines++;
      const stream = templates.read(bytes, at, values);
      if (stream !== undefined) {
        at = templates.end;
        taker.hop(stream, values);
        continue;
      }
      const end = bytes.indexOf(NEWLINE, at) + 1;
      const problem = takeSlowly(bytes.subarray(at, end));
      if (problem !== undefined) tellMalformed(input, linesBefore + lines, problem);
      at = end;
    }
    return lines;
  };

  const readInput = async (input: Input, reader: ChunkReader): Promise<void> => {
    let held = 0;
    let lines = 0;
    let isSkipping = false;
    for await (const chunk of reader.chunks()) {
      progress(bytesBefore + reader.bytesRead, report.lines);
      if (held + chunk.length > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(2 * (held + chunk.length));
        buffer.copy(larger, 0, 0, held);
        buffer = larger;
      }
      buffer.set(chunk, held);
      const length = held + chunk.length;
      const end = buffer.subarray(0, length).lastIndexOf(NEWLINE) + 1;
      let start = 0;
      if (isSkipping && end > 0) {
        start = buffer.indexOf(NEWLINE) + 1;
        isSkipping = false;
      }
      lines += takeLines(buffer.subarray(start, end), input, lines);
      held = length - end;
      if (isSkipping) held = 0;
      else if (held > MOST_LINE_BYTES) {
        lines++;
        report.lines++;
        tellMalformed(input, lines, "longer than any record");
        isSkipping = true;
        held = 0;
      } else buffer.copyWithin(0, end, length);
    }
    if (reader.torn !== undefined) report.torn.push(`${input.name}: ${reader.torn}`);
    if (held > 0) takeTail(buffer.subarray(0, held), input, lines + 1);
  };

  /** What follows the last newline: a whole record, or one whose writing was cut off. */
  const takeTail = (tail: Buffer, input: Input, line: number): void => {
    report.lines++;
    const problem = takeSlowly(Buffer.concat([tail, Buffer.of(NEWLINE)]));
    if (problem === undefined) return;
    report.lines--;
    report.torn.push(`${input.name}:${line}: the last line is cut off`);
  };

  for (const input of inputs) {
    const reader = createChunkReader(input, stdin);
    await readInput(input, reader);
    bytesBefore += reader.bytesRead;
    progress(bytesBefore, report.lines);
  }
  return report;
}
