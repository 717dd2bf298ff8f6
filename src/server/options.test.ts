import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Environment, parseCommandLine } from "../cli/command-line.ts";
import { helpText } from "../cli/help.ts";
import { serverOptions } from "./options.ts";

function run(argv: string[] = [], env: Environment = {}) {
  const outcome = parseCommandLine(serverOptions, argv, env);
  assert.ok(outcome.ok && outcome.action === "run", JSON.stringify(outcome));
  return outcome;
}

test("without arguments the server listens on port 8080 of all interfaces", () => {
  assert.deepEqual(run().config, {
    port: 8080,
    host: undefined,
    transport: "tcp",
    udpPort: undefined,
    name: "server",
    tlsCert: undefined,
    tlsKey: undefined,
    tlsCa: undefined,
    tokenFile: undefined,
    ipv4: false,
    ipv6: false,
    filter: "",
    maxClients: 1000,
    maxPerAddress: undefined,
    maxRate: undefined,
    maxByteRate: undefined,
    maxBacklog: 8 * 1024 * 1024,
    clock: "auto",
    clockError: undefined,
    stats: 10_000,
    json: false,
    kinesis: undefined,
    flushInterval: 5_000,
    aggregate: true,
    spool: undefined,
    spoolLimit: 2 ** 30,
    ndjson: undefined,
    rotateSize: undefined,
    rotateAge: undefined,
    records: "own",
    live: true,
    logFormat: undefined,
    verbose: false,
    health: false,
    grace: 10_000,
    http: undefined,
    httpOpen: false,
    httpTokenFile: undefined,
  });
});

test("the original's switches and variables keep working", () => {
  const env = {
    SERVER_PORT: "9000",
    SERVER_NAME: "server-%region%",
    SERVER_FILTER: "abc",
    SERVER_VERBOSE: "1",
  };
  const argv = ["--port", "9000", "--name", "server-%region%", "--filter", "abc", "--verbose"];
  assert.deepEqual(run([], env).config, run(argv).config);
  assert.equal(run([], env).config.name, "server-%region%");
});

test("port 0 asks for any free port", () => {
  assert.equal(run(["-p0"]).config.port, 0);
});

test("health is asked for on the command line alone", () => {
  assert.equal(run(["--health"]).config.health, true);
  assert.equal(run([], { SERVER_HEALTH: "true" }).config.health, false);
});

test("wrong usage names the switch or the variable, and what would be right", () => {
  const cases: readonly [string[], RegExp, Environment?][] = [
    [["--max-client", "5"], /^unknown switch --max-client; did you mean --max-clients\?/],
    [["--interval", "1s"], /^unknown switch --interval/],
    [["-p", "65536"], /^--port: "65536" is not a whole number from 0 to 65535/],
    [[], /^SERVER_PORT: "abc" is not a whole number/, { SERVER_PORT: "abc" }],
    [["--host", "a:80"], /^--host: "a:80" is not a host name or an IP address/],
    [["--max-clients", "0"], /^--max-clients: "0"/],
    [["--max-backlog", "100K"], /^--max-backlog: "100K" is not between 256KiB and 4GiB/],
    [[], /^SERVER_MAX_BACKLOG: "8MB" is not a number of bytes/, { SERVER_MAX_BACKLOG: "8MB" }],
    [["-4", "-6"], /^-4 and -6 exclude one another/],
    [["--host", "127.0.0.1", "-6"], /^--host 127\.0\.0\.1 is an IPv4 address, excluded by -6/],
    [["--json", "--ndjson=-"], /^--json and --ndjson - both write to stdout/],
    [["start"], /^unexpected argument "start"/],
  ];
  for (const [argv, says, env] of cases) {
    const outcome = parseCommandLine(serverOptions, argv, env ?? {});
    assert.ok(!outcome.ok, `${argv.join(" ")} was taken`);
    assert.match(outcome.message, says);
  }
});

test("the help fits 80 columns and names every switch and its default", () => {
  const help = helpText(serverOptions, { colour: false });
  for (const line of help.split("\n")) assert.ok([...line].length <= 80, line);
  for (const name of Object.keys(serverOptions.options)) {
    assert.match(help, new RegExp(`--(\\[no-\\])?${name}\\b`));
  }
  assert.match(help, /\[default: 8MiB; SERVER_MAX_BACKLOG\]/);
  assert.match(help, /Exit codes:/);
});

test("every group of an option is a heading of the help", () => {
  for (const [name, option] of Object.entries(serverOptions.options)) {
    assert.ok(serverOptions.groups.includes(option.group), name);
  }
});

test("every example of the help is a command line that the server takes", () => {
  for (const { command } of serverOptions.examples) {
    const words = command.split(/\s+/);
    const at = words.indexOf("performance-server");
    const env = Object.fromEntries(words.slice(0, at).map((word) => word.split("=", 2)));
    run(words.slice(at + 1), env);
  }
});

test("no text in any argument or variable makes the parser throw", () => {
  const names = Object.keys(serverOptions.options);
  const word = fc.oneof(
    fc.constantFrom(...names).map((name) => `--${name}`),
    fc.tuple(fc.constantFrom(...names), fc.string()).map(([name, value]) => `--${name}=${value}`),
    fc.string(),
  );
  const variable = fc.constantFrom("SERVER_PORT", "SERVER_NAME", "SERVER_STATS", "SERVER_JSON");
  const env = fc.dictionary(variable, fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), env, (argv, env) => {
      const outcome = parseCommandLine(serverOptions, argv, env);
      if (!outcome.ok) assert.match(outcome.message, /^[^\n]+$/);
    }),
    { numRuns: 1000 },
  );
});
