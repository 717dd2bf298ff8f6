import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Environment, parseCommandLine } from "../cli/command-line.ts";
import { helpText } from "../cli/help.ts";
import { camelCase } from "../cli/option.ts";
import { reportOptions } from "../report/options.ts";
import { clientOptions, fragmentWarning } from "./options.ts";

function run(argv: string[] = [], env: Environment = {}) {
  const outcome = parseCommandLine(clientOptions, argv, env);
  assert.ok(outcome.ok && outcome.action === "run", JSON.stringify(outcome));
  return outcome;
}

function wrong(argv: string[], env: Environment = {}): string {
  const outcome = parseCommandLine(clientOptions, argv, env);
  assert.ok(!outcome.ok, `taken: ${JSON.stringify(outcome)}`);
  return outcome.message;
}

test("without arguments the client does what the original did", () => {
  const localhost = { label: "localhost", host: "localhost", port: 8080, address: "localhost" };
  assert.deepEqual(run().config, {
    server: [localhost],
    port: 8080,
    name: "client",
    bind: undefined,
    ipv4: false,
    ipv6: false,
    connectTimeout: 30_000,
    tls: false,
    tlsCa: undefined,
    tokenFile: undefined,
    tlsServerName: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    mode: "paced",
    interval: { minMs: 3500, maxMs: 4500 },
    rate: undefined,
    size: [16, 512, 1024, 2048],
    filter: "",
    echo: false,
    warmup: 10,
    count: undefined,
    duration: undefined,
    clock: "auto",
    clockError: undefined,
    stats: 10_000,
    transport: "tcp",
    flows: 1,
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
    grace: 10_000,
    http: undefined,
    httpOpen: false,
    httpTokenFile: undefined,
  });
});

test("the original's switches and variables keep working", () => {
  const env = {
    SERVER_NAME: "ga.example.com",
    CLIENT_PORT: "9000",
    CLIENT_NAME: "client-%region%-accelerated",
    CLIENT_FILTER: "abc",
    CLIENT_VERBOSE: "true",
  };
  const byVariables = run([], env).config;
  assert.deepEqual(
    run(
      ["-s", "ga.example.com", "-p9000", "-n", "client-%region%-accelerated", "-f", "abc", "-v"],
    ).config,
    byVariables,
  );
  assert.equal(byVariables.server[0]?.host, "ga.example.com");
  assert.equal(byVariables.server[0]?.port, 9000);
  assert.equal(byVariables.name, "client-%region%-accelerated");
});

test("every variable is read: each switch gives the same by its variable", () => {
  const cases: Record<string, [string, string]> = {
    server: ["SERVER_NAME", "a=b:1,c"],
    bind: ["CLIENT_BIND", "127.0.0.1"],
    ipv4: ["CLIENT_IPV4", "true"],
    ipv6: ["CLIENT_IPV6", "true"],
    "connect-timeout": ["CLIENT_CONNECT_TIMEOUT", "0"],
    mode: ["CLIENT_MODE", "flood"],
    interval: ["CLIENT_INTERVAL", "1ms-2ms"],
    rate: ["CLIENT_RATE", "20"],
    size: ["CLIENT_SIZE", "1,65536"],
    echo: ["CLIENT_ECHO", "true"],
    warmup: ["CLIENT_WARMUP", "0"],
    count: ["CLIENT_COUNT", "5"],
    duration: ["CLIENT_DURATION", "2m"],
    clock: ["CLIENT_CLOCK", "system"],
    transport: ["CLIENT_TRANSPORT", "udp"],
    flows: ["CLIENT_FLOWS", "8"],
    "clock-error": ["CLIENT_CLOCK_ERROR", "0.5"],
    stats: ["CLIENT_STATS", "0"],
    json: ["CLIENT_JSON", "true"],
    ndjson: ["CLIENT_NDJSON", "-"],
    records: ["CLIENT_RECORDS", "all"],
    "log-format": ["CLIENT_LOG_FORMAT", "json"],
    grace: ["CLIENT_GRACE", "250ms"],
  };
  for (const [name, [variable, text]] of Object.entries(cases)) {
    const byVariable = run([], { [variable]: text });
    assert.deepEqual(byVariable.config, run([`--${name}=${text}`]).config, name);
    assert.equal((byVariable.sources as Record<string, string>)[camelCase(name)], "environment");
    assert.notDeepEqual(byVariable.config, run().config, `${name} changes nothing`);
  }
});

