import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Environment, parseCommandLine } from "./command-line.ts";
import {
  type Config,
  eitherFlag,
  flag,
  type OptionTable,
  question,
  value,
  type Values,
} from "./option.ts";
import { port, routes } from "./addresses.ts";
import { oneOf, text, wholeNumber } from "./values.ts";

const options = {
  port: value(port, { group: "G", short: "p", default: "8080", help: "" }),
  "max-clients": value(wholeNumber({ least: 1, most: 9 }), { group: "G", help: "" }),
  server: value(routes, { group: "G", short: "s", variable: "ODD", list: true, help: "" }),
  filter: value(text("TEXT", 100), {
    group: "G",
    short: "f",
    default: "none",
    emptyAllowed: true,
    help: "",
  }),
  mode: value(oneOf("fast", "slow"), { group: "G", default: "slow", help: "" }),
  ndjson: value(text("PATH", 100), { group: "G", help: "" }),
  echo: eitherFlag({ group: "G", defaultText: "by itself", help: "" }),
  verbose: flag({ group: "G", short: "v", help: "" }),
  ipv4: flag({ group: "G", short: "4", help: "" }),
  help: question({ group: "G", short: "h", help: "" }),
  version: question({ group: "G", help: "" }),
} as const;

const table: OptionTable<typeof options, Values<typeof options>> = {
  tool: "performance-server",
  prefix: "SERVER",
  about: "",
  groups: ["G"],
  options,
  examples: [],
  notes: [],
  finish: (values) => ({ value: { config: values, warnings: [] } }),
};

function run(argv: string[], env: Environment = {}) {
  const outcome = parseCommandLine(table, argv, env);
  assert.ok(outcome.ok && outcome.action === "run", JSON.stringify(outcome));
  return outcome;
}

function wrong(argv: string[], env: Environment = {}): string {
  const outcome = parseCommandLine(table, argv, env);
  assert.ok(!outcome.ok, `taken: ${JSON.stringify(outcome)}`);
  return outcome.message;
}

test("the static type of the configuration follows from the table", () => {
  const config: Config<typeof table> = run([]).config;
  const port: number = config.port;
  const maxClients: number | undefined = config.maxClients;
  const mode: "fast" | "slow" = config.mode;
  const echo: boolean | undefined = config.echo;
  const verbose: boolean = config.verbose;
  assert.deepEqual({ port, maxClients, mode, echo, verbose }, {
    port: 8080,
    maxClients: undefined,
    mode: "slow",
    echo: undefined,
    verbose: false,
  });
});

test("a value follows its switch, or `=`, or the letter itself", () => {
  const lines = [["--port", "81"], ["--port=81"], ["-p81"], ["-p", "81"], ["-p=81"], ["-vp81"]];
  for (const argv of lines) assert.equal(run(argv).config.port, 81, argv.join(" "));
});

test("a value may hold what looks like syntax", () => {
  assert.equal(run(["-sdirect=a,b=c"]).config.server?.[0]?.label, "direct");
  assert.equal(run(["--server=direct=a"]).config.server?.[0]?.label, "direct");
  assert.equal(run(["-s", "direct=a"]).config.server?.[0]?.label, "direct");
  assert.equal(run(["--ndjson", "-"]).config.ndjson, "-");
  assert.equal(run(["-f=a=b"]).config.filter, "a=b");
  assert.equal(run(["--filter", "=a"]).config.filter, "=a");
  assert.equal(run(["-f1e5"]).config.filter, "1e5");
  assert.equal(run(["--filter=-v"]).config.filter, "-v");
  assert.equal(run(["--filter", "two\nlines"]).config.filter, "two\nlines");
});

