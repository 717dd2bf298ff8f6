import assert from "node:assert/strict";
import { test } from "node:test";
import { type Environment, parseCommandLine } from "./command-line.ts";
import type { OptionTable, Values } from "./option.ts";
import { recordOptions, RECORDS } from "./record-options.ts";
import { ipVersionOptions, OUTPUT, outputOptions, sharedProblem } from "./shared-options.ts";

/** A program that has what both have. */
function tableOf(prefix: "CLIENT" | "SERVER") {
  const options = { ...ipVersionOptions, ...recordOptions(prefix), ...outputOptions } as const;
  const table: OptionTable<typeof options, Values<typeof options>> = {
    tool: "performance-client",
    prefix,
    about: "",
    groups: [RECORDS, OUTPUT],
    options,
    examples: [],
    notes: [],
    finish(values, sources) {
      const problem = sharedProblem(values, sources);
      return problem === undefined ? { value: { config: values, warnings: [] } } : { problem };
    },
  };
  return table;
}

for (const prefix of ["CLIENT", "SERVER"] as const) {
  const name = prefix.toLowerCase();
  const table = tableOf(prefix);
  const parse = (argv: string[], env: Environment) => parseCommandLine(table, argv, env);

  const run = (argv: string[] = [], env: Environment = {}) => {
    const outcome = parse(argv, env);
    assert.ok(outcome.ok && outcome.action === "run", JSON.stringify(outcome));
    return outcome.config;
  };

  test(`a ${name}'s stream is given with its region or without, by switch or variable`, () => {
    const cases: [string, { name: string; region: string | undefined }][] = [
      ["performance", { name: "performance", region: undefined }],
      ["eu-west-1:a_b.C-1", { name: "a_b.C-1", region: "eu-west-1" }],
      ["us-gov-west-1:s", { name: "s", region: "us-gov-west-1" }],
      ["eusc-de-east-1:s", { name: "s", region: "eusc-de-east-1" }],
      ["ap-southeast-7:s", { name: "s", region: "ap-southeast-7" }],
      ["us-isob-east-1:s", { name: "s", region: "us-isob-east-1" }],
      [`cn-north-1:${"x".repeat(64)}`, { name: "x".repeat(64), region: "cn-north-1" }],
    ];
    for (const [text, stream] of cases) {
      assert.deepEqual(run(["-k", text]).kinesis, stream);
      assert.deepEqual(run([`--kinesis=${text}`]).kinesis, stream);
      assert.deepEqual(run([], { [`${prefix}_FIREHOSE`]: text }).kinesis, stream);
    }
    assert.equal(run().kinesis, undefined);
    assert.equal(run([], { [`${prefix}_FIREHOSE`]: "" }).kinesis, undefined);
  });

  test(`all about records can be said by a ${name}'s environment alone`, () => {
    const config = run([], {
      [`${prefix}_FIREHOSE`]: "eu-west-1:s",
      [`${prefix}_FLUSH_INTERVAL`]: "250ms",
      [`${prefix}_AGGREGATE`]: "false",
      [`${prefix}_SPOOL`]: "/var/spool/p",
      [`${prefix}_SPOOL_LIMIT`]: "64MiB",
      [`${prefix}_NDJSON`]: "hops.ndjson",
      [`${prefix}_ROTATE_SIZE`]: "1GiB",
      [`${prefix}_ROTATE_AGE`]: "1h",
      [`${prefix}_RECORDS`]: "all",
    });
    const { flushInterval, aggregate, spool, spoolLimit, ndjson, rotateSize, rotateAge } = config;
    assert.deepEqual(
      { flushInterval, aggregate, spool, spoolLimit, ndjson, rotateSize, rotateAge },
      {
        flushInterval: 250,
        aggregate: false,
        spool: "/var/spool/p",
        spoolLimit: 2 ** 26,
        ndjson: "hops.ndjson",
        rotateSize: 2 ** 30,
        rotateAge: 3_600_000,
      },
    );
  });

  test(`a ${name}'s variables for Firehose do no harm without a stream`, () => {
    run([], {
      [`${prefix}_FLUSH_INTERVAL`]: "1s",
      [`${prefix}_AGGREGATE`]: "false",
      [`${prefix}_SPOOL_LIMIT`]: "1GiB",
    });
  });

  test(`what is wrong with a ${name}'s records is said, and what would be right`, () => {
    const cases: readonly [string[], RegExp, Environment?][] = [
      [["-k", ""], /^--kinesis has an empty value: --kinesis \[REGION:\]STREAM/],
      [["-k"], /^--kinesis needs a value: --kinesis \[REGION:\]STREAM/],
      [["-k", "my stream"], /^--kinesis: "my stream" is not the name.*: 1 to 64 letters, digits/],
      [["-k", "x".repeat(65)], /^--kinesis: "x+\.\.\." is not the name/],
      [["-k", "eu-west-1:"], /^--kinesis: "" is not the name/],
      [["-k", "Ireland:s"], /^--kinesis: "Ireland" is not a region, such as eu-west-1$/],
      [["-k", "s:eu-west-1"], /^--kinesis: "s" is not a region.*did you mean eu-west-1:s\?/],
      [
        ["-k", "arn:aws:firehose:eu-west-1:123456789012:deliverystream/s"],
        /^--kinesis: "arn:.*" is an ARN: write eu-west-1:s$/,
      ],
      [[], /^[A-Z]+_FIREHOSE: "a b"/, { [`${prefix}_FIREHOSE`]: "a b" }],
      [["--spool", "d"], /^--spool keeps records for Firehose: give its stream too, -k/],
      [[], /^--spool keeps records for Firehose/, { [`${prefix}_SPOOL`]: "d" }],
      [["-k", "s", "--spool", "-"], /^--spool is a folder, not stdout/],
      [["--flush-interval", "1s"], /^--flush-interval is for Firehose: give its stream too/],
      [["--no-aggregate"], /^--no-aggregate is for Firehose/],
      [["--aggregate"], /^--aggregate is for Firehose/],
      [["--spool-limit", "1GiB"], /^--spool-limit is for Firehose/],
      [["-k", "s", "--spool-limit", "1GiB"], /^--spool-limit is for --spool: give its folder/],
      [
        ["-k", "s", "--spool", "d", "--spool-limit", "15MiB"],
        /^--spool-limit: "15MiB" is not between/,
      ],
      [["-k", "s", "--flush-interval", "0"], /^--flush-interval: "0" is too short/],
      [["--rotate-size", "1MiB"], /^--rotate-size is for --ndjson: give its file too/],
      [["--rotate-age", "1h"], /^--rotate-age is for --ndjson/],
      [["--ndjson", "-", "--rotate-age", "1h"], /^--rotate-age needs a file: stdout/],
      [["--ndjson", "f", "--rotate-age", "1ms"], /^--rotate-age: "1ms" is too short/],
      [["--ndjson", "f", "--rotate-size", "5MB"], /^--rotate-size: "5MB" is not a number of/],
    ];
    for (const [argv, says, env = {}] of cases) {
      const outcome = parse(argv, env);
      assert.ok(!outcome.ok, `taken: ${argv.join(" ")}`);
      assert.match(outcome.message, says);
    }
  });

  test(`a ${name} may write to a file and to Firehose at once`, () => {
    const { ndjson, kinesis } = run(["--ndjson", "-", "-k", "s"]);
    assert.deepEqual([ndjson, kinesis], ["-", { name: "s", region: undefined }]);
  });
}
