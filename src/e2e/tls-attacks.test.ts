// TLS under attack: what costs the server a handshake, or half of one, costs its clients nothing.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { type FaultMesh, finishWhole, says, startFaultMesh } from "./fault-mesh.ts";
import { isConnected, start } from "./processes.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url));
const CLIENT_ARGS = ["--tls", "--tls-ca", fixture("test-ca")];
const CA = readFileSync(fixture("test-ca"));

function startTlsMesh(t: TestContext, ...serverArgs: string[]): Promise<FaultMesh> {
  return startFaultMesh(t, {
    serverArgs: [
      ...["--tls-cert", fixture("test-server"), "--tls-key", fixture("test-server-key")],
      ...["-v", ...serverArgs],
    ],
    clientArgs: CLIENT_ARGS,
  });
}

/** A connection that says this, and stays as long as it is let. */
async function say(t: TestContext, port: number, bytes: Uint8Array): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

const closed = (socket: net.Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : once(socket, "close");

/** The first bytes of a client of TLS. */
async function clientHello(): Promise<Uint8Array> {
  const server = net.createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = tls.connect({ ...server.address() as net.AddressInfo, host: "127.0.0.1" });
  client.on("error", () => {});
  const [socket] = await once(server, "connection") as [net.Socket];
  const [bytes] = await once(socket, "data") as [Buffer];
  socket.destroy();
  server.close();
  return new Uint8Array(bytes);
}

/** How many connections the server has turned away so far, by reason. */
async function countTurnedAway(httpPort: unknown): Promise<(reason: string) => number> {
  const metrics = await (await fetch(`http://127.0.0.1:${String(httpPort)}/metrics`)).text();
  return (reason) => {
    const row = new RegExp(`turned_away_connections_total\\{.*"${reason}".*\\} (\\d+)`);
    return Number(row.exec(metrics)?.[1] ?? 0);
  };
}

/** Shakes hands, and says something over it. */
async function shake(port: number, bytes?: Uint8Array): Promise<tls.TLSSocket> {
  const socket = tls.connect({ host: "127.0.0.1", port, ca: CA });
  socket.on("error", () => {});
  socket.resume();
  await Promise.race([once(socket, "secureConnect"), closed(socket)]);
  if (bytes) socket.write(bytes);
  return socket;
}

test("garbage where TLS begins, in its midst, and within it is closed, each under its reason", async (t) => {
  const mesh = await startTlsMesh(t, "--http", "0");
  const { port } = mesh.server;
  const { port: httpPort } = await mesh.server.logged(says(/^serving http/));
  const hello = await clientHello();
  const spoiled = hello.map((byte, at) => at > 5 && at % 7 === 0 ? byte ^ 0x55 : byte);
  const second = Uint8Array.of(...hello, ...randomBytes(500));
  const tookMs = await mesh.survives(async () => {
    const text = new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n");
    const handshake = Uint8Array.of(0x16, 3, 1, 1, 0, ...randomBytes(256));
    for (const bytes of [new Uint8Array(randomBytes(2000)).fill(0, 0, 1), text, handshake]) {
      await closed(await say(t, port, bytes));
    }
    for (const bytes of [spoiled, second]) await closed(await say(t, port, bytes));
    // A record within a session that is no frame of ours, nor the beginning of one.
    await closed(await shake(port, new Uint8Array(3000).fill(0x77)));
    await closed(await shake(port, new Uint8Array(3000).fill(0xff)));
  }, { reconnects: false });
  const turnedAway = await countTurnedAway(httpPort);
  assert.equal(turnedAway("tls"), 3);
  assert.equal(turnedAway("stranger"), 4);
  await finishWhole(mesh, tookMs);
});

test("handshakes that are begun and never end keep nobody out, and are closed in time", async (t) => {
  const mesh = await startTlsMesh(t, "--max-clients", "4");
  const { port } = mesh.server;
  const hello = await clientHello();
  const tookMs = await mesh.survives(async () => {
    const held: net.Socket[] = [];
    // More than may be without a session (8), and than may be at all (16): nothing, half a hello,
    // and a whole one whose answer is never answered.
    for (let turn = 0; turn < 30; turn++) {
      const bytes = hello.subarray(0, [0, hello.byteLength >> 1, hello.byteLength][turn % 3]);
      held.push(await say(t, port, bytes));
    }
    const late = start(t, "client", ["-s", `127.0.0.1:${port}`, "-n", "late", ...CLIENT_ARGS]);
    await late.logged(isConnected);
    await Promise.all(held.map(closed));
    assert.equal((await late.stop()).code, 0);
  }, { reconnects: false });
  await mesh.server.logged(({ reason }) => reason === "half-open");
  await mesh.server.logged(({ reason }) => reason === "slow");
  await finishWhole(mesh, tookMs);
});

test("handshakes by the hundred cost the clients that are there no message, and each is counted", {
  timeout: 240_000,
}, async (t) => {
  const mesh = await startTlsMesh(t, "--http", "0");
  const { port } = mesh.server;
  const { port: httpPort } = await mesh.server.logged(says(/^serving http/));
  const tookMs = await mesh.survives(async () => {
    const startMs = performance.now();
    for (let turn = 0; turn < 10; turn++) {
      const sockets = await Promise.all(Array.from({ length: 40 }, () => shake(port)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(sockets.map(closed));
    }
    const seconds = (performance.now() - startMs) / 1000;
    t.diagnostic(`${Math.round(400 / seconds)} handshakes a second`);
  }, { reconnects: false });
  // Whose leaving the server learns before it has read all of the handshake has had no session.
  for (let count = 0; count < 400; await delay(50)) {
    const turnedAway = await countTurnedAway(httpPort);
    count = turnedAway("left") + turnedAway("tls");
    assert.ok(count <= 400, `${count} of 400`);
  }
  await finishWhole(mesh, tookMs);
});
