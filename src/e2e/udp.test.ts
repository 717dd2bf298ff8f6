// Both programs over UDP, through proxies that lose, double, reorder and come from elsewhere.

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { existsSync } from "node:fs";
import { describe, test, type TestContext } from "node:test";
import type { KeySummary, RunSummary } from "../metrics/summary.ts";
import { DatagramKind, PLAIN_HEADER_BYTES } from "../relay/datagram.ts";
import { readOrigin, readSequence } from "../relay/data-frame.ts";
import { FrameType } from "../relay/frame.ts";
import {
  DENO,
  documentOf,
  isConnected,
  type RunningServer,
  start,
  startClient,
  startServer,
} from "./processes.ts";
import { createUdpProxy, type Passage, type UdpProxy, type UdpProxyOptions } from "./udp-proxy.ts";

const UDP = ["--transport", "udp"];

async function startUdpProxy(
  t: TestContext,
  server: RunningServer,
  ways: Omit<UdpProxyOptions, "target">,
): Promise<UdpProxy> {
  const proxy = await createUdpProxy({ target: { host: "127.0.0.1", port: server.port }, ...ways });
  t.after(proxy.close);
  return proxy;
}

interface Message {
  origin: number;
  sequence: number;
  isLost: boolean;
}

/** The messages among what a proxy passed on or lost, in that order. */
function messagesOf(passages: readonly Passage[]): Message[] {
  return passages.flatMap(({ bytes, forwardedUs }) => {
    const isData = bytes[0] === DatagramKind.plain &&
      bytes[PLAIN_HEADER_BYTES + 4] === FrameType.data;
    if (!isData) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return [{
      origin: readOrigin(view, PLAIN_HEADER_BYTES),
      sequence: readSequence(view, PLAIN_HEADER_BYTES),
      isLost: forwardedUs === undefined,
    }];
  });
}

/** What a receiver of these messages must count. */
function count(messages: readonly Message[]) {
  const seen = new Set<number>();
  let [highest, duplicates, reordered] = [0, 0, 0];
  for (const { sequence, isLost } of messages) {
    if (isLost) continue;
    if (seen.has(sequence)) duplicates++;
    else if (sequence < highest) reordered++;
    seen.add(sequence);
    highest = Math.max(highest, sequence);
  }
  return { received: seen.size, duplicates, reordered };
}

function keyOf({ keys }: RunSummary, key: string): KeySummary {
  const found = keys.find((each) => each.key === key);
  assert.ok(found, `${key}: ${keys.map((each) => each.key)}`);
  return found;
}

