// The server asks another of itself whether it serves, as containers do.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { type LogLine, start, startClient, startServer } from "./processes.ts";

const joined = ({ message }: LogLine) => message.endsWith(" joined");

test("--health asks by a probe that is no client", async (t) => {
  const server = await startServer(t, ["--max-clients", "1", "--json"]);
  const client = await startClient(t, server.port);
  const ask = () => start(t, "server", ["--health", "--port", String(server.port)]);
  assert.equal((await ask().exited).code, 0, "though no further client would be taken");
  assert.equal(server.log().filter(joined).length, 1);
  await client.stop();
  await server.stop();
  const gone = await ask().exited;
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /no server on 127\.0\.0\.1:/);
});

const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
const hasIpv6 = addresses.some(({ address }) => address === "::1");
test("--health finds a server that listens on IPv6 alone", {
  skip: !hasIpv6 && "this machine has no IPv6",
}, async (t) => {
  const server = start(t, "server", ["--host", "::1", "--port", "0"]);
  const { port } = await server.logged(({ message }) => message.includes("is listening on"));
  const { code, stderr } = await start(t, "server", ["--health", "--port", String(port)]).exited;
  assert.equal(code, 0, stderr);
});

const hideNames = 'mount --bind /dev/null /etc/hosts && exec "$@"';
const nameless = ["--mount", "sh", "-c", hideNames, "sh"];
const canHide = spawnSync("unshare", [...nameless, "true"]).status === 0;
test("--health needs no names of hosts", {
  skip: !canHide && "/etc/hosts can be hidden by root alone",
}, async (t) => {
  const server = await startServer(t);
  const args = ["--health", "--port", String(server.port)];
  const through = ["unshare", ...nameless];
  const { code, stderr } = await start(t, "server", args, { through }).exited;
  assert.equal(code, 0, stderr);
});
