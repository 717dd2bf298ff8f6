// What is wrong with a command line, or with the world, is told on one line; and how it ends.

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { type Program, start, startServer } from "./processes.ts";

interface Case {
  says: string;
  program: Program;
  args: string[];
  env?: Record<string, string>;
  /** The first line on stderr. */
  line: RegExp;
}

const wrong: Case[] = [
  {
    says: "an unknown switch",
    program: "server",
    args: ["--colour"],
    line: /^performance-server: unknown switch --colour/,
  },
  {
    says: "a misspelt switch",
    program: "client",
    args: ["--intervall", "5ms"],
    line: /^performance-client: unknown switch --intervall; did you mean --interval\?$/,
  },
  {
    says: "a port beyond 65535",
    program: "server",
    args: ["--port", "65536"],
    line: /^performance-server: --port: .*65536/,
  },
  {
    says: "a port that is no number",
    program: "client",
    args: ["-p", "abc"],
    line: /^performance-client: --port: .*abc/,
  },
  {
    says: "port 0 for a client",
    program: "client",
    args: ["--port", "0"],
    line: /^performance-client: --port: .*\b0\b/,
  },
  {
    says: "an empty server",
    program: "client",
    args: ["--server", ""],
    line: /^performance-client: --server has an empty value/,
  },
  {
    says: "an interval without its unit",
    program: "client",
    args: ["--interval", "5"],
    line: /^performance-client: --interval: .*\b5\b/,
  },
  {
    says: "an interval that ends before it begins",
    program: "client",
    args: ["--interval", "9ms-5ms"],
    line: /^performance-client: --interval: .*9ms-5ms/,
  },
  {
    says: "a size over the limit",
    program: "client",
    args: ["--size", "16,65537"],
    line: /^performance-client: --size: .*65,?537/,
  },
  {
    says: "an empty stream",
    program: "client",
    args: ["-k", ""],
    line: /^performance-client: --kinesis has an empty value: --kinesis \[REGION:\]STREAM$/,
  },
  {
    says: "a spool without a stream",
    program: "server",
    args: ["--spool", "somewhere"],
    line: /^performance-server: --spool keeps records for Firehose: give its stream too, -k/,
  },
  {
    says: "a variable that is no stream",
    program: "client",
    args: [],
    env: { CLIENT_FIREHOSE: "Ireland:records" },
    line: /^performance-client: CLIENT_FIREHOSE: "Ireland" is not a region, such as eu-west-1$/,
  },
  {
    says: "a variable that is no port",
    program: "server",
    args: [],
    env: { SERVER_PORT: "abc" },
    line: /^performance-server: SERVER_PORT: .*abc/,
  },
  {
    says: "two things on stdout",
    program: "client",
    args: ["--json", "--ndjson", "-"],
    line: /^performance-client: --json and --ndjson - both write to stdout/,
  },
];

for (const { says, program, args, env = {}, line } of wrong) {
  test(`${says} is wrong usage: what is wrong, then the help`, async (t) => {
    const { code, stdout, stderr } = await start(t, program, args, { env }).exited;
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    const [first, ...rest] = stderr.split("\n");
    assert.match(first!, line);
    const help = await start(t, program, ["--help"]).exited;
    assert.equal(help.code, 0);
    assert.equal(rest.join("\n").trim(), help.stdout.trim());
  });
}

test("a port that is taken ends the server with one clear line", async (t) => {
  const server = await startServer(t);
  const args = ["--host", "127.0.0.1", "--port", String(server.port)];
  const second = start(t, "server", args);
  const { code, stderr } = await second.exited;
  assert.equal(code, 1, stderr);
  const errors = second.log().filter(({ level }) => level === "error");
  assert.equal(errors.length, 1, stderr);
  assert.match(errors[0]!.message, /cannot listen on 127\.0\.0\.1:\d+: .*(in use|taken)/);
});

test("a client without a server gives up, with one clear line", async (t) => {
  // A port that was free a moment ago.
  const free = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => free.once("listening", resolve));
  const { port } = free.address() as net.AddressInfo;
  await new Promise((resolve) => free.close(resolve));

  const args = ["-s", `127.0.0.1:${port}`, "--connect-timeout", "300ms"];
  const client = start(t, "client", args);
  const { code, stderr } = await client.exited;
  assert.equal(code, 1, stderr);
  const errors = client.log().filter(({ level }) => level === "error");
  assert.equal(errors.length, 1, stderr);
  assert.match(errors[0]!.message, /no server within 0\.3 s: 127\.0\.0\.1:\d+: .*refused/);
});

test("a file for records that cannot be opened ends the run with one clear line", async (t) => {
  const server = start(t, "server", ["--port", "0", "--ndjson", "/nonexistent/hops.ndjson"]);
  const { code, stderr } = await server.exited;
  assert.equal(code, 1, stderr);
  const errors = server.log().filter(({ level }) => level === "error");
  assert.equal(errors.length, 1, stderr);
  assert.match(errors[0]!.message, /\/nonexistent\/hops\.ndjson/);
});
