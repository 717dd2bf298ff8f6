import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import type { Link, LinkEvents } from "../relay/link.ts";
import { connectTcp, formatAddress, type Listener, listenTcp } from "./tcp.ts";

/** One end of a connection, and what its link told. */
interface End {
  link: Link;
  received: Uint8Array[];
  receivedBytes: number;
  writtenCalls: number;
  closedCalls: (Error | undefined)[];
}

/** Both ends of connections over one listener on this machine. */
interface Pair {
  client: End;
  server: End;
  /** Resolves once `isTrue`, looked at after each event of either end. */
  until(isTrue: () => boolean): Promise<void>;
}

const never = new AbortController().signal;
const mib = 1024 * 1024;

function createEnds() {
  const ends: End[] = [];
  let lookers: (() => void)[] = [];
  const look = (): void => {
    for (const looker of lookers) looker();
  };
  return {
    ends,
    adopt(link: Link): LinkEvents {
      const end: End = {
        link,
        received: [],
        receivedBytes: 0,
        writtenCalls: 0,
        closedCalls: [],
      };
      ends.push(end);
      // What was awaited may be the end itself, which exists only once this has returned.
      queueMicrotask(look);
      return {
        data(chunk) {
          end.received.push(chunk);
          end.receivedBytes += chunk.byteLength;
          look();
        },
        written() {
          end.writtenCalls++;
          look();
        },
        closed(error) {
          end.closedCalls.push(error);
          look();
        },
      };
    },
    until(isTrue: () => boolean): Promise<void> {
      return new Promise((resolve) => {
        const looker = (): void => {
          if (!isTrue()) return;
          lookers = lookers.filter((other) => other !== looker);
          resolve();
        };
        lookers.push(looker);
        looker();
      });
    },
  };
}

const unexpected = (): never => assert.fail("a connection that nobody wanted");
const failed = (error: Error): void => assert.fail(error);

function connectTo(listener: Listener, opened: (link: Link) => LinkEvents): Promise<void> {
  const { port } = listener.address;
  const to = { host: "127.0.0.1", port, family: 4, bind: undefined, timeoutMs: 60_000 } as const;
  return connectTcp(to, never, opened);
}

async function withPair(body: (pair: Pair) => Promise<void>): Promise<void> {
  const clients = createEnds();
  const servers = createEnds();
  const listener = await listenTcp(
    { host: "127.0.0.1", port: 0, family: 0 },
    servers.adopt,
    failed,
  );
  await connectTo(listener, clients.adopt);
  await servers.until(() => servers.ends.length === 1);
  const [client, server] = [clients.ends[0]!, servers.ends[0]!];
  try {
    await body({
      client,
      server,
      async until(isTrue) {
        await Promise.race([clients.until(isTrue), servers.until(isTrue)]);
      },
    });
  } finally {
    client.link.destroy();
    server.link.destroy();
    listener.close();
    await clients.until(() => client.closedCalls.length > 0);
    await servers.until(() => server.closedCalls.length > 0);
  }
}

function textOf(end: End): string {
  return new TextDecoder().decode(Buffer.concat(end.received));
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** More than the system's buffers hold. */
const hugeBytes = 64 * mib;

test("slices of a piece arrive in their order, both ways", () =>
  withPair(async ({ client, server, until }) => {
    client.link.write([bytesOf("one "), bytesOf("two "), bytesOf("three")]);
    server.link.write([bytesOf("four")]);
    await until(() => server.receivedBytes === 13 && client.receivedBytes === 4);
    assert.equal(textOf(server), "one two three");
    assert.equal(textOf(client), "four");
  }));

test("each end knows where the other is", () =>
  withPair(async ({ client, server }) => {
    assert.match(client.link.peer, /^127\.0\.0\.1:\d+$/);
    assert.match(server.link.peer, /^127\.0\.0\.1:\d+$/);
    assert.notEqual(client.link.peer, server.link.peer);
    await Promise.resolve();
  }));

test("each piece that was not taken at once is told as written, and no other", () =>
  withPair(async ({ client, server, until }) => {
    let toldLater = 0;
    for (let i = 0; i < 200; i++) {
      const sizes = [1, 700, 64 * 1024, 300 * 1024];
      const slices = i % 3 === 0 ? [1, 2, 3] : [1];
      const piece = slices.map(() => new Uint8Array(sizes[i % sizes.length]!));
      if (client.link.write(piece)) continue;
      assert.equal(client.writtenCalls, toldLater, "told before write returned");
      toldLater++;
      await until(() => client.writtenCalls === toldLater);
    }
    client.link.end();
    await until(() => server.closedCalls.length > 0);
    assert.equal(client.writtenCalls, toldLater);
  }));

test("a receiver that pauses gets nothing, holds its sender up, and then gets all", () =>
  withPair(async ({ client, server, until }) => {
    server.link.pause();
    assert.equal(client.link.write([new Uint8Array(hugeBytes), bytesOf("end")]), false);
    // The other way is open: what comes back proves that time has passed.
    server.link.write([bytesOf("?")]);
    await until(() => client.receivedBytes === 1);
    assert.equal(client.writtenCalls, 0);
    assert.equal(server.receivedBytes, 0);
    server.link.resume();
    await until(() => server.receivedBytes === hugeBytes + 3);
    await until(() => client.writtenCalls > 0);
    assert.ok(textOf(server).endsWith("end"));
    assert.equal(client.writtenCalls, 1);
  }));

test("what was handed over before the end arrives, and both ends close once, without an error", () =>
  withPair(async ({ client, server, until }) => {
    client.link.write([new Uint8Array(4 * mib)]);
    client.link.end();
    await until(() => client.closedCalls.length > 0 && server.closedCalls.length > 0);
    assert.equal(server.receivedBytes, 4 * mib);
    assert.deepEqual(client.closedCalls, [undefined]);
    assert.deepEqual(server.closedCalls, [undefined]);
  }));

test("destroying ends at once: what waits is lost, and nothing is told as written", () =>
  withPair(async ({ client, server, until }) => {
    server.link.pause();
    assert.equal(client.link.write([new Uint8Array(hugeBytes)]), false);
    client.link.destroy();
    await until(() => client.closedCalls.length > 0);
    server.link.resume();
    await until(() => server.closedCalls.length > 0);
    assert.equal(client.writtenCalls, 0);
    assert.ok(server.receivedBytes < hugeBytes);
    assert.equal(client.closedCalls.length, 1);
    assert.equal(server.closedCalls.length, 1);
  }));

test("a connection that the other end resets closes with the reason in words", async () => {
  const ends = createEnds();
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const to = { host: "127.0.0.1", port, family: 4, bind: undefined, timeoutMs: 60_000 } as const;
  await connectTcp(to, never, ends.adopt);
  const client = ends.ends[0]!;
  client.link.write([bytesOf("x")]);
  await ends.until(() => client.closedCalls.length > 0);
  server.close();
  assert.deepEqual(client.closedCalls.map((error) => error?.message), ["connection reset"]);
});

test("connecting to where nothing listens rejects with the system's reason", async () => {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, unexpected, failed);
  listener.close();
  await assert.rejects(connectTo(listener, unexpected), { code: "ECONNREFUSED" });
});

