/**
 * A relay and the sessions of several client processes in a simulated world: each process with a
 * clock of its own, each session over a stream or datagrams with delays of its own. What they
 * measure stands beside the truth. For tests.
 */
import { createHmac } from "node:crypto";
import { hopOffset, readHopCount, readHopReceivedUs, readSequence } from "../relay/data-frame.ts";
import {
  readHopCorrectionUs,
  readHopErrorUs,
  readHopMethod,
  readHopSentUs,
} from "../relay/data-frame.ts";
import type { Hello } from "../relay/hello.ts";
import { toHex } from "../relay/hex.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import { eachMessage } from "../relay/message-run.ts";
import { createProcessPairs, type ProcessPairs } from "../relay/process-pairs.ts";
import { type Hmac, PROOF_NONCE_BYTES } from "../relay/proof.ts";
import { createRelay, type Relay } from "../relay/relay.ts";
import { createRandom, type Random } from "../relay/simulation/random.ts";
import { createSimClock, type SimClock } from "../relay/simulation/sim-clock.ts";
import { createSimLink, type LinkOptions } from "../relay/simulation/sim-link.ts";
import { createWorld, type World } from "../relay/simulation/world.ts";
import { createDatagramNetwork, type DatagramNetwork, type DatagramWay } from "./datagram-world.ts";
import type { Origin } from "./origins.ts";
import { type ClientSession, createClientSession, type SessionEnd } from "./session.ts";

/** One hop as its receiver corrected it, and as it was. */
export interface MeasuredHop {
  /** True time at which it ended. */
  atUs: number;
  trueUs: number;
  correctedUs: number;
  errorUs: number;
  method: string;
}

/** One session with all that came of it. */
export interface WorldSession {
  /** Over datagrams it is there once the server has answered. */
  client: ClientSession;
  /** Over datagrams. */
  way: DatagramWay | undefined;
  /** Sequences that arrived, by the origin's session id. */
  readonly received: Map<string, number[]>;
  readonly origins: Map<string, Origin>;
  /** Origins whose counts were final before this session ended. */
  readonly left: Origin[];
  readonly hops: MeasuredHop[];
  end: SessionEnd | undefined;
  openedTrueUs: number;
  /** The way is cut: what is on it is lost, and after a while both ends are told. */
  cut(): void;
}

export interface WorldProcess {
  readonly clock: SimClock;
  connect(way: { up: LinkOptions; down: LinkOptions }, hello?: Partial<Hello>): WorldSession;
}

export interface SessionWorld {
  readonly world: World;
  readonly random: Random;
  readonly relay: Relay;
  /** Inbound hops, as the relay corrected them. */
  readonly hops: MeasuredHop[];
  /** Sequences that the relay had, by session id. */
  readonly relayed: Map<string, number[]>;
  readonly strangers: string[];
  /** What travels in datagrams. */
  readonly network: DatagramNetwork;
  addProcess(clock: { offsetUs: number; driftPpm: number }): WorldProcess;
  /** Lets the session send a message about every `intervalUs` from when it opens until `untilUs`. */
  sendUntil(session: WorldSession, intervalUs: number, untilUs: number): void;
}

/** How long ends of a cut way take to notice. */
const NOTICE_US = 400_000;
const PAYLOAD = new TextEncoder().encode("payload ".repeat(200));

function add(map: Map<string, number[]>, key: string, value: number): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

const hmac: Hmac = (key) => (parts) => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

