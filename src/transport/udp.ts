/** UDP: one socket for all sessions of a server, one for each session of a client. */
import { createHmac, randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import net from "node:net";
import type { Endpoint } from "../relay/datagram.ts";
import { createDatagramClient, type DatagramClient } from "../relay/datagram-client.ts";
import { createDatagramDoor } from "../relay/datagram-door.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import type { NowUs } from "../relay/time.ts";
import { describeNetworkError } from "./network-error.ts";
import { type Address, type Family, formatAddress, type Listener } from "./tcp.ts";
import { familyOfAddress, openUdpSocket, type UdpSocket } from "./udp-socket.ts";

/** Of a server with several addresses, the next one is asked as well after so long. */
const NEXT_ADDRESS_MS = 250;

/** Calls `tick` at `atUs`, or sooner where it said so. */
export interface Ticker {
  wake(atUs: number): void;
  stop(): void;
}

/** Time, as sessions over UDP need it. */
export interface UdpTime {
  nowUs: NowUs;
  createTicker: (nowUs: NowUs, tick: () => number) => Ticker;
}

export interface UdpListener extends Listener {
  readonly socket: UdpSocket;
  /** Ends it: no session goes on. */
  destroy(): void;
  /** Datagrams that were none of a session's. */
  readonly strange: number;
}

const mac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(data).digest();

const format = ({ address, port }: Endpoint): string => formatAddress(address, port);

/** Listens for sessions, as `listenTcp` does; `close` lets those that exist go on. */
export async function listenUdp(
  where: { host: string | undefined; port: number; family: Family },
  accept: (link: Link) => LinkEvents,
  { nowUs, createTicker, moved }: UdpTime & {
    /** A session has proven to be elsewhere now: a translator of addresses chose anew. */
    moved: (from: string, to: string) => void;
  },
): Promise<UdpListener> {
  const ticker = createTicker(nowUs, () => door.tick());
  const door = createDatagramDoor({
    send: (slices, to) => socket.send(slices, to),
    accept,
    mac,
    randomBytes: (count) => randomBytes(count),
    nowUs,
    wake: ticker.wake,
    format,
    moved: (peer, from) => moved(format(from), format(peer.endpoint)),
  });
  const socket = await bindUdp(where, (datagram, from) => door.take(datagram, from));
  return {
    address: socket.address,
    socket,
    close: door.close,
    destroy() {
      ticker.stop();
      socket.close();
    },
    get strange() {
      return door.strange;
    },
  };
}

/** On all interfaces and both versions of IP, where nothing else was asked for. */
async function bindUdp(
  { host, port, family }: { host: string | undefined; port: number; family: Family },
  received: (datagram: Uint8Array, from: Endpoint) => void,
): Promise<UdpSocket> {
  // The errors of an unconnected socket are those of its sends, which are counted.
  const shared = { port, received, failed: () => {} };
  if (host !== undefined) {
    const { address } = net.isIP(host) ? { address: host } : await lookup(host, { family });
    return openUdpSocket({
      ...shared,
      host: address,
      family: familyOfAddress(address),
      ipv6Only: false,
    });
  }
  const any = { ...shared, host: undefined };
  if (family === 4) return openUdpSocket({ ...any, family: 4, ipv6Only: false });
  try {
    return await openUdpSocket({ ...any, family: 6, ipv6Only: family === 6 });
  } catch (error) {
    // A machine without IPv6.
    if (family === 6 || (error as NodeJS.ErrnoException).code !== "EAFNOSUPPORT") throw error;
    return openUdpSocket({ ...any, family: 4, ipv6Only: false });
  }
}

/** What a client's UDP socket needs beside an address. */
export interface UdpConnectOptions extends UdpTime {
  /** A session's socket. */
  socketOpened: (socket: UdpSocket) => void;
  /** It is about to be closed. */
  socketClosed: (socket: UdpSocket) => void;
}

/**
 * Reaches a server, as `connectTcp` does: resolves once it has answered and `opened` has a link to
 * it. Of several addresses the first one to answer is taken.
 */
export async function connectUdp(
  to: Address & { family: Family; bind: string | undefined; timeoutMs: number },
  signal: AbortSignal,
  opened: (link: Link) => LinkEvents,
  options: UdpConnectOptions,
): Promise<void> {
  const startMs = performance.now();
  const family = to.bind === undefined ? to.family : net.isIP(to.bind);
  const hosts = net.isIP(to.host) !== 0
    ? [to.host]
    : (await lookup(to.host, { all: true, family })).map(({ address }) => address);
  const leftMs = Math.max(0, to.timeoutMs - (performance.now() - startMs));
  const winner = await new Promise<Attempt>((resolve, reject) => {
    const attempts: Attempt[] = [];
    const errors: Error[] = [];
    const timers: ReturnType<typeof setTimeout>[] = [];
    const settle = (winner?: Attempt): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      for (const attempt of attempts) if (attempt !== winner) attempt.giveUp();
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const abort = (): void => fail(new Error("given up"));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    const tryAt = (index: number): void => {
      const attempt = createAttempt({ host: hosts[index]!, port: to.port }, to.bind, {
        ...options,
        reached() {
          settle(attempt);
          resolve(attempt);
        },
        failed(error) {
          errors.push(error);
          if (errors.length < hosts.length) return;
          fail(errors.length === 1 ? error : new AggregateError(errors));
        },
      });
      attempts.push(attempt);
      if (index + 1 < hosts.length) timers.push(setTimeout(tryAt, NEXT_ADDRESS_MS, index + 1));
    };
    timers.push(setTimeout(() => {
      fail(new Error(`no answer within ${to.timeoutMs / 1000} s`));
    }, leftMs));
    tryAt(0);
  });
  winner.adopt(opened);
}

/** A socket that is connected to one address of a server, and what comes of it. */
interface Attempt {
  adopt(opened: (link: Link) => LinkEvents): void;
  giveUp(): void;
}

/** Asks whether the server is there: `reached` or, unless it is given up, `failed` tells. */
function createAttempt(
  server: Address,
  bind: string | undefined,
  { nowUs, createTicker, socketOpened, socketClosed, reached, failed }: UdpConnectOptions & {
    reached: () => void;
    failed: (error: Error) => void;
  },
): Attempt {
  let socket: UdpSocket | undefined;
  let client: DatagramClient | undefined;
  let isAdopted = false;
  let isGivenUp = false;
  const ticker = createTicker(nowUs, () => client?.tick() ?? Infinity);

  const close = (): void => {
    ticker.stop();
    socket?.close();
  };

  const begin = (opened: UdpSocket): void => {
    socket = opened;
    if (isGivenUp) return close();
    client = createDatagramClient({
      server: { address: server.host, port: server.port },
      send: opened.send,
      randomBytes: (count) => randomBytes(count),
      nowUs,
      wake: ticker.wake,
      format,
      reached,
      gone(reason) {
        if (isAdopted) socketClosed(opened);
        close();
        if (!isAdopted && !isGivenUp) failed(new Error(reason));
      },
    });
    ticker.wake(client.tick());
  };

  openUdpSocket({
    family: familyOfAddress(server.host),
    ipv6Only: false,
    host: bind,
    port: 0,
    connect: server,
    received: (datagram) => client?.take(datagram),
    failed(error) {
      const { code } = error as NodeJS.ErrnoException;
      // One datagram that does not leave says nothing of the server; it is counted.
      const isOfServer = code === "ECONNREFUSED" || (!isAdopted && code !== "ENOBUFS");
      if (isOfServer) client?.refused(describeNetworkError(error));
    },
  }).then(begin, (error: Error) => {
    if (!isGivenUp) failed(error);
  });

  return {
    adopt(opened) {
      isAdopted = true;
      socketOpened(socket!);
      client!.adopt(opened);
    },
    giveUp() {
      isGivenUp = true;
      close();
    },
  };
}