describe("over UDP", () => {
  test("what the way loses, doubles and reorders is told as it was, up and down apart", async (t) => {
    const server = await startServer(t, UDP);
    const faults = { delayUs: 8_000, jitterUs: 4_000, loss: 0.02, duplication: 0.01 };
    const proxy = await startUdpProxy(t, server, { up: faults, down: faults });
    const other = await startClient(t, server.port, [...UDP, "-n", "other", "--interval", "1h"]);
    const client = start(t, "client", [
      ...["-s", `127.0.0.1:${proxy.port}`, ...UDP, "--echo", "--json"],
      ...["--interval", "2ms", "--count", "1500", "--warmup", "0"],
    ]);
    const document = documentOf(await client.exited);
    await other.stop();
    await server.stop();

    const up = messagesOf(proxy.passages.up);
    const down = messagesOf(proxy.passages.down);
    const atRelay = count(up);
    const atClient = count(down);
    assert.equal(document.sent, 1500);
    assert.ok(atRelay.received < 1500 && atClient.received < atRelay.received);
    const echo = keyOf(document, "client::~::server<~>server::~::client");
    assert.deepEqual(
      {
        count: echo.count,
        up: echo.up,
        down: echo.down,
        duplicates: echo.duplicates,
        reordered: echo.reordered,
      },
      {
        count: atClient.received,
        up: 1500 - atRelay.received,
        down: atRelay.received - atClient.received,
        duplicates: atClient.duplicates,
        reordered: atClient.reordered,
      },
    );
    assert.ok(atClient.duplicates > 0 && atClient.reordered > 0);
    assert.equal(document.routes![0]!.unconfirmed, 0);
    assert.equal(document.routes![0]!.reconnects, 0);
  });

  test("clients of TCP and of UDP see one another, and a large message arrives", async (t) => {
    const server = await startServer(t, ["--transport", "tcp,udp"]);
    await server.logged(({ transport, port }) => transport === "udp" && port === server.port);
    const flags = ["--interval", "2ms", "--warmup", "0", "--json", "--size", "16,30000"];
    const tcp = await startClient(t, server.port, [...flags, "-n", "tcp"]);
    const udp = start(t, "client", [
      ...[...flags, "-n", "udp", ...UDP, "--count", "200", "-s", `127.0.0.1:${server.port}`],
    ]);
    const here = documentOf(await udp.exited);
    const there = documentOf(await tcp.stop());
    const outward = keyOf(there, "udp::~::server<~>server::~::tcp");
    assert.deepEqual([outward.count, outward.lost], [200, 0]);
    const inward = keyOf(here, "tcp::~::server<~>server::~::udp");
    assert.ok(inward.count > 50, `${inward.count}`);
    assert.equal(inward.lost, 0);
    assert.match(udp.log().map(({ message }) => message).join(), /--size 30000: .* in fragments/);
  });

  test("a session whose address changes goes on, and loses only what was under way", async (t) => {
    const server = await startServer(t, UDP);
    const way = { delayUs: 10_000 };
    const proxy = await startUdpProxy(t, server, { up: way, down: way });
    const client = start(t, "client", [
      ...["-s", `127.0.0.1:${proxy.port}`, ...UDP, "--echo", "--json"],
      ...["--interval", "5ms", "--count", "400", "--warmup", "0"],
    ]);
    await proxy.until(() => messagesOf(proxy.passages.down).length > 100);
    await proxy.rebind();
    const document = documentOf(await client.exited);
    assert.equal(document.routes![0]!.reconnects, 0);
    const echo = keyOf(document, "client::~::server<~>server::~::client");
    assert.equal(echo.count + echo.lost, 400);
    // 10 ms each way and the answer to the challenge: a message about every 5 ms, and slow turns.
    assert.ok(echo.lost > 0 && echo.lost < 40, `${echo.lost} lost`);
    await server.logged(({ message }) => message === "a client's address changed");
  });

  test("of several flows the one on a bad way is shown", async (t) => {
    const server = await startServer(t, UDP);
    const way = { delayUs: 5_000 };
    const worse = { client: 1, delayUs: 60_000 };
    const proxy = await startUdpProxy(t, server, { up: way, down: way, worse });
    const client = start(t, "client", [
      ...["-s", `127.0.0.1:${proxy.port}`, ...UDP, "--echo", "--json", "--flows", "3"],
      ...["--interval", "10ms", "--count", "60"],
    ]);
    const [route] = documentOf(await client.exited).routes!;
    assert.deepEqual(route!.flows!.map(({ flow, sent }) => [flow, sent]), [[0, 70], [1, 70], [
      2,
      70,
    ]]);
    const bad = route!.flows!.filter(({ round_trip_ms }) => round_trip_ms!.min > 130);
    assert.equal(bad.length, 1);
    assert.equal(route!.flow_spread!.slowest, bad[0]!.flow);
    assert.equal(route!.flow_spread!.by, "round_trip_ms");
    assert.ok(route!.flow_spread!.ms > 80, `${route!.flow_spread!.ms} ms`);
  });

  test("forged datagrams neither get into a session nor end it", async (t) => {
    const server = await startServer(t, [...UDP, "--json"]);
    const client = await startClient(t, server.port, [
      ...[...UDP, "--echo", "--json", "--interval", "2ms", "--count", "500", "--warmup", "0"],
    ]);
    const socket = dgram.createSocket("udp4");
    t.after(() => socket.close());
    const kinds = Object.values(DatagramKind);
    for (let i = 0; i < 2000; i++) {
      const bytes = new Uint8Array(12 + i % 200).fill(i);
      bytes[0] = kinds[i % kinds.length]!;
      await new Promise((sent) => socket.send(bytes, server.port, "127.0.0.1", sent));
    }
    const document = documentOf(await client.exited);
    const echo = keyOf(document, "client::~::server<~>server::~::client");
    assert.deepEqual([echo.count, echo.lost, document.routes![0]!.reconnects], [500, 0, 0]);
    const { udp, received } = documentOf(await server.stop());
    assert.equal(received, 500);
    assert.ok(udp!.strange! > 0, "they reached the server");
  });

  test("a client notices that its server has gone, and finds the next one", async (t) => {
    const server = await startServer(t, UDP);
    const client = await startClient(t, server.port, [...UDP, "--interval", "10ms"]);
    server.signal("SIGKILL");
    await server.exited;
    const lost = await client.logged(({ message }) => message.startsWith("connection lost"));
    assert.match(lost.message, /nothing listens there/);
    const seen = client.log().length;
    await startServer(t, [...UDP, "--port", String(server.port)]);
    await client.logged(isConnected, seen);
    await client.stop();
  });

  test("a server that was started anew tells the clients of the one before", async (t) => {
    const server = await startServer(t, UDP);
    const proxy = await startUdpProxy(t, server, { up: { delayUs: 0 }, down: { delayUs: 0 } });
    const client = await startClient(t, proxy.port, [...UDP, "--interval", "10ms", "--json"]);
    server.signal("SIGKILL");
    await server.exited;
    await startServer(t, [...UDP, "--port", String(server.port)]);
    await client.logged(({ message }) => message.includes("does not know this session"));
    await client.logged(isConnected, 2);
    await client.stop();
  });

  test("the server's health is asked for over UDP where that is all it takes", async (t) => {
    const server = await startServer(t, UDP);
    const at = ["--host", "127.0.0.1", "--port", String(server.port), "--health"];
    assert.equal((await start(t, "server", [...at, ...UDP]).exited).code, 0);
    assert.equal((await start(t, "server", at).exited).code, 1);
    await server.stop();
    assert.equal((await start(t, "server", [...at, ...UDP]).exited).code, 1);
  });

  for (const [serverHost, clientHost] of [["::", "127.0.0.1"], ["::", "[::1]"], ["::1", "[::1]"]]) {
    test(`a server on ${serverHost} is reached at ${clientHost}`, async (t) => {
      const server = await startServer(t, [...UDP, "--host", serverHost!, "--port", "0"]);
      const client = start(t, "client", [
        ...["-s", `${clientHost}:${server.port}`, ...UDP, "--echo", "--json"],
        ...["--interval", "1ms", "--count", "20"],
      ]);
      const document = documentOf(await client.exited);
      assert.equal(keyOf(document, "client::~::server").count, 20);
    });
  }

  for (const runtimes of [["deno", "node"], ["node", "deno"], ["deno", "deno"]] as const) {
    test(`a server on ${runtimes[0]} and a client on ${runtimes[1]} measure`, {
      skip: existsSync(DENO) ? false : "deno is not installed",
    }, async (t) => {
      const server = await startServer(t, UDP, { runtime: runtimes[0] });
      const client = start(t, "client", [
        ...["-s", `127.0.0.1:${server.port}`, ...UDP, "--echo", "--json"],
        ...["--interval", "2ms", "--count", "100"],
      ], { runtime: runtimes[1] });
      const echo = keyOf(
        documentOf(await client.exited),
        "client::~::server<~>server::~::client",
      );
      assert.deepEqual([echo.count, echo.lost], [100, 0]);
      assert.equal((await server.stop()).code, 0);
    });
  }
});
