import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  documentOf,
  type LogLine,
  type Running,
  type Runtime,
  start,
  startClient,
  startServer,
} from "./processes.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url));
const shown = (name: string): string[] => [
  ...["--tls-cert", fixture(name)],
  ...["--tls-key", fixture(`${name}-key`)],
];
const trusting = (name = "test-ca"): string[] => ["--tls", "--tls-ca", fixture(name)];

const says = (what: RegExp) => ({ message }: LogLine): boolean => what.test(message);

/** A client that is not to get in: why it says so. */
async function turnedAway(running: Running): Promise<string> {
  const { message } = await running.logged(says(/^no connection/));
  return message;
}

const options = (runtime: Runtime) => ({ runtime }) as const;

for (
  const [server, client] of [["node", "node"], ["deno", "node"], ["node", "deno"]] as const
) {
  test(`messages travel over TLS from ${client} to a server on ${server}, in both directions`, async (t) => {
    const serving = await startServer(t, shown("test-server"), options(server));
    const args = [...trusting(), "--rate", "50", "--count", "20", "--echo", "--json"];
    const running = await startClient(t, serving.port, args, options(client));
    const { received, keys } = documentOf(await running.exited);
    assert.equal(received, 20);
    assert.ok(keys.every(({ lost }) => lost === 0));
    const { code } = await serving.stop();
    assert.equal(code, 0);
  });
}

/** Who meets whom, what the client says, and what the server says. */
const misfits: [what: string, server: string[], client: string[], says: RegExp, told: RegExp][] = [
  [
    "an authority that the client does not trust",
    shown("test-server"),
    trusting("test-other-ca"),
    /authority that is not trusted/,
    /no TLS session|left without a hello/,
  ],
  [
    "a certificate that has expired",
    shown("test-server-expired"),
    trusting(),
    /has expired/,
    /no TLS session|left without a hello/,
  ],
  [
    "a certificate for another name",
    shown("test-server-elsewhere"),
    trusting(),
    /for another name \(--tls-server-name\)/,
    /no TLS session|left without a hello/,
  ],
  [
    "no certificate where one is required",
    [...shown("test-server"), "--tls-ca", fixture("test-ca")],
    trusting(),
    /a client certificate is required/,
    /a client certificate is required/,
  ],
  [
    "a client certificate of an authority that the server does not trust",
    [...shown("test-server"), "--tls-ca", fixture("test-ca")],
    [...trusting(), ...shown("test-client-of-others")],
    /the client's certificate is not accepted/,
    /the client's certificate is not accepted/,
  ],
  [
    "a client without TLS at a server that requires it",
    shown("test-server"),
    [],
    /over TLS alone \(--tls\)/,
    /does not speak TLS, which this server requires/,
  ],
  [
    "a client of TLS at a server without",
    [],
    trusting(),
    /does not speak TLS/,
    /does not speak TLS/,
  ],
];

for (const [what, server, client, says, told] of misfits) {
  test(`${what}: both sides say so, and the server goes on`, async (t) => {
    const serving = await startServer(t, ["-v", ...server], options("node"));
    const to = ["-s", `127.0.0.1:${serving.port}`];
    const running = start(t, "client", [...to, ...client], options("node"));
    assert.match(await turnedAway(running), says);
    await serving.logged(({ message }) => told.test(message));
    const { code } = await serving.stop();
    assert.equal(code, 0);
  });
}

test("a client with a certificate of the server's authority is let in", async (t) => {
  const args = [...shown("test-server"), "--tls-ca", fixture("test-ca")];
  const { port } = await startServer(t, args, options("node"));
  await startClient(t, port, [...trusting(), ...shown("test-client")], options("node"));
});

test("a certificate for another name is taken where the client was told of that name", async (t) => {
  const { port } = await startServer(t, shown("test-server-elsewhere"), options("node"));
  const args = [...trusting(), "--tls-server-name", "elsewhere.example"];
  await startClient(t, port, args, options("node"));
});

test("the server's own health check passes over TLS, client certificates required or not", async (t) => {
  for (const more of [[], ["--tls-ca", fixture("test-ca")]]) {
    const args = [...shown("test-server"), ...more];
    const { port } = await startServer(t, args, options("node"));
    const at = ["--host", "127.0.0.1", "--port", String(port)];
    const asking = start(t, "server", ["--health", ...at, ...args], options("node"));
    const { code, stderr } = await asking.exited;
    assert.equal(code, 0, stderr);
  }
});

test("certificates are replaced without a client noticing; what is broken is not taken", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  copyFileSync(fixture("test-server-elsewhere"), cert);
  copyFileSync(fixture("test-server-elsewhere-key"), key);
  const serving = await startServer(t, ["--tls-cert", cert, "--tls-key", key], options("node"));
  const old = await startClient(
    t,
    serving.port,
    [...trusting(), "--tls-server-name", "elsewhere.example", "--rate", "50", "--json"],
    options("node"),
  );

  writeFileSync(cert, "rubbish");
  const { message } = await serving.logged(says(/not taken/));
  assert.match(message, /holds no certificate in PEM/);

  copyFileSync(fixture("test-server-renewed"), cert);
  copyFileSync(fixture("test-server-renewed-key"), key);
  await serving.logged(says(/new certificates are in use/));
  await startClient(t, serving.port, trusting(), options("node"));

  const { routes, keys } = documentOf(await old.stop());
  assert.equal(routes![0]!.reconnects, 0);
  assert.ok(keys.every(({ lost }) => lost === 0));
});

test("a key that is not the certificate's ends the server before it listens", async (t) => {
  for (const runtime of ["node", "deno"] as const) {
    const files = ["--tls-cert", fixture("test-server"), "--tls-key", fixture("test-client-key")];
    const { code, stderr } = await start(t, "server", files, options(runtime)).exited;
    assert.equal(code, 1);
    assert.match(stderr, /does not belong to the certificate/);
  }
});
