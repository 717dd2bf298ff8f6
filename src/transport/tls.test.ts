import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { createGate } from "../relay/gate.ts";
import type { Link } from "../relay/link.ts";
import { connectTls, listenTls } from "./tls.ts";

const pem = (name: string): string =>
  readFileSync(new URL(`../e2e/fixtures/${name}.pem`, import.meta.url), "utf8");
const credentials = { cert: pem("test-server"), key: pem("test-server-key") };
const trusting = { credentials: { ca: pem("test-ca") }, serverName: undefined };
const never = new AbortController().signal;

/** A listener that returns all that it is told, and who it told what. */
async function createTest(t: TestContext, halfOpen = 100, handshakeMs?: number) {
  const gate = createGate({ connections: 100, perSource: 100, halfOpen });
  const told: string[] = [];
  const links: Link[] = [];
  let present = 0;
  let lookers: (() => void)[] = [];
  const look = (): void => {
    for (const looker of lookers) looker();
  };
  const listener = await listenTls({ host: "127.0.0.1", port: 0, family: 4 }, {
    credentials,
    admit(peer, evict) {
      const admission = gate.enter(peer, evict);
      assert.ok(typeof admission !== "string");
      present++;
      return admission;
    },
    accept(link, admission) {
      gate.settled(admission);
      links.push(link);
      queueMicrotask(look);
      return {
        data: (chunk) => link.write([chunk]),
        written() {},
        closed() {
          gate.left(admission);
          present--;
          look();
        },
      };
    },
    left(admission) {
      gate.left(admission);
      present--;
      look();
    },
    refused(_, text, reason) {
      told.push(`${reason}: ${text}`);
      look();
    },
    failed: assert.fail,
    ...(handshakeMs !== undefined && { handshakeMs }),
  });
  t.after(listener.close);
  const { port } = listener.address;
  return {
    listener,
    told,
    links,
    get present() {
      return present;
    },
    to: { host: "127.0.0.1", port, family: 4, bind: undefined, timeoutMs: 10_000 } as const,
    until: (isTrue: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        const looker = (): void => {
          if (!isTrue()) return;
          lookers = lookers.filter((each) => each !== looker);
          resolve();
        };
        lookers.push(looker);
        looker();
      }),
    /** Connects, says these bytes, and tells what came back. */
    say: (bytes: Uint8Array) =>
      new Promise<Uint8Array>((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
        let all = new Uint8Array(0);
        socket.on("data", (chunk) => all = Uint8Array.of(...all, ...chunk));
        socket.on("error", () => {});
        socket.on("close", () => resolve(all));
      }),
  };
}

/** Where a client of TLS says its hello, and nobody answers. */
async function helloOf(t: TestContext): Promise<net.Socket> {
  const server = net.createServer();
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = tls.connect({ ...server.address() as net.AddressInfo, host: "127.0.0.1" });
  client.on("error", () => {});
  t.after(() => client.destroy());
  const [socket] = await once(server, "connection") as [net.Socket];
  t.after(() => socket.destroy());
  return socket;
}

test("bytes travel both ways over a link of TLS 1.3", async (t) => {
  const test = await createTest(t);
  const sent = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    connectTls(test.to, never, (link) => {
      assert.ok(!link.write([sent]));
      return {
        data(chunk) {
          for (const byte of chunk) assert.equal(byte, received++ % 251);
          if (received < sent.byteLength) return;
          link.end();
          resolve();
        },
        written() {},
        closed() {},
      };
    }, trusting).catch(reject);
  });
  await test.until(() => test.present === 0);
});

test("an older TLS is turned away and told", async (t) => {
  const test = await createTest(t);
  const { port, host } = test.to;
  await new Promise<void>((resolve) => {
    const socket = tls.connect({
      host,
      port,
      ca: pem("test-ca"),
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.2",
    });
    socket.on("error", () => resolve());
  });
  await test.until(() => test.told.length === 1);
  assert.match(test.told[0]!, /^tls: no TLS session/);
  assert.deepEqual(test.links, []);
  await test.until(() => test.present === 0);
});

