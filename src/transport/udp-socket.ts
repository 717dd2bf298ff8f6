/** A UDP socket, its buffers, and what it and the kernel lost. */
import dgram from "node:dgram";
import { readFileSync } from "node:fs";
import net from "node:net";
import type { Endpoint } from "../relay/datagram.ts";
import type { Address } from "./tcp.ts";

/** What is asked of the kernel, each way: 20 ms at 1 Gbit/s, in datagrams of 512 bytes. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** Sends under way from which on the queue's size is looked at. */
const MANY_SENDS = 256;
const MAX_QUEUE_BYTES = 8 * 1024 * 1024;

/** What a UDP socket could not do, since it was opened. */
export interface UdpLosses {
  /** Datagrams that the system refused to send, or that found its queue full. */
  sendFailures: number;
  /** Datagrams that the kernel had no room for; undefined where it does not tell. */
  kernelDrops: number | undefined;
}

/** Of two sockets together. */
export function addLosses(a: UdpLosses, b: UdpLosses): UdpLosses {
  return {
    sendFailures: a.sendFailures + b.sendFailures,
    kernelDrops: a.kernelDrops === undefined ? b.kernelDrops : a.kernelDrops + (b.kernelDrops ?? 0),
  };
}

export interface UdpSocket {
  readonly address: Address;
  /** Sends one datagram; `to` counts only where the socket is not connected. */
  send(slices: readonly Uint8Array[], to: Endpoint): void;
  /** The kernel's buffers, where they are smaller than what was asked for. */
  readonly smallBuffers: { receive: number; send: number; wanted: number } | undefined;
  losses(): UdpLosses;
  close(): void;
}

export interface UdpSocketOptions {
  family: 4 | 6;
  /** IPv6 alone, not IPv4 as well. */
  ipv6Only: boolean;
  /** Local address; undefined: any. */
  host: string | undefined;
  /** Local port; 0: any. */
  port: number;
  /** Where to connect: then only datagrams from there come in. */
  connect?: Address;
  received: (datagram: Uint8Array, from: Endpoint) => void;
  /** An error of a socket that is open: of sending, or told by the network. */
  failed: (error: Error) => void;
}

/** Addresses are numbers already: no thread and no turn of the event loop is to be spent on them. */
function lookup(
  address: string,
  family: number,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, family);
}

/** Rejects with the system's error. */
export async function openUdpSocket(options: UdpSocketOptions): Promise<UdpSocket> {
  const { connect } = options;
  const socket = dgram.createSocket({
    type: options.family === 4 ? "udp4" : "udp6",
    ipv6Only: options.ipv6Only,
    lookup: lookup as unknown as NonNullable<dgram.SocketOptions["lookup"]>,
  });
  let sendFailures = 0;
  let underWay = 0;
  let isOpen = true;
  let lastDrops: number | undefined;

  const sent = (error: Error | null): void => {
    underWay--;
    if (error === null || error === undefined) return;
    sendFailures++;
    if (isOpen) options.failed(error);
  };

  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    const done = (): void => {
      socket.off("error", reject);
      resolve();
    };
    const { host, port } = options;
    socket.bind({ port, ...(host !== undefined && { address: host }) }, () => {
      if (connect === undefined) done();
      else socket.connect(connect.port, connect.host, done);
    });
  }).catch((error: Error) => {
    socket.close();
    throw error;
  });
  socket.on("error", (error) => {
    if (isOpen) options.failed(error);
  });
  socket.on("message", options.received);
  const { address, port } = socket.address();
  const smallBuffers = sizeBuffers(socket);
  const count = createDropCounter(port);

  return {
    address: { host: address, port },
    smallBuffers,
    send(slices, to) {
      if (!isOpen) return;
      if (underWay > MANY_SENDS && socket.getSendQueueSize() > MAX_QUEUE_BYTES) {
        sendFailures++;
        return;
      }
      underWay++;
      if (connect === undefined) socket.send(slices, to.port, to.address, sent);
      else socket.send(slices, sent);
    },
    losses: () => ({ sendFailures, kernelDrops: isOpen ? count() : lastDrops }),
    close() {
      if (!isOpen) return;
      // The kernel forgets it with the socket.
      lastDrops = count();
      isOpen = false;
      socket.close();
    },
  };
}

/** Asks for large buffers; what the kernel gives, where that is less. */
function sizeBuffers(socket: dgram.Socket): UdpSocket["smallBuffers"] {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // What there is, is told below.
  }
  const receive = socket.getRecvBufferSize();
  const send = socket.getSendBufferSize();
  const wanted = BUFFER_BYTES;
  return receive < wanted || send < wanted ? { receive, send, wanted } : undefined;
}

/**
 * Counts what the kernel dropped at the socket of a local port, by the last column of Linux's
 * tables.
 */
function createDropCounter(port: number): () => number | undefined {
  return () => {
    const counts = ["/proc/net/udp", "/proc/net/udp6"].map((path) => {
      try {
        return kernelDrops(readFileSync(path, "latin1"), port);
      } catch {
        return undefined;
      }
    }).filter((count) => count !== undefined);
    return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
  };
}

/** The drops of sockets with this local port in a table as Linux writes it; undefined: none has. */
export function kernelDrops(table: string, port: number): number | undefined {
  let drops: number | undefined;
  for (const line of table.split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    const [, local = ""] = columns;
    if (Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16) !== port) continue;
    drops = (drops ?? 0) + Number(columns.at(-1));
  }
  return drops;
}

/** 4 or 6. */
export function familyOfAddress(host: string): 4 | 6 {
  return net.isIP(host) === 4 ? 4 : 6;
}