test("the command line stands above the environment, and that above the default", () => {
  const env = { SERVER_PORT: "82", SERVER_MAX_CLIENTS: "3", ODD: "x" };
  const { config, sources } = run(["--port", "81"], env);
  assert.equal(config.port, 81);
  assert.equal(config.maxClients, 3);
  assert.equal(config.server?.[0]?.host, "x");
  assert.equal(config.mode, "slow");
  assert.equal(sources.port, "command line");
  assert.equal(sources.maxClients, "environment");
  assert.equal(sources.server, "environment");
  assert.equal(sources.mode, "default");
});

test("a variable that is empty counts as unset", () => {
  const { config, sources } = run([], { SERVER_PORT: "", SERVER_VERBOSE: "", SERVER_FILTER: "" });
  assert.equal(config.port, 8080);
  assert.equal(config.verbose, false);
  assert.equal(config.filter, "none");
  assert.equal(sources.filter, "default");
});

test("an empty value is wrong on the command line, except for the filter's", () => {
  for (const argv of [["--port", ""], ["--port="], ["-p", ""], ["--server", ""], ["--ndjson="]]) {
    assert.match(wrong(argv), /^--(port|server|ndjson) has an empty value/, argv.join(" "));
  }
  for (const argv of [["--filter", ""], ["--filter="], ["-f", ""], ["-f="]]) {
    assert.equal(run(argv).config.filter, "", argv.join(" "));
    assert.equal(run(argv, { SERVER_FILTER: "env" }).sources.filter, "command line");
  }
});

test("a switch whose value is missing says so", () => {
  for (const argv of [["--port"], ["--port", "--verbose"], ["-p", "-4"], ["-vp"], ["--filter"]]) {
    assert.match(wrong(argv), /^--(port|filter) needs a value/, argv.join(" "));
  }
});

test("a negative number is a value that is out of range, not a switch", () => {
  assert.match(wrong(["--max-clients", "-5"]), /^--max-clients: "-5" is not/);
  assert.match(wrong(["--port", "-1.5"]), /^--port: "-1.5" is not/);
});

test("flags are set by name, by true and false, and by their variable", () => {
  assert.equal(run(["-v"]).config.verbose, true);
  assert.equal(run(["--verbose=false"], { SERVER_VERBOSE: "true" }).config.verbose, false);
  assert.equal(run(["--verbose=yes"]).config.verbose, true);
  assert.deepEqual(
    ["true", "1", "yes", "false", "0", "no"].map((SERVER_VERBOSE) =>
      run([], { SERVER_VERBOSE }).config.verbose
    ),
    [true, true, true, false, false, false],
  );
  assert.equal(run(["-v4"]).config.ipv4, true);
  assert.match(wrong(["--verbose=maybe"]), /^--verbose: "maybe" is none of true/);
  assert.match(wrong([], { SERVER_VERBOSE: "on" }), /^SERVER_VERBOSE: "on" is none of true/);
});

test("a flag with three states is on, off, or not said", () => {
  assert.equal(run([]).config.echo, undefined);
  assert.equal(run(["--echo"]).config.echo, true);
  assert.equal(run(["--no-echo"]).config.echo, false);
  assert.equal(run(["--no-echo"], { SERVER_ECHO: "true" }).config.echo, false);
  assert.equal(run([], { SERVER_ECHO: "no" }).config.echo, false);
  assert.match(wrong(["--no-echo=true"]), /^--no-echo takes no value/);
  assert.match(wrong(["--no-verbose"]), /^unknown switch --no-verbose/);
});

test("of a switch given twice the last counts; a list given twice is wrong", () => {
  assert.equal(run(["-p", "81", "--port=82"]).config.port, 82);
  assert.equal(run(["--no-echo", "--echo"]).config.echo, true);
  assert.equal(run(["--echo", "--no-echo"]).config.echo, false);
  assert.match(wrong(["-s", "a", "-s", "b"]), /^--server is given twice.*--server a,b$/);
});

