import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { createRelay, type Relay } from "../relay/relay.ts";
import { listenTcp } from "../transport/tcp.ts";
import { askHealth, hostsToAsk } from "./health.ts";

const nowUs = () => performance.now() * 1000;
const failed = (error: Error): void => assert.fail(error);

function createTestRelay(told: string[]): Relay {
  return createRelay({
    name: "frankfurt",
    processId: new Uint8Array(16).fill(7),
    maxClients: 1,
    maxBacklogBytes: 1 << 20,
    filter: "",
    clockMode: "auto",
    hostClock: () => ({ boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 }),
    nowUs,
    randomBytes: (count) => new Uint8Array(count).fill(3),
    wake: () => {},
    observer: {
      joined: () => told.push("joined"),
      left: () => told.push("left"),
      refused: () => told.push("refused"),
      stranger: (_, fault) => told.push(`stranger: ${fault}`),
      messages: () => told.push("messages"),
      relayed: () => told.push("relayed"),
      dropped: () => told.push("dropped"),
      clock: () => {},
    },
  });
}

/** A server that does `answer` with each connection, and its port. */
async function listen(answer: (socket: net.Socket) => void) {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    at: { host: "127.0.0.1", port, family: 4, transport: "tcp", tls: false } as const,
    close: () => server.close(),
  };
}

test("where no address is given, those of this machine are asked, without resolving a name", () => {
  const any = { host: undefined, ipv4: false, ipv6: false };
  assert.deepEqual(hostsToAsk(any), ["127.0.0.1", "::1"]);
  assert.deepEqual(hostsToAsk({ ...any, ipv4: true }), ["127.0.0.1"]);
  assert.deepEqual(hostsToAsk({ ...any, ipv6: true }), ["::1"]);
  assert.deepEqual(hostsToAsk({ ...any, host: "10.0.0.1" }), ["10.0.0.1"]);
});

test("a server that serves tells its name, and never counts who asks as a client", async () => {
  const told: string[] = [];
  const relay = createTestRelay(told);
  const listener = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, relay.accept, failed);
  const at = {
    host: "127.0.0.1",
    port: listener.address.port,
    family: 4,
    transport: "tcp",
    tls: false,
  } as const;
  // More than the one client that it would take.
  assert.equal(await askHealth(at), "frankfurt");
  assert.equal(await askHealth(at), "frankfurt");
  assert.deepEqual(told, []);
  assert.equal(relay.sessions.size, 0);
  listener.close();
});

test("where nothing listens the system's reason is told", async () => {
  const { at, close } = await listen(() => {});
  close();
  await assert.rejects(askHealth(at), { code: "ECONNREFUSED" });
});

test("something else that answers is no server", async () => {
  const { at, close } = await listen((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await assert.rejects(askHealth(at), /frame of \d+ bytes/);
  close();
});

test("a server that closes the connection does not serve", async () => {
  const { at, close } = await listen((socket) => socket.once("data", () => socket.end()));
  await assert.rejects(askHealth(at), { message: "it closed the connection" });
  close();
});

test("a server that shuts down says bye instead of a welcome: it does not serve", async () => {
  const relay = createTestRelay([]);
  relay.shutdown();
  const listener = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, relay.accept, failed);
  const at = {
    host: "127.0.0.1",
    port: listener.address.port,
    family: 4,
    transport: "tcp",
    tls: false,
  } as const;
  await assert.rejects(askHealth(at), { message: "no welcome" });
  listener.close();
});

test("a server that takes the connection and stays silent is not waited for", async () => {
  let socketOfServer: net.Socket | undefined;
  const { at, close } = await listen((socket) => socketOfServer = socket);
  // The patience for the welcome is over as soon as it begins; that for connecting is real.
  const { setTimeout } = globalThis;
  let isSecond = false;
  globalThis.setTimeout = ((call: () => void, ms: number) => {
    const afterMs = ms === 3000 && isSecond ? 0 : ms;
    isSecond ||= ms === 3000;
    return setTimeout(call, afterMs);
  }) as typeof setTimeout;
  try {
    await assert.rejects(askHealth(at), { message: "no welcome within 3 s" });
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  socketOfServer?.destroy();
  close();
});
