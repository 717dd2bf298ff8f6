/**
 * A TCP proxy that delays each direction by a known time, and tells what delay it really gave:
 * tests compare the programs' figures against that. It also misbehaves on request.
 */
import net from "node:net";
import { createPreciseTimer } from "../platform/precise-timer.ts";
import { createRandom, type Random } from "../relay/simulation/random.ts";

/** up: from client to server. */
export type Direction = "up" | "down";
const DIRECTIONS: readonly Direction[] = ["up", "down"];

export interface DelayOptions {
  /** Delay of each chunk; its order is kept. */
  delayUs: number;
  /** Uniformly random addition, from 0 to this. */
  jitterUs?: number;
  /** Throughput, where it is limited: what waits for it is read no further. */
  bytesPerSecond?: number;
}

export interface ProxyOptions {
  /** Address to listen on; without it 127.0.0.1. */
  host?: string;
  target: { host: string; port: number };
  up: DelayOptions;
  down: DelayOptions;
  /** Determines the jitter. */
  seed?: number;
}

/** When a chunk arrived and when it was passed on, µs of this process's monotonic clock; its size. */
export type Given = readonly [arrivedUs: number, forwardedUs: number, bytes: number];

export interface DelayProxy {
  readonly port: number;
  /** What each chunk really got, in the order of passing on. */
  readonly given: Readonly<Record<Direction, readonly Given[]>>;
  /**
   * Resolves once so many bytes were passed on in a direction, over all connections; rejects after
   * a minute: what a lost connection swallowed never comes.
   */
  passed(direction: Direction, bytes: number): Promise<void>;
  /** Reads no more in these directions: whoever sends feels it by TCP's own flow control. */
  stall(...directions: Direction[]): void;
  /** Swallows all that comes, both ways, and keeps the connections: a way that lost its far end. */
  blackHole(): void;
  /** Ends stalls and black holes, of the connections that exist and of later ones. */
  resume(): void;
  /** Resets all connections; further ones are taken. */
  cut(): void;
  /**
   * Puts what `spoil` makes of it in the place of the next chunk in this direction, and resolves
   * with the chunk: where messages are far apart, it is one frame.
   */
  spoil(direction: Direction, spoil: (bytes: Buffer) => Buffer): Promise<Buffer>;
  /** Loses the clients and tells the target nothing: its ends of the connections stay open. */
  abandon(): void;
  close(): Promise<void>;
}

/** Beyond this a pipe reads no further; far more than any delay needs at the rates of our tests. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
const MAX_HELD_BYTES_THROTTLED = 64 * 1024;

/** What a test waits for comes within this time even on a slow machine, or never. */
const PATIENCE_MS = 60_000;

const nowUs = (): number => performance.now() * 1000;

/** What all pipes of one direction share. */
interface Way {
  readonly options: DelayOptions;
  readonly given: Given[];
  passedBytes: number;
  awaited: { bytes: number; resolve: () => void }[];
  isStalled: boolean;
  isSwallowing: boolean;
  /** What becomes of the next chunk. */
  spoil: ((bytes: Buffer) => Buffer) | undefined;
}

interface Pipe {
  readonly way: Way;
  /** Reads on, where nothing forbids it. */
  look(): void;
  stop(): void;
}