test("routes without a port of their own take the one of --port", () => {
  const { server } = run(["-p", "9", "-s", "direct=a,accelerated=b:9000,[::1]:8080"]).config;
  assert.deepEqual(server, [
    { label: "direct", host: "a", port: 9, address: "a" },
    { label: "accelerated", host: "b", port: 9000, address: "b:9000" },
    { label: "[::1]:8080", host: "::1", port: 8080, address: "[::1]:8080" },
  ]);
});

test("over UDP messages fit into packets, unless larger ones are asked for: that is warned about", () => {
  const { config, warnings } = run(["--transport", "udp"]);
  assert.deepEqual(config.size, [16, 512, 1024, 1200]);
  assert.deepEqual(warnings, []);
  const large = run(["--transport", "udp", "--size", "16,2048"]);
  assert.deepEqual(large.config.size, [16, 2048]);
  assert.match(fragmentWarning(large.config, false)!, /^--size 2048: over UDP .* in fragments/);
  assert.equal(fragmentWarning(run(["--size", "2048"]).config, false), undefined);
  assert.equal(fragmentWarning(config, true), undefined);
});

test("echo is on by itself with two routes, or for a ping-pong, unless it is switched off", () => {
  assert.equal(run(["-s", "a,b"]).config.echo, true);
  assert.equal(run(["-s", "a,b", "--no-echo"]).config.echo, false);
  assert.equal(run(["--mode", "ping-pong"]).config.echo, true);
  assert.equal(run(["--mode", "flood"]).config.echo, false);
  assert.equal(run(["--echo"]).config.echo, true);
});

test("a rate replaces the interval; the command line's wins over the environment's", () => {
  assert.deepEqual(run(["--rate", "100"]).config.interval, { minMs: 10, maxMs: 10 });
  assert.deepEqual(run(["--rate", "100"], { CLIENT_INTERVAL: "1s" }).config.interval, {
    minMs: 10,
    maxMs: 10,
  });
  const { config } = run(["--interval", "1s"], { CLIENT_RATE: "100" });
  assert.deepEqual([config.interval, config.rate], [{ minMs: 1000, maxMs: 1000 }, undefined]);
});

test("of -4 and -6, the command line's wins over the environment's", () => {
  const { config } = run(["-6"], { CLIENT_IPV4: "true" });
  assert.deepEqual([config.ipv4, config.ipv6], [false, true]);
  assert.equal(run(["-4", "--ipv6=false"]).config.ipv4, true);
});

test("pacing without effect is warned about", () => {
  assert.deepEqual(run(["--mode", "flood", "--interval", "1s"]).warnings, [
    "--interval has no effect with --mode flood",
  ]);
  assert.deepEqual(run(["--mode", "flood"]).warnings, []);
  assert.deepEqual(run(["--rate", "1"]).warnings, []);
});

