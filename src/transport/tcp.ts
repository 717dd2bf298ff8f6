/** TCP: sockets as links. `TCP_NODELAY` always: a message that waits for others is not measured. */
import net from "node:net";
import type { Link, LinkEvents } from "../relay/link.ts";
import { adopt } from "./socket-link.ts";

export { formatAddress } from "./socket-link.ts";

/**
 * Of a name with several addresses each gets so long before the next is tried: the far side of the
 * earth answers within, a lost first packet included. The platform's own limit is shorter than
 * some round trips, and would pass over every address but the last.
 */
const ADDRESS_TIMEOUT_MS = 2_000;

/**
 * What one reading of a connected socket takes at most. They all read into the same bytes: a buffer
 * for each would have a flood's receiver collect garbage a third of its time.
 */
const READ_BYTES = 64 * 1024;

export interface Address {
  host: string;
  port: number;
}

/** 4 or 6 to keep to one version of IP, 0 for either. */
export type Family = 0 | 4 | 6;

/** What `-4` and `-6` ask for. */
export function familyOf({ ipv4, ipv6 }: { ipv4: boolean; ipv6: boolean }): Family {
  return ipv4 ? 4 : ipv6 ? 6 : 0;
}

export interface Listener {
  /** Where it listens: the port is the real one where 0 was asked for. */
  readonly address: Address;
  /** Takes no more connections. Those that exist go on. */
  close(): void;
}

/** Where to listen. */
export interface Where {
  host: string | undefined;
  port: number;
  family: Family;
}

/** A server to connect to, and from where. */
export type To = Address & { family: Family; bind: string | undefined; timeoutMs: number };

/**
 * Listens for connections; `accept` gets each as a link and returns who wants to hear of it.
 * Rejects with the system's error where it cannot listen.
 */
export function listenTcp(
  where: Where,
  accept: (link: Link) => LinkEvents,
  failed: (error: Error) => void,
): Promise<Listener> {
  return listenForSockets(where, (socket) => adopt(socket, accept), failed);
}

/** As `listenTcp`, for bare sockets. */
export function listenForSockets(
  where: Where,
  take: (socket: net.Socket) => void,
  failed: (error: Error) => void,
): Promise<Listener> {
  const server = net.createServer({ noDelay: true }, take);
  const host = where.host ?? (where.family === 4 ? "0.0.0.0" : undefined);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({
      port: where.port,
      ...(host !== undefined && { host }),
      ...(where.family === 6 && { host: host ?? "::", ipv6Only: true }),
    }, () => {
      server.off("error", reject);
      server.on("error", failed);
      const { address, port } = server.address() as net.AddressInfo;
      resolve({ address: { host: address, port }, close: () => server.close() });
    });
  });
}

/**
 * Connects, asking the resolver anew each time. Rejects with the system's error, with a plain one
 * after `timeoutMs`, or when `signal` says so. What arrives is lent: the next bytes overwrite it.
 */
export function connectTcp(
  to: To,
  signal: AbortSignal,
  opened: (link: Link) => LinkEvents,
): Promise<void> {
  let events: LinkEvents;
  const buffer = new Uint8Array(READ_BYTES);
  const callback = (bytes: number): boolean => {
    events.data(buffer.subarray(0, bytes));
    return true;
  };
  const connected = (socket: net.Socket): void => adopt(socket, (link) => events = opened(link));
  return connectSocket(to, signal, connected, { buffer, callback });
}

/**
 * As `connectTcp`; `connected` gets the bare socket, before anything of it can be missed.
 *
 * @param onread takes what arrives in place of the socket's `data` events
 */
export function connectSocket(
  to: To,
  signal: AbortSignal,
  connected: (socket: net.Socket) => void,
  onread?: net.OnReadOpts,
): Promise<void> {
  // From an address of one version only addresses of that version can be reached.
  const family = to.bind === undefined ? to.family : net.isIP(to.bind);
  return new Promise((resolve, reject) => {
    const socket = net.connect({
      host: to.host,
      port: to.port,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
      ...(family !== 0 && { family }),
      ...(to.bind !== undefined && { localAddress: to.bind }),
      ...(onread !== undefined && { onread }),
    });
    const timer = setTimeout(() => {
      fail(new Error(`no answer within ${to.timeoutMs / 1000} s`));
    }, to.timeoutMs);
    const fail = (error: Error): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(new Error("given up"));
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.off("error", fail);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      connected(socket);
      resolve();
    });
  });
}
