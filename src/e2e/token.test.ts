import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  documentOf,
  type LogLine,
  type Running,
  type Runtime,
  start,
  startClient,
  startServer,
} from "./processes.ts";

const TOKEN = "correct-horse-battery-staple";
const OTHER = "another-secret-that-nobody-knows";

const server = (token?: string, runtime: Runtime = "node") => ({
  runtime,
  env: token === undefined ? {} : { SERVER_TOKEN: token },
});
const client = (token?: string, runtime: Runtime = "node") => ({
  runtime,
  env: token === undefined ? {} : { CLIENT_TOKEN: token },
});

const says = (what: RegExp) => ({ message }: LogLine): boolean => what.test(message);

/** Nothing that a process printed has a token in it. */
function assertSilent(...runnings: Running[]): void {
  for (const running of runnings) {
    const text = JSON.stringify(running.log());
    for (const token of [TOKEN, OTHER]) assert.ok(!text.includes(token), `${token} in ${text}`);
  }
}

for (const transport of ["tcp", "udp"] as const) {
  const over = ["--transport", transport];

  for (
    const [on, from] of [["node", "node"], ["deno", "node"], ["node", "deno"]] as const
  ) {
    test(`over ${transport} both ends prove the token, and messages pass (${from} to ${on})`, async (t) => {
      const serving = await startServer(t, [...over, "-v", "--json"], server(TOKEN, on));
      const args = [...over, "--rate", "100", "--count", "30", "--echo", "--json", "-v"];
      const running = await startClient(t, serving.port, args, client(TOKEN, from));
      const exit = await running.exited;
      const { received, keys } = documentOf(exit);
      assert.equal(received, 30);
      assert.ok(keys.every(({ lost }) => lost === 0));
      const { stdout } = await serving.stop();
      assertSilent(serving, running);
      assert.ok(!`${stdout}${exit.stdout}`.includes(TOKEN));
    });
  }

  /** What the server has, what the client has, and what each of them says. */
  const misfits: [what: string, string | undefined, string | undefined, RegExp][] = [
    [
      "a client without a token is told that one is required",
      TOKEN,
      undefined,
      /token is required/,
    ],
    ["a client with a wrong token is told so", TOKEN, OTHER, /wrong token/],
    ["a client with a token takes no server that has none", undefined, TOKEN, /has no token/],
  ];
  for (const [what, has, brings, reason] of misfits) {
    test(`over ${transport} ${what}, and nothing else`, async (t) => {
      const serving = await startServer(t, [...over, "-n", "secret-name"], server(has));
      const to = ["-s", `127.0.0.1:${serving.port}`, ...over];
      const running = start(t, "client", to, client(brings));
      const { message } = await running.logged(says(/^no connection/));
      assert.match(message, reason);
      await serving.logged(says(reason));
      await serving.stop();
      await running.stop();
      assert.ok(!JSON.stringify(running.log()).includes("secret-name"));
      assertSilent(serving, running);
    });
  }

  test(`over ${transport} a server with a token tells whether it serves, and not who it is`, async (t) => {
    const args = [...over, "--host", "127.0.0.1", "-n", "secret-name"];
    const { port } = await startServer(t, args, server(TOKEN));
    const asking = start(t, "server", ["--health", ...args, "-p", String(port)], server());
    const { code, stderr } = await asking.exited;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(
      stderr.split("\n").filter((line) => line.includes("serves")).join(),
      /secret-name/,
    );
  });
}

test("several tokens are taken while one is replaced by another, and sessions go on", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tokens-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tokens");
  writeFileSync(file, `${TOKEN}\n${OTHER}\n`);
  const serving = await startServer(t, ["--token-file", file], server());
  const old = await startClient(t, serving.port, ["--json"], client(TOKEN));
  await startClient(t, serving.port, [], client(OTHER));

  writeFileSync(file, "\n");
  await serving.logged(says(/the new tokens are not taken, the old ones stay/));
  writeFileSync(file, OTHER);
  await serving.logged(says(/tokens have been read again/));
  await startClient(t, serving.port, [], client(OTHER));
  const late = start(t, "client", ["-s", `127.0.0.1:${serving.port}`], client(TOKEN));
  await late.logged(says(/wrong token/));
  assert.equal(documentOf(await old.stop()).routes![0]!.reconnects, 0);
  assertSilent(serving, old, late);
});

test("a token file that is not there, or empty, ends a program with a clear line", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tokens-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const empty = join(folder, "empty");
  writeFileSync(empty, "\n\n");
  for (
    const [file, says] of [[empty, /holds no token/], [
      join(folder, "none"),
      /no such file/,
    ]] as const
  ) {
    for (const program of ["server", "client"] as const) {
      const { code, stderr } = await start(t, program, ["--token-file", file], server()).exited;
      assert.equal(code, 1);
      assert.match(stderr, says);
    }
  }
});

test("a session over UDP outlives neither its server nor its token: the client comes back", async (t) => {
  const over = ["--transport", "udp"];
  const first = await startServer(t, over, server(TOKEN));
  const running = await startClient(t, first.port, [...over, "--rate", "20"], client(TOKEN));
  first.signal("SIGKILL");
  await first.exited;
  await startServer(t, [...over, "--port", String(first.port)], server(TOKEN));
  await running.logged(says(/^connected to/), running.log().length);
});