/** `token`: what all of them know, and prove. */
export function createSessionWorld(seed: number, token?: Uint8Array): SessionWorld {
  const world = createWorld();
  const random = createRandom(seed);
  const relayClock = createSimClock(world, {
    offsetUs: random.between(-5e6, 5e6),
    driftPpm: random.between(-50, 50),
  });
  /** True times at which messages were sent, and reached the relay, by session id and sequence. */
  const sentTrueUs = new Map<string, number>();
  const arrivedTrueUs = new Map<string, number>();
  const hops: MeasuredHop[] = [];
  const relayed = new Map<string, number[]>();
  const strangers: string[] = [];
  const randomBytes = (count: number) =>
    Uint8Array.from({ length: count }, () => Math.floor(random.next() * 256));

  function measure(view: DataView, at: number, hop: number, trueUs: number): MeasuredHop {
    const hopAt = hopOffset(at, hop);
    const rawUs = readHopReceivedUs(view, hopAt) - readHopSentUs(view, hopAt);
    return {
      atUs: world.trueUs,
      trueUs,
      correctedUs: rawUs + readHopCorrectionUs(view, hopAt),
      errorUs: readHopErrorUs(view, hopAt),
      method: readHopMethod(view, hopAt),
    };
  }

  const relayTicker = createWorldTicker(world, relayClock, () => relay.tick());
  const relay = createRelay({
    name: "relay",
    processId: randomBytes(16),
    maxClients: 100,
    maxBacklogBytes: 8 << 20,
    filter: "",
    clockMode: "auto",
    hostClock: () => ({ boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 }),
    nowUs: relayClock.nowUs,
    randomBytes,
    secrets: token && { tokens: () => [token], hmac },
    wake: relayTicker,
    observer: {
      joined() {},
      left() {},
      refused() {},
      stranger: (_, fault) => strangers.push(fault),
      messages(session, run) {
        const { view } = run;
        eachMessage(run, (at) => {
          const key = `${session.id}-${readSequence(view, at)}`;
          add(relayed, session.id, readSequence(view, at));
          arrivedTrueUs.set(key, world.trueUs);
          hops.push(measure(view, at, 0, world.trueUs - sentTrueUs.get(key)!));
        });
      },
      relayed() {},
      dropped() {},
      clock() {},
    },
  });
  relayTicker(relayClock.nowUs());
  const network = createDatagramNetwork({
    world,
    random,
    serverClock: relayClock,
    randomBytes,
    createTicker: (clock, tick) => createWorldTicker(world, clock, tick),
    accept: relay.accept,
  });

  function connect(
    clock: SimClock,
    pairs: ProcessPairs,
    processId: Uint8Array,
    way: { up: LinkOptions; down: LinkOptions },
    hello: Partial<Hello>,
  ): WorldSession {
    let ticker = (_: number): void => {};
    const session: WorldSession = {
      client: undefined as unknown as ClientSession,
      way: undefined,
      received: new Map(),
      origins: new Map(),
      left: [],
      hops: [],
      end: undefined,
      openedTrueUs: NaN,
      cut: () => {},
    };
    const open = (link: Link): ClientSession => {
      const client = createClientSession(link, {
        hello: {
          probe: false,
          echo: false,
          processId,
          previousSession: new Uint8Array(8),
          maxPayloadBytes: 65_536,
          flow: 0,
          mode: "paced",
          name: "client",
          route: "direct",
          prefix: "payload",
          ...(token && { nonce: randomBytes(PROOF_NONCE_BYTES) }),
          ...hello,
        },
        secret: token && { token, hmac },
        pairs,
        nowUs: clock.nowUs,
        random: random.next,
        hostClock: () => ({ boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 }),
        maxBacklogBytes: 8 << 20,
        payload: PAYLOAD,
        wake: (_, atUs) => ticker(atUs),
        observer: {
          welcomed() {},
          opened: () => session.openedTrueUs = world.trueUs,
          originJoined: (_, origin) => session.origins.set(origin.id, origin),
          originLeft: (_, origin) => session.left.push(origin),
          messages: (_, origin, run) =>
            eachMessage(run, (at) => {
              const { view } = run;
              const sequence = readSequence(view, at);
              add(session.received, origin.id, sequence);
              const last = readHopCount(view, at) - 1;
              const sinceUs = arrivedTrueUs.get(`${origin.id}-${sequence}`)!;
              session.hops.push(measure(view, at, last, world.trueUs - sinceUs));
            }),
          rtt() {},
          clock() {},
          drained() {},
          ended: (_, end) => session.end = end,
        },
      });
      session.client = client;
      ticker = createWorldTicker(world, clock, client.tick);
      ticker(clock.nowUs());
      return client;
    };
    if (way.up.delivery === "datagram") {
      session.way = network.connect(clock, way, (link) => open(link).events);
    } else {
      session.cut = createConnection(world, random, way, relay.accept, open);
    }
    return session;
  }

  return {
    world,
    random,
    relay,
    hops,
    relayed,
    strangers,
    network,
    addProcess(faults) {
      const clock = createSimClock(world, faults);
      const pairs = createProcessPairs("auto");
      const processId = randomBytes(16);
      return {
        clock,
        connect: (way, hello = {}) => connect(clock, pairs, processId, way, hello),
      };
    },
    sendUntil(session, intervalUs, untilUs) {
      function step(): void {
        const { client } = session as Partial<WorldSession>;
        if (world.trueUs > untilUs || client?.state === "closed") return;
        if (client?.state === "open") {
          const id = toHex(client.welcome!.sessionId);
          sentTrueUs.set(`${id}-${client.sent + 1}`, world.trueUs);
          client.send(0, 16 + Math.floor(random.next() * 900), false);
        }
        world.after(random.between(0.5, 1.5) * intervalUs, step);
      }
      step();
    },
  };
}

/** Calls `tick` when it is due by a simulated clock; what is returned asks for it sooner. */
function createWorldTicker(
  world: World,
  clock: SimClock,
  tick: () => number,
): (atUs: number) => void {
  let cancel = (): void => {};
  function plan(atUs: number): void {
    cancel();
    if (atUs === Infinity) return;
    cancel = world.at(clock.trueTimeOf(atUs) + 1, () => plan(tick()));
  }
  return plan;
}

type Packet = Uint8Array | "end";

/** Connects two ends by two streams; what is returned cuts them. Writing takes a moment at times. */
function createConnection(
  world: World,
  random: Random,
  way: { up: LinkOptions; down: LinkOptions },
  accept: (link: Link) => LinkEvents,
  open: (link: Link) => ClientSession,
): () => void {
  const ends: { client?: LinkEvents; relay?: LinkEvents } = {};
  let isGone = false;

  function gone(): void {
    if (isGone) return;
    isGone = true;
    up.cut();
    down.cut();
    for (const events of [ends.client, ends.relay]) {
      world.after(random.between(0, NOTICE_US), () => events?.closed());
    }
  }

  const up = createSimLink<Packet>(world, random, way.up, (packet) => {
    if (packet === "end") relayLink.end();
    else ends.relay?.data(packet);
  });
  const down = createSimLink<Packet>(world, random, way.down, (packet) => {
    if (packet === "end") gone();
    else ends.client?.data(packet);
  });

  function linkOver(stream: typeof up, events: () => LinkEvents | undefined): Link {
    let isEnded = false;
    return {
      transport: "tcp",
      peer: "simulated",
      write(piece) {
        if (isEnded) throw new Error("written after the end");
        stream.send(Uint8Array.from(piece.flatMap((slice) => [...slice])));
        if (random.chance(0.7)) return true;
        world.after(random.between(1, 3000), () => {
          if (!isGone) events()?.written();
        });
        return false;
      },
      pause() {},
      resume() {},
      end() {
        if (isEnded) return;
        isEnded = true;
        stream.send("end");
      },
      destroy: gone,
    };
  }

  const relayLink = linkOver(down, () => ends.relay);
  const clientLink = linkOver(up, () => ends.client);
  ends.relay = accept(relayLink);
  ends.client = open(clientLink).events;
  return gone;
}
