/** Options that say where records go: the same for client and server. */

import { quote } from "./escape.ts";
import { eitherFlag, type Source, value } from "./option.ts";
import { bytes, duration, oneOf, type Parsed, path, type ValueType } from "./values.ts";

export const RECORDS = "Records";

/** A Firehose stream. */
export interface Stream {
  name: string;
  /** Undefined leaves it to the environment, as the AWS SDKs find it. */
  region: string | undefined;
}

const NAME = /^[a-zA-Z0-9_.-]{1,64}$/;
/** As all are that AWS has named so far: `ap-southeast-7`, `us-gov-west-1`, `eusc-de-east-1`. */
const REGION = /^[a-z]{2,8}(-[a-z]{2,12}){1,3}-\d{1,2}$/;
const ARN = /^arn:[^:]*:firehose:([^:]+):\d*:deliverystream\/(.+)$/;

/** `STREAM` or `REGION:STREAM`. */
export const stream: ValueType<Stream> = {
  placeholder: "[REGION:]STREAM",
  parse(text): Parsed<Stream> {
    const arn = ARN.exec(text);
    if (arn !== null) return { problem: `${quote(text)} is an ARN: write ${arn[1]}:${arn[2]}` };
    const colon = text.indexOf(":");
    const region = colon < 0 ? undefined : text.slice(0, colon);
    const name = text.slice(colon + 1);
    if (region !== undefined && !REGION.test(region)) {
      const hint = REGION.test(name) && NAME.test(region)
        ? `; did you mean ${name}:${region}?`
        : "";
      return { problem: `${quote(region)} is not a region, such as eu-west-1${hint}` };
    }
    if (!NAME.test(name)) {
      const rule = "1 to 64 letters, digits, dots, hyphens and underscores";
      return { problem: `${quote(name)} is not the name of a Firehose stream: ${rule}` };
    }
    return { value: { name, region } };
  },
};

/** @param prefix of the program's variables */
export function recordOptions<P extends "CLIENT" | "SERVER">(prefix: P) {
  return {
    kinesis: value(stream, {
      group: RECORDS,
      short: "k",
      variable: `${prefix}_FIREHOSE`,
      help: "Sends a record of each metered hop to this Amazon Data Firehose stream.",
    }),
    "flush-interval": value(duration({ leastMs: 100 }), {
      group: RECORDS,
      default: "5s",
      help: "Records for Firehose wait at most so long for others to be sent with them.",
    }),
    aggregate: eitherFlag({
      group: RECORDS,
      initial: true,
      defaultText: "on",
      help: "Puts many lines into one Firehose record, each of which is billed as 5 KB or more.",
    }),
    spool: value(path, {
      group: RECORDS,
      help: "Keeps what waits for Firehose in this folder, so that it survives an outage and the " +
        "end of the process, and is sent at the next start. One folder for each process.",
    }),
    // What is under way is never dropped: some 4 MB.
    "spool-limit": value(bytes("16MiB", "1024GiB"), {
      group: RECORDS,
      default: "1GiB",
      help: "Most bytes in the spool; beyond it the oldest records are dropped.",
    }),
    ndjson: value(path, {
      group: RECORDS,
      help: "Writes a record of each metered hop to this file, one JSON object a line; - is " +
        "stdout.",
    }),
    "rotate-size": value(bytes("1KiB", "1024GiB"), {
      group: RECORDS,
      help: "Begins a new file of --ndjson at this size; never where it is not given.",
    }),
    "rotate-age": value(duration({ leastMs: 1000 }), {
      group: RECORDS,
      help: "Begins a new file of --ndjson at this age; never where it is not given.",
    }),
    records: value(oneOf("own", "all", "summary"), {
      group: RECORDS,
      default: "own",
      help: "Records of the hops that this node received, of all hops of what it received, or " +
        "one summary per key and report.",
    }),
  } as const;
}

interface RecordValues {
  kinesis: Stream | undefined;
  aggregate: boolean;
  spool: string | undefined;
  ndjson: string | undefined;
  rotateSize: number | undefined;
  rotateAge: number | undefined;
}

/** What is wrong between these options, if anything. */
export function recordsProblem(
  values: RecordValues,
  sources: Record<"flushInterval" | "aggregate" | "spoolLimit", Source>,
): string | undefined {
  if (values.kinesis === undefined) {
    if (values.spool !== undefined) {
      return "--spool keeps records for Firehose: give its stream too, -k [REGION:]STREAM";
    }
    // By a variable they may well be set for all processes of a host.
    const given = ([
      ["flush-interval", sources.flushInterval],
      [values.aggregate ? "aggregate" : "no-aggregate", sources.aggregate],
      ["spool-limit", sources.spoolLimit],
    ] as const).find(([, source]) => source === "command line");
    if (given !== undefined) {
      return `--${given[0]} is for Firehose: give its stream too, -k [REGION:]STREAM`;
    }
  } else if (values.spool === undefined && sources.spoolLimit === "command line") {
    return "--spool-limit is for --spool: give its folder too, --spool PATH";
  }
  if (values.spool === "-") return "--spool is a folder, not stdout: --spool PATH";
  const rotation = values.rotateSize !== undefined
    ? "rotate-size"
    : values.rotateAge !== undefined
    ? "rotate-age"
    : undefined;
  if (rotation === undefined) return undefined;
  if (values.ndjson === undefined) return `--${rotation} is for --ndjson: give its file too`;
  if (values.ndjson === "-") return `--${rotation} needs a file: stdout has none to begin anew`;
  return undefined;
}
