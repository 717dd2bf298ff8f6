import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { documentOf, type LogLine, start, startClient, startServer } from "./processes.ts";

const how = { runtime: "node" } as const;
const says = (what: RegExp) => ({ message }: LogLine): boolean => what.test(message);

test("each kind of refusal is told to who is refused, and counted by its reason", async (t) => {
  const args = ["--json", "--max-clients", "2", "--max-per-address", "2", "--max-rate", "20"];
  const server = await startServer(t, args, how);
  const { port } = server;

  const fast = await startClient(t, port, ["--rate", "400", "--json"], how);
  const lost = await fast.logged(says(/^connection lost/));
  assert.match(lost.message, /more than this server takes of a client \(--max-rate/);
  await fast.stop();

  const sockets = await Promise.all(["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01"].map(async (text) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.end(text));
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "close");
    return socket;
  }));
  assert.equal(sockets.length, 2);

  await startClient(t, port, [], how);
  await startClient(t, port, [], how);
  const third = start(t, "client", ["-s", `127.0.0.1:${port}`], how);
  const { message } = await third.logged(says(/^no connection/));
  assert.match(message, /too many connections from this address/);
  await third.stop();

  const { refusals } = documentOf(await server.stop());
  assert.ok(refusals!["rate"]! >= 1);
  assert.equal(refusals!["stranger"], 1);
  assert.equal(refusals!["tls"], 1);
  assert.ok(refusals!["per-address"]! >= 1);
});

test("a flood keeps to its rate, and loses nothing", async (t) => {
  const server = await startServer(t, ["--json", "--max-rate", "500"], how);
  const flood = await startClient(t, server.port, [
    ...["--mode", "flood", "--echo", "--warmup", "0", "--size", "64"],
    ...["--count", "8000", "--json"],
  ], how);
  const { sent, received, seconds, keys } = documentOf(await flood.exited);
  assert.equal(received, 8000);
  assert.ok(keys.every((key) => key.lost === 0));
  // What a network may have held back for 10 s comes at once; the rest at the rate, but for what
  // one chunk has beyond it: 5.1 s at least, whatever the machine.
  assert.ok(seconds >= 3, `${sent} in ${seconds} s`);
  const { refusals } = documentOf(await server.stop());
  assert.equal(refusals!["rate"], undefined);
});