test("strangers without TLS are closed without a word", async (t) => {
  const test = await createTest(t);
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "\0\0\0\0\0\0\0\0\0\0\0\0"]) {
    assert.equal((await test.say(new TextEncoder().encode(text))).byteLength, 0);
  }
  assert.deepEqual(test.told.map((text) => text.split(":")[0]), ["stranger", "stranger"]);
  await test.until(() => test.present === 0);
});

test("a handshake of rubbish is one refusal, and nothing is left of it", async (t) => {
  const test = await createTest(t);
  const rubbish = Uint8Array.of(0x16, 3, 1, 0, 200, ...new Uint8Array(200).fill(7));
  await test.say(rubbish);
  await test.until(() => test.present === 0 && test.told.length === 1);
  assert.match(test.told[0]!, /^tls: /);
});

test("who does not come to the end of a handshake makes room for others", async (t) => {
  const test = await createTest(t, 2);
  const { port, host } = test.to;
  const loiterers = [0, 1, 2].map((index) => {
    const socket = net.connect(port, host, () => {
      if (index > 0) socket.write(Uint8Array.of(0x16, 3, 1));
    });
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    return new Promise<void>((resolve) => socket.on("close", () => resolve()));
  });
  await Promise.race(loiterers);
  await test.until(() => test.told.length === 1);
  assert.match(test.told[0]!, /^half-open: /);
  await connectTls(test.to, never, (link) => {
    t.after(() => link.destroy());
    return { data() {}, written() {}, closed() {} };
  }, trusting);
  await test.until(() => test.links.length === 1);
});

test("whatever becomes of a connection that comes to no link, it counts once", async (t) => {
  const test = await createTest(t, 4, 300);
  const { port, host } = test.to;
  const [whole] = await once(await helloOf(t), "data") as [Uint8Array];
  const COUNT = 24;
  for (let index = 0; index < COUNT; index++) {
    const socket = net.connect(port, host);
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "connect");
    socket.write([new Uint8Array(0), whole.subarray(0, 40), whole][index % 3]!);
    // Some stay until they are thrown out, some leave, some break off.
    if (index % 4 === 1) socket.end();
    if (index % 4 === 2) setTimeout(() => socket.resetAndDestroy(), 10);
  }
  await test.until(() => test.present === 0 && test.told.length >= COUNT);
  assert.equal(test.told.length, COUNT, test.told.join("\n"));
});

test("those that were gone before they could be asked where they are do not count for ever", async (t) => {
  const test = await createTest(t);
  const { port, host } = test.to;
  const COUNT = 20;
  const closed = Array.from({ length: COUNT }, () =>
    new Promise<void>((resolve) => {
      const socket = net.connect(port, host, () => socket.resetAndDestroy());
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    }));
  await Promise.all(closed);
  // Who comes last has been taken last.
  await test.say(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await test.until(() => test.present === 0 && test.told.length > COUNT);
  assert.equal(test.told.length, COUNT + 1);
});

test("one of our clients that is told to use TLS, and stays, is closed all the same", async (t) => {
  const test = await createTest(t, 100, 100);
  const { port, host } = test.to;
  const socket = net.connect({ port, host, allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.resume();
  socket.write(Uint8Array.of(100));
  await test.until(() => test.told.length === 1);
  assert.match(test.told[0]!, /^tls: it does not speak TLS/);
  await test.until(() => test.present === 0);
  assert.equal(test.told.length, 1);
});

test("new certificates are shown to those that come then", async (t) => {
  const test = await createTest(t);
  const connect = (): Promise<void> =>
    connectTls(test.to, never, (link) => {
      t.after(() => link.destroy());
      return { data() {}, written() {}, closed() {} };
    }, trusting);
  await connect();
  test.listener.renew({ cert: pem("test-server-expired"), key: pem("test-server-expired-key") });
  await assert.rejects(connect());
  test.listener.renew(credentials);
  await connect();
});