/** Starts a proxy on a free port. */
export async function createDelayProxy(options: ProxyOptions): Promise<DelayProxy> {
  const random = createRandom(options.seed ?? 1);
  const ways = { up: createWay(options.up), down: createWay(options.down) };
  const sockets = new Set<net.Socket>();
  const clients = new Set<net.Socket>();
  const pipes = new Set<Pipe>();

  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const target = net.connect({ ...options.target, noDelay: true, allowHalfOpen: true });
    const both = [
      createPipe(client, target, ways.up, random),
      createPipe(target, client, ways.down, random),
    ];
    for (const pipe of both) pipes.add(pipe);
    clients.add(client);
    client.on("close", () => clients.delete(client));
    for (const [socket, other] of [[client, target], [target, client]] as const) {
      sockets.add(socket);
      // A reset is passed on as such; the close follows.
      socket.on("error", () => other.resetAndDestroy());
      socket.on("close", () => {
        sockets.delete(socket);
        if (client.destroyed && target.destroyed) {
          for (const pipe of both) {
            pipe.stop();
            pipes.delete(pipe);
          }
        }
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, options.host ?? "127.0.0.1", resolve));

  const set = (direction: Direction, to: Partial<Pick<Way, "isStalled" | "isSwallowing">>) => {
    Object.assign(ways[direction], to);
    for (const pipe of pipes) if (pipe.way === ways[direction]) pipe.look();
  };

  return {
    port: (server.address() as net.AddressInfo).port,
    given: { up: ways.up.given, down: ways.down.given },
    passed(direction, bytes) {
      const way = ways[direction];
      if (way.passedBytes >= bytes) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error(`${way.passedBytes} bytes of ${bytes} were passed on`));
        }, PATIENCE_MS);
        way.awaited.push({
          bytes,
          resolve() {
            clearTimeout(late);
            resolve();
          },
        });
      });
    },
    stall(...directions) {
      for (const direction of directions) set(direction, { isStalled: true });
    },
    blackHole() {
      for (const direction of DIRECTIONS) set(direction, { isSwallowing: true });
    },
    resume() {
      for (const direction of DIRECTIONS) {
        set(direction, { isStalled: false, isSwallowing: false });
      }
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    spoil(direction, spoil) {
      return new Promise((resolve) => {
        ways[direction].spoil = (bytes) => {
          resolve(bytes);
          return spoil(bytes);
        };
      });
    },
    abandon() {
      for (const client of clients) client.resetAndDestroy();
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

function createWay(options: DelayOptions): Way {
  return {
    options,
    given: [],
    passedBytes: 0,
    awaited: [],
    isStalled: false,
    isSwallowing: false,
    spoil: undefined,
  };
}

/** One direction of one connection. */
function createPipe(from: net.Socket, to: net.Socket, way: Way, random: Random): Pipe {
  const { delayUs, jitterUs = 0, bytesPerSecond = Infinity } = way.options;
  const maxHeldBytes = bytesPerSecond < Infinity ? MAX_HELD_BYTES_THROTTLED : MAX_HELD_BYTES;
  /** A chunk without bytes is the end of the stream. */
  const queue: { bytes: Buffer | undefined; arrivedUs: number; dueUs: number }[] = [];
  let heldBytes = 0;
  let lastDueUs = 0;
  let isBlocked = false;

  const hold = (bytes: Buffer | undefined): void => {
    const arrivedUs = nowUs();
    const size = bytes?.byteLength ?? 0;
    const earliestUs = arrivedUs + delayUs + jitterUs * random.next();
    lastDueUs = Math.max(earliestUs, lastDueUs + (size / bytesPerSecond) * 1e6);
    queue.push({ bytes, arrivedUs, dueUs: lastDueUs });
    heldBytes += size;
    if (queue.length === 1 && !isBlocked) timer.at(lastDueUs);
    look();
  };

  const passOn = (): void => {
    while (queue.length > 0 && !isBlocked) {
      const { bytes, arrivedUs, dueUs } = queue[0]!;
      if (dueUs > nowUs()) break;
      queue.shift();
      if (bytes === undefined) {
        to.end();
        continue;
      }
      isBlocked = !to.write(bytes);
      way.given.push([arrivedUs, nowUs(), bytes.byteLength]);
      heldBytes -= bytes.byteLength;
      way.passedBytes += bytes.byteLength;
    }
    way.awaited = way.awaited.filter(({ bytes, resolve }) => {
      if (way.passedBytes < bytes) return true;
      resolve();
      return false;
    });
    if (queue.length > 0 && !isBlocked) timer.at(queue[0]!.dueUs);
    look();
  };
  const timer = createPreciseTimer(nowUs, passOn);

  const look = (): void => {
    if (way.isStalled || heldBytes > maxHeldBytes) from.pause();
    else if (from.isPaused()) from.resume();
  };

  from.on("data", (bytes: Buffer) => {
    if (way.isSwallowing) return;
    const { spoil } = way;
    way.spoil = undefined;
    hold(spoil ? spoil(bytes) : bytes);
  });
  from.on("end", () => {
    if (!way.isSwallowing) hold(undefined);
  });
  to.on("drain", () => {
    isBlocked = false;
    passOn();
  });
  look();
  return { way, look, stop: timer.cancel };
}
