// A token is for the two ends that know it: no process list, log, error, record or answer has it.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  type Exit,
  type LogLine,
  type Program,
  type Running,
  start,
  startClient,
  startServer,
} from "./processes.ts";

const TOKEN = "correct-horse-battery-staple";
const WRONG = "another-secret-that-nobody-knows";
const HTTP = "what-opens-the-dashboard-alone";
/** Also as it may be written by who shows bytes instead of text. */
const FORBIDDEN = [TOKEN, WRONG, HTTP].flatMap((token) => {
  const bytes = Buffer.from(token);
  return [token, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, "")];
});

function assertSilent(what: string, text: string): void {
  for (const token of FORBIDDEN) assert.ok(!text.includes(token), `${what}: ${text}`);
}

function assertExitSilent(what: string, { stdout, stderr }: Exit): void {
  assertSilent(`stdout of ${what}`, stdout);
  assertSilent(`stderr of ${what}`, stderr);
}

function workFolder(t: TestContext): (name: string, text?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "secrecy-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return (name, text) => {
    const path = join(folder, name);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  };
}

function assertListedSilent({ pid }: Running): void {
  const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
  assert.match(line, /performance-/);
  assertSilent("the process list", line);
}

const says = (what: RegExp) => ({ message }: LogLine): boolean => what.test(message);

for (const transport of ["tcp", "udp"] as const) {
  test(`who lists processes, reads logs, records or answers learns no token (${transport})`, async (t) => {
    const file = workFolder(t);
    const over = ["--transport", transport, "-v", "--stats", "1", "--json"];
    const server = await startServer(t, [
      ...over,
      ...["--token-file", file("tokens", `${TOKEN}\n`)],
      ...[
        "--http",
        "0",
        "--http-token-file",
        file("http", HTTP),
        "--ndjson",
        file("server.ndjson"),
      ],
    ]);
    const right = await startClient(t, server.port, [
      ...[...over, "--rate", "100", "--warmup", "0", "--count", "30", "--echo"],
      ...["--ndjson", file("client.ndjson")],
    ], { env: { CLIENT_TOKEN: TOKEN } });
    assertListedSilent(right);
    const wrong = start(t, "client", [
      ...["-s", `127.0.0.1:${server.port}`, ...over, "--token-file", file("wrong", WRONG)],
      ...["--http", "0"],
    ]);
    const none = start(t, "client", ["-s", `127.0.0.1:${server.port}`, ...over]);
    for (const refused of [wrong, none]) await refused.logged(says(/^no connection: .*token/));
    for (const running of [server, wrong, none]) assertListedSilent(running);
    assertExitSilent("right", await right.exited);
    const { port } = await server.logged(says(/^serving http/));
    const authorization = `Bearer ${HTTP}`;
    for (const path of ["/", "/metrics", "/api/v1/mesh", "/api/v1/summary", "/healthz"]) {
      for (const headers of [{}, { authorization }, { authorization: `${authorization}-not` }]) {
        const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`, {
          headers: headers as Record<string, string>,
        });
        assertSilent(`the answer to ${path}`, await answer.text());
        assertSilent(`its headers`, JSON.stringify([...answer.headers]));
      }
    }
    for (const [what, running] of Object.entries({ wrong, none, server })) {
      assertExitSilent(what, await running.stop());
    }
    for (const records of [file("server.ndjson"), file("client.ndjson")]) {
      const text = readFileSync(records, "utf8");
      assert.match(text, /"kind":"hop"/);
      assertSilent(records, text);
    }
  });
}

test("what is wrong with a file of tokens, or with a command line, is told without them", async (t) => {
  const file = workFolder(t);
  const tooMany = file("many", `${TOKEN}\n`.repeat(17));
  const tooLong = file("long", TOKEN.repeat(100));
  const short = file("short", TOKEN.slice(0, 8));
  const usages: [what: string, args: string[], code: number][] = [
    ["too many tokens", ["--token-file", tooMany], 1],
    ["a token that is too long", ["--token-file", tooLong], 1],
    ["a switch that there is not", [`--token=${TOKEN}`], 2],
    ["a switch that there is not, and a value", ["--token", TOKEN], 2],
  ];
  for (const program of ["server", "client"] as Program[]) {
    for (const [what, args, code] of usages) {
      const exit = await start(t, program, args).exited;
      assert.equal(exit.code, code, exit.stderr);
      assertExitSilent(`${program}: ${what}`, exit);
    }
  }
  const warned = await startServer(t, ["--token-file", short]);
  await warned.logged(says(/below 16 bytes/));
  const { stdout, stderr } = await warned.stop();
  assert.ok(!`${stdout}${stderr}`.includes(TOKEN.slice(0, 8)), stderr);
});
