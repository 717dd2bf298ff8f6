/**
 * Ways of datagrams in a simulated world: between one server's door and clients that have an
 * address each, which may change. For tests.
 */
import { createHmac } from "node:crypto";
import type { Endpoint } from "../relay/datagram.ts";
import { createDatagramClient } from "../relay/datagram-client.ts";
import { createDatagramDoor, type DatagramDoor } from "../relay/datagram-door.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import type { Random } from "../relay/simulation/random.ts";
import type { SimClock } from "../relay/simulation/sim-clock.ts";
import { createSimLink, type LinkOptions } from "../relay/simulation/sim-link.ts";
import type { World } from "../relay/simulation/world.ts";

/** A datagram as the server got or sent it. */
export interface Seen {
  readonly bytes: Uint8Array;
  readonly endpoint: Endpoint;
}

export interface DatagramWay {
  /** From now on it comes from another port: nothing reaches it at the old one. */
  rebind(): void;
  readonly endpoint: Endpoint;
}

export interface DatagramNetwork {
  readonly door: DatagramDoor;
  /** All that reached the server over ways, and all that it sent. */
  readonly seen: { received: Seen[]; sent: Seen[] };
  /** Sessions that have proven to be elsewhere. */
  readonly moves: [from: number, to: number][];
  /** Something that claims to be from `from` reaches the server. */
  receive(bytes: Uint8Array, from: Endpoint): void;
  /** A client starts; `open` has its link once the server has answered. */
  connect(
    clock: SimClock,
    way: { up: LinkOptions; down: LinkOptions },
    open: (link: Link) => LinkEvents,
  ): DatagramWay;
}

/** Calls `tick` when it is due by a simulated clock; what is returned asks for it sooner. */
export type CreateTicker = (clock: SimClock, tick: () => number) => (atUs: number) => void;

export function createDatagramNetwork(options: {
  world: World;
  random: Random;
  serverClock: SimClock;
  randomBytes: (count: number) => Uint8Array;
  createTicker: CreateTicker;
  accept: (link: Link) => LinkEvents;
}): DatagramNetwork {
  const { world, random, serverClock, randomBytes, createTicker } = options;
  const format = ({ address, port }: Endpoint): string => `${address}:${port}`;
  const seen: DatagramNetwork["seen"] = { received: [], sent: [] };
  const moves: [number, number][] = [];
  /** What reaches whom, by endpoint. */
  const down = new Map<string, (bytes: Uint8Array) => void>();
  let lastPort = 50_000;

  const join = (slices: readonly Uint8Array[]): Uint8Array =>
    Uint8Array.from(slices.flatMap((slice) => [...slice]));

  const door = createDatagramDoor({
    send(slices, to) {
      const bytes = join(slices);
      seen.sent.push({ bytes, endpoint: { address: to.address, port: to.port } });
      down.get(format(to))?.(bytes);
    },
    accept: options.accept,
    mac: (key, data) => createHmac("sha256", key).update(data).digest(),
    randomBytes,
    nowUs: serverClock.nowUs,
    wake: createTicker(serverClock, () => door.tick()),
    format,
    moved: (peer, from) => moves.push([from.port, peer.endpoint.port]),
  });

  return {
    door,
    seen,
    moves,
    receive: door.take,
    connect(clock, way, open) {
      let endpoint: Endpoint = { address: "192.0.2.1", port: ++lastPort };
      const toClient = createSimLink<Uint8Array>(world, random, way.down, (bytes) => {
        client.take(bytes);
      });
      const toServer = createSimLink<Seen>(world, random, way.up, (each) => {
        seen.received.push({ ...each, bytes: each.bytes.slice() });
        door.take(each.bytes.slice(), each.endpoint);
      });
      const wake = createTicker(clock, () => client.tick());
      const client = createDatagramClient({
        server: { address: "192.0.2.99", port: 8080 },
        send: (slices) => toServer.send({ bytes: join(slices), endpoint }),
        randomBytes,
        nowUs: clock.nowUs,
        wake,
        format,
        reached: () => client.adopt(open),
        gone() {},
      });
      down.set(format(endpoint), toClient.send);
      wake(clock.nowUs());
      return {
        get endpoint() {
          return endpoint;
        },
        rebind() {
          down.delete(format(endpoint));
          endpoint = { ...endpoint, port: ++lastPort };
          down.set(format(endpoint), toClient.send);
        },
      };
    },
  };
}