test("a signal gives a connection up, before it is begun and while it is under way", async () => {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, () => {
    return { data() {}, written() {}, closed() {} };
  }, failed);
  const { port } = listener.address;
  const to = { host: "127.0.0.1", port, family: 4, bind: undefined, timeoutMs: 60_000 } as const;
  const early = connectTcp(to, AbortSignal.abort(), unexpected);
  await assert.rejects(early, { message: "given up" });
  const controller = new AbortController();
  const late = connectTcp(to, controller.signal, unexpected);
  controller.abort();
  await assert.rejects(late, { message: "given up" });
  listener.close();
});

test("a server that does not answer in time is given up", async () => {
  const ends = createEnds();
  const listener = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, ends.adopt, failed);
  const { port } = listener.address;
  const to = { host: "127.0.0.1", port, family: 4, bind: undefined, timeoutMs: 10_000 } as const;
  // The time is over before the event loop can look at any socket.
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((call: () => void) => {
    queueMicrotask(call);
    return setTimeout(() => {}, 0);
  }) as unknown as typeof setTimeout;
  const connecting = connectTcp(to, never, unexpected);
  globalThis.setTimeout = setTimeout;
  await assert.rejects(connecting, { message: "no answer within 10 s" });
  listener.close();
});

test("of a port that is taken the listener tells so", async () => {
  const first = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, unexpected, failed);
  const { port } = first.address;
  const second = listenTcp({ host: "127.0.0.1", port, family: 0 }, unexpected, failed);
  await assert.rejects(second, { code: "EADDRINUSE" });
  first.close();
});

test("a closed listener takes no more, those that it took go on", () =>
  withPair(async ({ client, server, until }) => {
    const ends = createEnds();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0, family: 0 }, ends.adopt, failed);
    listener.close();
    await assert.rejects(connectTo(listener, unexpected));
    client.link.write([bytesOf("on")]);
    await until(() => server.receivedBytes === 2);
  }));

async function hasIpv6(): Promise<boolean> {
  const where = { host: "::1", port: 0, family: 6 } as const;
  try {
    (await listenTcp(where, unexpected, failed)).close();
    return true;
  } catch {
    return false;
  }
}

test("a connection over IPv6 shows its peer in brackets", async (t) => {
  if (!await hasIpv6()) return t.skip("this machine has no IPv6");
  const ends = createEnds();
  const listener = await listenTcp({ host: undefined, port: 0, family: 6 }, ends.adopt, failed);
  const { port } = listener.address;
  const to = { host: "::1", port, family: 6, bind: undefined, timeoutMs: 60_000 } as const;
  await connectTcp(to, never, ends.adopt);
  await ends.until(() => ends.ends.length === 2);
  for (const { link } of ends.ends) assert.match(link.peer, /^\[::1\]:\d+$/);
  for (const { link } of ends.ends) link.destroy();
  listener.close();
  await ends.until(() => ends.ends.every(({ closedCalls }) => closedCalls.length === 1));
});

test("addresses are shown as people write them", () => {
  assert.equal(formatAddress("192.0.2.1", 80), "192.0.2.1:80");
  assert.equal(formatAddress("::ffff:192.0.2.1", 80), "192.0.2.1:80");
  assert.equal(formatAddress("2001:db8::1", 80), "[2001:db8::1]:80");
  assert.equal(formatAddress("example.com", 80), "example.com:80");
});