test("wrong usage names the switch or the variable, and what would be right", () => {
  const cases: readonly [string[], RegExp, Environment?][] = [
    [["--colour"], /^unknown switch --colour/],
    [["--intervall", "1s"], /^unknown switch --intervall; did you mean --interval\?/],
    [["--host", "x"], /^unknown switch --host/],
    [["report"], /^unexpected argument "report"/],
    [["-p", "65536"], /^--port: "65536" is not a whole number from 1 to 65535/],
    [["-p", "abc"], /^--port: "abc"/],
    [["-p", "0"], /^--port: "0" is not a whole number from 1/],
    [[], /^CLIENT_PORT: "0"/, { CLIENT_PORT: "0" }],
    [["-s", ""], /^--server has an empty value: --server \[LABEL=\]HOST\[:PORT\]/],
    [["-s", "a,"], /^--server: "": the host is empty/],
    [["-s", "a:0"], /^--server: port of "a:0"/],
    [["-s", "a,a"], /^--server: "a" stands there twice/],
    [[], /^SERVER_NAME: port of "a:x": "x"/, { SERVER_NAME: "a:x" }],
    [["--interval", "5"], /^--interval: "5" has no unit.*5ms/],
    [["--interval", "2s-1s"], /^--interval: "2s-1s" begins with the longer time/],
    [["--interval", "soon"], /^--interval: "soon" is not a duration/],
    [["--interval", "0s"], /^--interval: "0s" is too short/],
    [["--rate", "0"], /^--rate: "0" is not a number above 0/],
    [["--rate", "-5"], /^--rate: "-5"/],
    [["--rate", "5", "--interval", "1s"], /^--rate and --interval exclude one another/],
    [["--size", "65537"], /^--size: "65537" is not a whole number from 1 to 65536/],
    [["--size", "0"], /^--size: "0"/],
    [["--size", "16", "--size", "17"], /^--size is given twice.*--size 16,17/],
    [["--count", "0"], /^--count: "0"/],
    [["--duration", "0"], /^--duration: "0" is too short/],
    [["--warmup", "-1"], /^--warmup: "-1"/],
    [["--stats", "1ms"], /^--stats: "1ms" is too short: at least 100ms, or 0 \(never\)/],
    [["--mode", "pingpong"], /^--mode: "pingpong".*did you mean ping-pong\?/],
    [["--transport", "quic"], /^--transport: "quic"/],
    [["--transport", "udp", "--mode", "flood"], /^--mode flood needs --transport tcp/],
    [["--transport", "udp", "--size", "60001"], /^--size 60001: over UDP at most 60000 bytes/],
    [["--mode", "ping-pong", "--no-echo"], /^--no-echo and --mode ping-pong exclude/],
    [["--records", "none"], /^--records: "none" is none of own, all, summary/],
    [["--bind", "eth0"], /^--bind: "eth0" is not an IP address/],
    [["--bind", "::1", "-4"], /^--bind ::1 is an IPv6 address, excluded by -4/],
    [["-4", "-6"], /^-4 and -6 exclude one another/],
    [["--json", "--ndjson", "-"], /^--json and --ndjson - both write to stdout/],
    [["--json"], /^--json and --ndjson -/, { CLIENT_NDJSON: "-" }],
    [["-n", "a::~::b"], /^--name: "a::~::b" must not contain "::~::"/],
    [["-n", ""], /^--name has an empty value/],
    [["-f", "x".repeat(1025)], /^--filter: .*1025 bytes: at most 1024/],
    [["--clock-error", "x"], /^--clock-error: "x" is not a number from 0/],
    [[], /^CLIENT_ECHO: "on" is none of true/, { CLIENT_ECHO: "on" }],
  ];
  for (const [argv, says, env] of cases) assert.match(wrong(argv, env), says);
});

test("the help fits 80 columns and names every switch, variable and default", () => {
  const help = helpText(clientOptions, { colour: false });
  for (const line of help.split("\n")) assert.ok([...line].length <= 80, line);
  for (const name of Object.keys(clientOptions.options)) {
    assert.match(help, new RegExp(`--(\\[no-\\])?${name}\\b`));
  }
  assert.match(help, /SERVER_NAME\]/);
  assert.match(help, /default: 3500ms-4500ms; CLIENT_INTERVAL/);
  assert.match(help, /shared evenly between both ways/);
});

test("every group of an option is a heading of the help", () => {
  for (const [name, option] of Object.entries(clientOptions.options)) {
    assert.ok(clientOptions.groups.includes(option.group), name);
  }
});

test("every example of the help is a command line that the client or its report takes", () => {
  for (const { command } of clientOptions.examples) {
    const words = command.replace(/\\\n/g, " ").replaceAll("'", "").trim().split(/\s+/);
    const at = words.indexOf("performance-client");
    const env = Object.fromEntries(words.slice(0, at).map((word) => word.split("=", 2)));
    const [first, ...others] = words.slice(at + 1);
    if (first !== "report") run(words.slice(at + 1), env);
    else assert.equal(parseCommandLine(reportOptions, others, env).ok, true, command);
  }
});

test("no mix of the client's own switches and values makes the parser throw", () => {
  const names = Object.keys(clientOptions.options);
  const text = fc.constantFrom(
    "",
    "0",
    "1",
    "-1",
    "1s",
    "1ms-2ms",
    "a,b",
    "a=b:1",
    "::1",
    "-",
    "true",
  );
  const word = fc.oneof(
    fc.constantFrom(...names).map((name) => `--${name}`),
    fc.tuple(fc.constantFrom(...names), text).map(([name, value]) => `--${name}=${value}`),
    text,
    fc.constantFrom("-4", "-6", "-v", "-p1", "--no-echo"),
  );
  const variables = names.map((name) => `CLIENT_${name.toUpperCase().replaceAll("-", "_")}`);
  const env = fc.dictionary(fc.constantFrom("SERVER_NAME", ...variables), text, { maxKeys: 4 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), env, (argv, env) => {
      const outcome = parseCommandLine(clientOptions, argv, env);
      if (!outcome.ok) assert.match(outcome.message, /^[^\n]+$/);
    }),
    { numRuns: 2000 },
  );
});
