/**
 * A UDP proxy that delays, loses, doubles and reorders what it passes on, and tells what it did to
 * each datagram: tests compare the programs' figures against that.
 */
import dgram from "node:dgram";
import { createPreciseTimer } from "../platform/precise-timer.ts";
import { createRandom, type Random } from "../relay/simulation/random.ts";
import type { Direction } from "./proxy.ts";

export interface UdpWayOptions {
  delayUs: number;
  /** Uniformly random addition, from 0 to this: datagrams overtake one another. */
  jitterUs?: number;
  /** Share of datagrams that are lost. */
  loss?: number;
  /** Share of datagrams that are passed on twice, each copy with a delay of its own. */
  duplication?: number;
}

export interface UdpProxyOptions {
  target: { host: string; port: number };
  up: UdpWayOptions;
  down: UdpWayOptions;
  /** One of several ways is worse: that of the client that came so many before (0: the first). */
  worse?: { client: number; delayUs: number };
  /** Determines delays, losses and doubles. */
  seed?: number;
}

/** What became of a datagram. Times are µs of this process's monotonic clock. */
export interface Passage {
  readonly bytes: Buffer;
  readonly arrivedUs: number;
  /** Undefined where it was lost. */
  readonly forwardedUs: number | undefined;
}

export interface UdpProxy {
  readonly port: number;
  /** Each datagram, and each copy, in the order of passing on; lost ones in their place. */
  readonly passages: Readonly<Record<Direction, readonly Passage[]>>;
  /** From now on clients come from other ports: what is under way to the old ones is lost. */
  rebind(): Promise<void>;
  /** Resolves once `isTrue`, looked at after each datagram. */
  until(isTrue: () => boolean): Promise<void>;
  close(): void;
}

const nowUs = (): number => performance.now() * 1000;

interface Waiting {
  bytes: Buffer;
  arrivedUs: number;
  dueUs: number;
  send: (bytes: Buffer) => void;
}

/** Passes datagrams of one direction on when their time has come. */
function createWay(
  { delayUs, jitterUs = 0, loss = 0, duplication = 0 }: UdpWayOptions,
  random: Random,
  passages: Passage[],
  look: () => void,
) {
  const waiting: Waiting[] = [];

  const passOn = (): void => {
    while (waiting.length > 0 && waiting[0]!.dueUs <= nowUs()) {
      const { bytes, arrivedUs, send } = waiting.shift()!;
      send(bytes);
      passages.push({ bytes, arrivedUs, forwardedUs: nowUs() });
    }
    if (waiting.length > 0) timer.at(waiting[0]!.dueUs);
    look();
  };
  const timer = createPreciseTimer(nowUs, passOn);

  const hold = (
    bytes: Buffer,
    arrivedUs: number,
    moreUs: number,
    send: (bytes: Buffer) => void,
  ): void => {
    const dueUs = arrivedUs + delayUs + moreUs + jitterUs * random.next();
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.dueUs > dueUs) at--;
    waiting.splice(at, 0, { bytes, arrivedUs, dueUs, send });
    if (at === 0) timer.at(dueUs);
  };

  return {
    take(bytes: Buffer, moreUs: number, send: (bytes: Buffer) => void): void {
      const arrivedUs = nowUs();
      if (random.chance(loss)) {
        passages.push({ bytes, arrivedUs, forwardedUs: undefined });
        look();
        return;
      }
      hold(bytes, arrivedUs, moreUs, send);
      if (random.chance(duplication)) hold(bytes, arrivedUs, moreUs, send);
    },
    stop: timer.cancel,
  };
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function createUdpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const random = createRandom(options.seed ?? 1);
  const passages: Record<Direction, Passage[]> = { up: [], down: [] };
  /** Of each client, by its port, the socket that faces the server. */
  const outer = new Map<number, dgram.Socket>();
  let lookers: (() => void)[] = [];
  const look = (): void => {
    for (const looker of lookers) looker();
  };
  const up = createWay(options.up, random, passages.up, look);
  const down = createWay(options.down, random, passages.down, look);
  const inner = dgram.createSocket("udp4");

  const moreUs = (clientPort: number): number => {
    const { worse } = options;
    return worse && [...outer.keys()].indexOf(clientPort) === worse.client ? worse.delayUs : 0;
  };

  const openOuter = (clientPort: number): dgram.Socket => {
    const socket = dgram.createSocket("udp4");
    socket.on("message", (bytes) => {
      // What reaches a port that is no longer in use is lost.
      if (outer.get(clientPort) !== socket) return;
      down.take(bytes, moreUs(clientPort), (each) => inner.send(each, clientPort, "127.0.0.1"));
    });
    socket.on("error", () => {});
    outer.set(clientPort, socket);
    return socket;
  };

  inner.on("message", (bytes, { port }) => {
    if (!outer.has(port)) openOuter(port);
    up.take(bytes, moreUs(port), (each) => {
      outer.get(port)?.send(each, options.target.port, options.target.host);
    });
  });
  await new Promise<void>((resolve) => inner.bind(0, "127.0.0.1", resolve));

  return {
    port: inner.address().port,
    passages,
    async rebind() {
      const closed = [...outer].map(([port, socket]) => {
        openOuter(port);
        return new Promise<void>((resolve) => socket.close(() => resolve()));
      });
      await Promise.all(closed);
    },
    until(isTrue) {
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
    close() {
      up.stop();
      down.stop();
      inner.close();
      for (const socket of outer.values()) socket.close();
      outer.clear();
    },
  };
}
