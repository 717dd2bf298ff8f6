/** Reads records of either kind by `JSON.parse`: in any order of fields, with any white space. */

import {
  ELAPSED_MS,
  ERROR_MS,
  type HopSpec,
  type HopValues,
  INTENDED_US,
  IS_SYSTEM,
  LENGTH,
  MS,
  PATH_MS,
  RAW_MS,
  RECEIVED_US,
  SEQUENCE,
} from "./hop-values.ts";
import { createTimeReader } from "./time-reader.ts";

/** Sums and squares of what is below stay finite. As many digits as templates read. */
const LIMIT = 1e15;

type Fields = Record<string, unknown>;

/** A summary record, as far as the report reads it. Times in µs since 2020. */
export interface SummaryRecord {
  key: string;
  from: string;
  to: string;
  route: string;
  hops: number;
  echo: boolean;
  reporter: string;
  region: string | null;
  run: string;
  startUs: number;
  endUs: number;
  /** Numbers by their names: counts, and figures in ms. */
  figures: Readonly<Record<string, number>>;
  /** Base64 of the histogram of `ms`. */
  hdr: string | undefined;
}

export type ParsedRecord =
  | { kind: "hop"; spec: HopSpec }
  | { kind: "summary"; summary: SummaryRecord }
  /** Not a record, and why. */
  | { kind: "malformed"; problem: string };

export interface RecordParser {
  /** @param values what a hop record says besides its spec is written here */
  parse(line: string, values: HopValues): ParsedRecord;
}

/** A field that a record must have, and has not. */
class Malformed extends Error {}

export function createRecordParser(): RecordParser {
  const times = createTimeReader();
  const time = new Float64Array(1);
  const timeOf = (fields: Fields, name: string): number => {
    const bytes = Buffer.from(text(fields, name));
    if (times.read(bytes, 0, time, 0) !== bytes.length) throw new Malformed(`${name} is no time`);
    return time[0]!;
  };

  const readHop = (fields: Fields, values: HopValues): HopSpec => {
    const id = text(fields, "id");
    const dash = id.lastIndexOf("-");
    const sequence = id.slice(dash + 1);
    if (dash < 1 || !/^\d{1,15}$/.test(sequence)) throw new Malformed("id is not SESSION-SEQUENCE");
    const last = fields["path_ms"] !== undefined;
    values[MS] = numberOrNaN(fields, "ms");
    values[LENGTH] = numberOrNaN(fields, "length");
    values[RECEIVED_US] = timeOf(fields, "received");
    values[SEQUENCE] = Number(sequence);
    values[PATH_MS] = numberOrNaN(fields, "path_ms");
    values[ELAPSED_MS] = numberOrNaN(fields, "elapsed_ms");
    values[INTENDED_US] = timeOf(fields, "intended");
    values[RAW_MS] = numberOrNaN(fields, "ms_raw");
    values[ERROR_MS] = numberOrNaN(fields, "error_ms");
    values[IS_SYSTEM] = fields["clock"] === "system" ? 1 : 0;
    return {
      key: text(fields, "key"),
      session: id.slice(0, dash),
      toId: text(fields, "to_id"),
      clockId: textOrNull(fields, "clock_id"),
      from: text(fields, "from"),
      to: text(fields, "to"),
      route: text(fields, "route"),
      flow: count(fields, "flow"),
      hop: count(fields, "hop"),
      hops: count(fields, "hops"),
      path: text(fields, "path"),
      last,
      echo: fields["echo"] === true,
      transport: textOrNull(fields, "transport"),
      reporter: text(fields, "reporter"),
      region: textOrNull(fields, "region"),
    };
  };

  const readSummary = (fields: Fields): SummaryRecord => ({
    key: text(fields, "key"),
    from: text(fields, "from"),
    to: text(fields, "to"),
    route: text(fields, "route"),
    hops: count(fields, "hops"),
    echo: fields["echo"] === true,
    reporter: text(fields, "reporter"),
    region: textOrNull(fields, "region"),
    run: text(fields, "run"),
    startUs: timeOf(fields, "interval_start"),
    endUs: timeOf(fields, "interval_end"),
    figures: Object.fromEntries(
      Object.entries(fields).filter((entry): entry is [string, number] =>
        typeof entry[1] === "number" && Math.abs(entry[1]) < LIMIT
      ),
    ),
    hdr: typeof fields["hdr"] === "string" ? fields["hdr"] : undefined,
  });

  return {
    parse(line, values) {
      try {
        const fields: unknown = JSON.parse(line);
        if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
          return { kind: "malformed", problem: "not a JSON object" };
        }
        const { kind } = fields as Fields;
        if (kind === "hop") return { kind, spec: readHop(fields as Fields, values) };
        if (kind === "summary") return { kind, summary: readSummary(fields as Fields) };
        return { kind: "malformed", problem: "kind is neither hop nor summary" };
      } catch (error) {
        const problem = error instanceof Malformed ? error.message : "not JSON";
        return { kind: "malformed", problem };
      }
    },
  };
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new Malformed(`${name} is no text`);
  return value;
}

function textOrNull(fields: Fields, name: string): string | null {
  return fields[name] === undefined || fields[name] === null ? null : text(fields, name);
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new Malformed(`${name} is no count`);
  }
  return value as number;
}

function numberOrNaN(fields: Fields, name: string): number {
  const value = fields[name];
  if (value === undefined || value === null) return NaN;
  if (typeof value !== "number") throw new Malformed(`${name} is no number`);
  if (!(Math.abs(value) < LIMIT)) throw new Malformed(`${name} is out of all bounds`);
  return value;
}