test("an unknown switch is named, with the one that may have been meant", () => {
  for (
    const [argv, says] of [
      [["--prot", "81"], /^unknown switch --prot; did you mean --port\?$/],
      [["--max-client=3"], /^unknown switch --max-client; did you mean --max-clients\?$/],
      [["--no-eco"], /^unknown switch --no-eco; did you mean --no-echo\?$/],
      [["-port", "81"], /^unknown switch -port; did you mean --port\?$/],
      [["-x"], /^unknown switch -x; -h shows all switches$/],
      [["-vx"], /^unknown switch -x in "-vx"/],
      [["--colour"], /^unknown switch --colour; -h shows/],
      [["--port.x=1"], /^unknown switch --port\.x/],
      [["--__proto__=1"], /^unknown switch --__proto__/],
      [["--constructor"], /^unknown switch --constructor/],
      [["--toString"], /^unknown switch --toString/],
      [["--a\nb"], /^unknown switch --a\\u000ab/],
    ] as const
  ) {
    assert.match(wrong([...argv]), says);
  }
});

test("arguments without a switch are wrong usage", () => {
  assert.match(wrong(["81"]), /^unexpected argument "81"/);
  assert.match(wrong(["-v", "x"]), /^unexpected argument "x"/);
  assert.match(wrong(["--", "-v"]), /^unexpected argument "-v"/);
  assert.match(wrong(["-"]), /^unexpected argument "-"/);
  assert.match(wrong([""]), /^unexpected argument ""/);
});

test("a wrong value names its switch or its variable", () => {
  assert.match(wrong(["-p", "abc"]), /^--port: "abc"/);
  assert.match(wrong([], { SERVER_PORT: "abc" }), /^SERVER_PORT: "abc"/);
  assert.match(wrong([], { ODD: "a:0" }), /^ODD: port of "a:0"/);
  assert.match(
    wrong(["--mode", "fats"]),
    /^--mode: "fats" is none of fast, slow; did you mean fast/,
  );
});

test("a variable that the command line overrides may be wrong", () => {
  assert.equal(run(["-p", "81"], { SERVER_PORT: "abc" }).config.port, 81);
});

test("who asks for help or version gets it, whatever else is wrong", () => {
  const ask = (...argv: string[]) => parseCommandLine(table, argv, { SERVER_PORT: "abc" });
  assert.deepEqual(ask("-h"), { ok: true, action: "help" });
  assert.deepEqual(ask("--port", "abc", "--bad", "-vh"), { ok: true, action: "help" });
  assert.deepEqual(ask("--version"), { ok: true, action: "version" });
  assert.deepEqual(ask("--version", "--help"), { ok: true, action: "help" });
  assert.equal(ask("--help=false").ok, false);
});

test("help and version have no variable: SERVER_VERSION is often set by others", () => {
  assert.equal(run([], { SERVER_VERSION: "1.2.3", SERVER_HELP: "1" }).ok, true);
});

test("no command line and no environment makes the parser throw", () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...["--port", "--port=", "-p", "-s", "--server=a=b", "--filter", "", "-", "--", "-4", "-v"],
      ...["--echo", "--no-echo", "--no-echo=", "true", "-1", "--no-", "--=", "-=", "--__proto__"],
      ...["--a.b.c=1", "--port.x", "--no-port", "--verbose=", "--constructor.prototype.x=1"],
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ maxLength: 8 }).map((tail) => `--${tail}`),
    fc.string({ maxLength: 8 }).map((tail) => `-${tail}`),
  );
  const env = fc.dictionary(
    fc.constantFrom("SERVER_PORT", "SERVER_ECHO", "ODD", "SERVER_FILTER", "__proto__", "X"),
    fc.oneof(fc.constantFrom("", "1", "true"), fc.string({ unit: "binary" })),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), env, (argv, env) => {
      const outcome = parseCommandLine(table, argv, env);
      if (outcome.ok) return;
      assert.doesNotMatch(outcome.message, /\n/, "the message is one line");
      assert.notEqual(outcome.message, "");
    }),
    { numRuns: 2000 },
  );
  assert.equal(({} as Record<string, unknown>)["x"], undefined, "no prototype was written to");
});
