/** The command line of `performance-client report`. */

import {
  type Config,
  flag,
  type OptionTable,
  question,
  value,
  type Values,
} from "../cli/option.ts";
import { oneOf, text, type ValueType } from "../cli/values.ts";
import { conditions } from "./fail-if.ts";
import { instant } from "./instant.ts";
import { DIMENSIONS } from "./rows.ts";

const WHAT = "What is reported";
const COMPARISON = "Comparison";
const OUTPUT = "Output";
const OTHER = "Other";

/** Both sides of a comparison, joined by a newline on the way here. */
const sides: ValueType<readonly [a: string, b: string]> = {
  placeholder: "A B",
  parse(value) {
    const [a = "", b = ""] = value.split("\n");
    return a === b ? { problem: `${a} is compared to itself` } : { value: [a, b] };
  },
};

const options = {
  since: value(instant(Date.now), {
    group: WHAT,
    help: "Records received at this time or later: ISO 8601 (UTC), or how long ago (90m, 36h, 7d).",
  }),
  until: value(instant(Date.now), { group: WHAT, help: "Records received before this time." }),
  key: value(text("PATTERN", 4096), {
    group: WHAT,
    help: "Keys that match: * is any text, ? any one character; without either, keys that have " +
      "the text in them.",
  }),
  by: value(oneOf(...DIMENSIONS), {
    group: WHAT,
    help: "One row for each of these, instead of for each key and route.",
  }),
  compare: value(sides, {
    group: COMPARISON,
    pair: true,
    variable: false,
    help: "Is B faster than A? Two labels of routes, two patterns of node names, or two files or " +
      "folders of records.",
  }),
  "fail-if": value(conditions, {
    group: COMPARISON,
    list: true,
    help: "Ends with exit code 3 where it is so of any row: p50, p90, p95, p99, p999, max, mean, " +
      "min or loss; >, >=, < or <=; a number with us, ms, s or %. Such as p99>250ms,loss>0.1%.",
  }),
  json: flag({ group: OUTPUT, help: "The figures as one JSON document on stdout." }),
  html: value(text("FILE", 4096), {
    group: OUTPUT,
    help:
      "Writes the dashboard page with the figures inside to this file: it opens from disk, and " +
      "asks for nothing.",
  }),
  csv: flag({ group: OUTPUT, help: "The figures as CSV on stdout: a line for each row." }),
  help: question({ group: OTHER, short: "h", help: "Shows this help." }),
  version: question({ group: OTHER, help: "Shows version and commit." }),
  licenses: question({
    group: OTHER,
    help: "Shows the licences of all that this program contains.",
  }),
} as const;

type Raw = Values<typeof options>;

/** What a report is asked for. */
export interface ReportOptions extends Omit<Raw, "version" | "help" | "licenses"> {
  /** Files, patterns, folders, `-`. */
  operands: readonly string[];
}

export const reportOptions: OptionTable<typeof options, ReportOptions> = {
  tool: "performance-client",
  command: "report",
  prefix: "REPORT",
  operands: "FILE…",
  about: "Reads records that clients and servers have written (--ndjson, or downloads of what " +
    "Firehose stored): files, .gz files, patterns, folders with all that is in them, or - for " +
    "standard input. Shows figures of each key, what they were over time, and which of two " +
    "routes is faster. Each record counts once, however often it is there.",
  groups: [WHAT, COMPARISON, OUTPUT, OTHER],
  options,
  examples: [
    { says: "Figures of all that is in a folder:", command: "performance-client report records/" },
    {
      says: "Is the accelerated route faster than the direct one, and is that certain?",
      command: "performance-client report records/ --compare direct accelerated",
    },
    {
      says: "This week against the last:",
      command: "performance-client report --compare last-week/ this-week/",
    },
    {
      says: "The last day of one client, from compressed files:",
      command: "performance-client report 'records/*.gz' --since 24h --key 'client-eu*'",
    },
    {
      says: "In a script: exit code 3 where a route is slow or loses messages:",
      command: "performance-client report hops.ndjson --fail-if 'p99>250ms,loss>0.1%'",
    },
  ],
  notes: [
    {
      title: "Exit codes",
      text: "0: done. 1: nothing to read or to judge, or not readable. 2: wrong usage. 3: a " +
        "condition of --fail-if is met.",
    },
    {
      title: "Values",
      text: "Command line over environment over default; an empty variable counts as unset.",
    },
  ],
  finish(values, _sources, operands) {
    const { since, until, json, csv, by, compare } = values;
    const problem = json && csv
      ? "--json and --csv exclude one another: leave one out"
      : since !== undefined && until !== undefined && since >= until
      ? "--since is not before --until"
      : compare !== undefined && by !== undefined
      ? "--compare and --by exclude one another: a comparison has a row for each pair of places"
      : operands.length === 0 && compare === undefined
      ? "no records to read: name files, patterns or folders, or - for standard input"
      : undefined;
    if (problem !== undefined) return { problem };
    return { value: { config: { ...values, operands }, warnings: [] } };
  },
};

export type ReportConfig = Config<typeof reportOptions>;
