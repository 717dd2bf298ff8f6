import assert from "node:assert/strict";
import dgram from "node:dgram";
import { test } from "node:test";
import { createTicker } from "../platform/ticker.ts";
import { writeBye } from "../relay/bye.ts";
import { dataFrameBytes, writeDataFrame } from "../relay/data-frame.ts";
import { writeHello } from "../relay/hello.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import { connectUdp, listenUdp, type UdpListener } from "./udp.ts";
import { addLosses, kernelDrops, type UdpSocket } from "./udp-socket.ts";

const nowUs = (): number => performance.now() * 1000;
const never = new AbortController().signal;
const hello = writeHello({
  probe: false,
  echo: false,
  processId: new Uint8Array(16),
  previousSession: new Uint8Array(8),
  maxPayloadBytes: 1000,
  flow: 0,
  mode: "paced",
  name: "A",
  route: "direct",
  prefix: "",
});

interface End {
  link: Link;
  received: Uint8Array[];
  closed: (Error | undefined)[];
}

function createEnds(first?: Uint8Array) {
  const ends: End[] = [];
  let looked = (): void => {};
  return {
    ends,
    adopt(link: Link): LinkEvents {
      const end: End = { link, received: [], closed: [] };
      ends.push(end);
      if (first !== undefined) link.write([first]);
      return {
        data(chunk) {
          end.received.push(chunk);
          looked();
        },
        written() {},
        closed(error) {
          end.closed.push(error);
          looked();
        },
      };
    },
    async until(isTrue: () => boolean): Promise<void> {
      while (!isTrue()) await new Promise<void>((resolve) => looked = resolve);
    },
  };
}

function listen(accept: (link: Link) => LinkEvents): Promise<UdpListener> {
  const where = { host: "127.0.0.1", port: 0, family: 0 } as const;
  return listenUdp(where, accept, { nowUs, createTicker, moved() {} });
}

function connect(
  to: { host: string; port: number },
  opened: (link: Link) => LinkEvents,
  { signal = never, timeoutMs = 60_000, sockets = [] as UdpSocket[] } = {},
): Promise<void> {
  return connectUdp({ ...to, family: 0, bind: undefined, timeoutMs }, signal, opened, {
    nowUs,
    createTicker,
    socketOpened: (socket) => sockets.push(socket),
    socketClosed() {},
  });
}

function message(payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(dataFrameBytes(2, payloadBytes));
  const frame = { flags: 0, hopSlots: 2, origin: 1, sequence: 1, intendedUs: 0, payloadBytes };
  writeDataFrame(new DataView(bytes.buffer), 0, frame);
  return bytes;
}

test("frames come out whole at the other end, several of one piece as a datagram each", async () => {
  const servers = createEnds();
  const clients = createEnds(hello);
  const listener = await listen(servers.adopt);
  await connect(listener.address, clients.adopt);
  await servers.until(() => servers.ends[0]?.received.length === 1);
  const [server, client] = [servers.ends[0]!, clients.ends[0]!];
  assert.deepEqual(new Uint8Array(server.received[0]!), hello);
  assert.match(server.link.peer, /^127\.0\.0\.1:\d+$/);
  assert.equal(client.link.peer, `127.0.0.1:${listener.address.port}`);
  const two = Uint8Array.of(...message(10), ...message(20));
  assert.equal(server.link.write([two, message(50_000)]), true);
  await clients.until(() => client.received.length === 3);
  const sizes = client.received.map(({ byteLength }) => byteLength).sort((a, b) => a - b);
  assert.deepEqual(sizes, [10, 20, 50_000].map((size) => dataFrameBytes(2, size)));

  const bye = writeBye({ reason: "done", counts: { sent: 1, origins: [] }, text: "" });
  server.link.write([bye]);
  server.link.end();
  await servers.until(() => server.closed.length > 0);
  assert.deepEqual([server.closed, client.received.length], [[undefined], 4]);
  client.link.end();
  await clients.until(() => client.closed.length > 0);
  assert.deepEqual(client.closed, [undefined]);
  listener.destroy();
});

test("an end that is destroyed tells the other one", async () => {
  const servers = createEnds();
  const clients = createEnds(hello);
  const listener = await listen(servers.adopt);
  await connect(listener.address, clients.adopt);
  await servers.until(() => servers.ends[0]?.received.length === 1);
  clients.ends[0]!.link.destroy();
  await servers.until(() => servers.ends[0]!.closed.length > 0);
  assert.match(servers.ends[0]!.closed[0]!.message, /does not know this session/);
  listener.destroy();
});

test("a datagram that is too large for the network is counted as not sent", async () => {
  const servers = createEnds();
  const clients = createEnds(hello);
  const sockets: UdpSocket[] = [];
  const listener = await listen(servers.adopt);
  await connect(listener.address, clients.adopt, { sockets });
  await servers.until(() => servers.ends[0]?.received.length === 1);
  clients.ends[0]!.link.write([message(65_536)]);
  clients.ends[0]!.link.write([message(100)]);
  await servers.until(() => servers.ends[0]!.received.length === 2);
  assert.equal(servers.ends[0]!.received[1]!.byteLength, dataFrameBytes(2, 100));
  assert.equal(sockets[0]!.losses().sendFailures, 1);
  clients.ends[0]!.link.destroy();
  listener.destroy();
});

test("who does not answer is not waited for beyond the time-out, or beyond its being given up", async () => {
  const silent = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
  const to = { host: "127.0.0.1", port: silent.address().port };
  const unexpected = (): never => assert.fail("opened");
  await assert.rejects(connect(to, unexpected, { timeoutMs: 20 }), {
    message: "no answer within 0.02 s",
  });
  const giveUp = new AbortController();
  const connecting = connect(to, unexpected, { signal: giveUp.signal });
  giveUp.abort();
  await assert.rejects(connecting, { message: "given up" });
  silent.close();
});

test("a name that has no address is told as such", async () => {
  await assert.rejects(connect({ host: "host.invalid", port: 9 }, () => assert.fail("opened")));
});

test("where the port is taken the system's error tells", async () => {
  const taken = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => taken.bind(0, "127.0.0.1", resolve));
  const where = { host: "127.0.0.1", port: taken.address().port, family: 0 } as const;
  const time = { nowUs, createTicker, moved() {} };
  await assert.rejects(listenUdp(where, () => assert.fail("accepted"), time), {
    code: "EADDRINUSE",
  });
  taken.close();
});

test("the kernel's drops are those of the socket's port", () => {
  const table =
    `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  413: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 54321 2 0000000000000000 17
  500: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 54322 2 0000000000000000 4
`;
  assert.equal(kernelDrops(table, 8080), 17);
  assert.equal(kernelDrops(table, 53), 4);
  assert.equal(kernelDrops(table, 54), undefined);
});

test("what two sockets lost adds up, as far as it is known", () => {
  const one = { sendFailures: 1, kernelDrops: undefined };
  const two = { sendFailures: 2, kernelDrops: 3 };
  assert.deepEqual(addLosses(one, two), { sendFailures: 3, kernelDrops: 3 });
  assert.deepEqual(addLosses(two, one), { sendFailures: 3, kernelDrops: 3 });
  assert.deepEqual(addLosses(one, one), { sendFailures: 2, kernelDrops: undefined });
});
