/**
 * Two simulated processes that estimate one another's clock: a client that begins the exchanges on
 * all its connections, and a server that answers. Shows what their estimators claim beside the
 * truth, and what messages on the same connections measure.
 */
import type { ClockEstimator, ClockEvent, ClockMode } from "../clock-estimator.ts";
import { createClockEstimator } from "../clock-estimator.ts";
import { createClockSchedule } from "../clock-schedule.ts";
import type { ClockExchange } from "../clock-window.ts";
import { createRandom, type Random } from "./random.ts";
import { createSimClock, type SimClock } from "./sim-clock.ts";
import { createSimLink, type LinkOptions, type SimLink } from "./sim-link.ts";
import { createWorld, type World } from "./world.ts";

/** One connection, by its two directions. */
export interface ConnectionOptions {
  up: LinkOptions;
  down: LinkOptions;
  /** True time at which it is made. */
  startUs?: number;
}

/** What is to be simulated. */
export interface ClockWorldOptions {
  seed: number;
  mode?: ClockMode;
  client: { offsetUs: number; driftPpm: number };
  server: { offsetUs: number; driftPpm: number };
  connections: ConnectionOptions[];
}

/** One process of the world. */
export interface ClockSide {
  clock: SimClock;
  estimator: ClockEstimator;
  /** What the estimator told, and when (true time). */
  events: { trueUs: number; event: ClockEvent }[];
  /** The offset that its estimator ought to find now. */
  trueOffsetUs(): number;
  /** Exchanges that its estimator was given. */
  exchanges: number;
}

/** A message that has arrived at the server. */
export interface ClockHop {
  connection: number;
  slot: number;
  /** True duration. */
  trueUs: number;
  /** Received (server's clock) − sent (client's clock). */
  rawUs: number;
  /** Corrected by the server's estimator, and the bound that it gave. */
  correctedUs: number;
  errorUs: number;
  receivedUs: number;
}

/** The world, not yet begun. */
export interface ClockWorld {
  world: World;
  random: Random;
  client: ClockSide;
  server: ClockSide;
  /** Sends a message up each connection in the same slot; `deliver` gets each that arrives. */
  sendSlot(slot: number, deliver: (hop: ClockHop) => void): void;
  /** From now on a connection's ways are others. */
  changeConnection(connection: number, up: Partial<LinkOptions>, down: Partial<LinkOptions>): void;
}

/** What answering takes, on average. */
const ANSWER_US = 20;

type Frame =
  | { kind: "request"; sentUs: number }
  | { kind: "answer"; requestUs: number; receivedUs: number; sentUs: number }
  | { kind: "confirmation"; exchange: ClockExchange }
  | { kind: "message"; arrive: () => void };

/** Builds the world; run it by `world.run`. */
export function createClockWorld(options: ClockWorldOptions): ClockWorld {
  const world = createWorld();
  const random = createRandom(options.seed);
  const clientClock = createSimClock(world, options.client);
  const serverClock = createSimClock(world, options.server);
  const mode = options.mode ?? "auto";
  const client = createSide(mode, world, clientClock, serverClock);
  const server = createSide(mode, world, serverClock, clientClock);
  const links = options.connections.map((connection, index) =>
    connect(world, random, client, server, index, connection)
  );

  return {
    world,
    random,
    client,
    server,
    sendSlot(slot, deliver) {
      const sentUs = clientClock.nowUs();
      const sentTrueUs = world.trueUs;
      links.forEach(({ up }, connection) => {
        const arrive = () => {
          const receivedUs = serverClock.nowUs();
          const { offsetUs, errorUs } = server.estimator.estimateAt(receivedUs);
          const rawUs = receivedUs - sentUs;
          deliver({
            connection,
            slot,
            trueUs: world.trueUs - sentTrueUs,
            rawUs,
            correctedUs: rawUs + offsetUs,
            errorUs,
            receivedUs,
          });
        };
        up.send({ kind: "message", arrive });
      });
    },
    changeConnection(connection, up, down) {
      links[connection]?.up.change(up);
      links[connection]?.down.change(down);
    },
  };
}

function createSide(mode: ClockMode, world: World, clock: SimClock, peer: SimClock): ClockSide {
  return {
    clock,
    estimator: createClockEstimator(mode),
    events: [],
    trueOffsetUs: () => peer.readingAt(world.trueUs) - clock.readingAt(world.trueUs),
    exchanges: 0,
  };
}

function connect(
  world: World,
  random: Random,
  client: ClockSide,
  server: ClockSide,
  connection: number,
  { up, down, startUs = 0 }: ConnectionOptions,
): { up: SimLink<Frame>; down: SimLink<Frame> } {
  let schedule: ReturnType<typeof createClockSchedule>;
  let cancelPoll = () => {};

  function take(side: ClockSide, exchange: ClockExchange): void {
    side.exchanges++;
    const event = side.estimator.addExchange(exchange, connection, side.clock.nowUs());
    if (!event) return;
    side.events.push({ trueUs: world.trueUs, event });
    if (event.kind === "stepped" && side === client) schedule.burst(side.clock.nowUs());
  }

  function planPoll(): void {
    cancelPoll();
    cancelPoll = world.at(client.clock.trueTimeOf(schedule.dueUs), () => {
      // A clock that was bent meanwhile may not be there yet: then the plan is made anew.
      if (schedule.poll(client.clock.nowUs() + 0.1)) {
        upLink.send({ kind: "request", sentUs: client.clock.nowUs() });
      }
      planPoll();
    });
  }

  const upLink = createSimLink<Frame>(world, random, up, (frame) => {
    if (frame.kind === "request") {
      const receivedUs = server.clock.nowUs();
      world.after(random.exponential(ANSWER_US), () => {
        const sentUs = server.clock.nowUs();
        downLink.send({ kind: "answer", requestUs: frame.sentUs, receivedUs, sentUs });
      });
    } else if (frame.kind === "confirmation") {
      take(server, frame.exchange);
    } else if (frame.kind === "message") {
      frame.arrive();
    }
  });

  const downLink = createSimLink<Frame>(world, random, down, (frame) => {
    if (frame.kind !== "answer") return;
    const { requestUs, receivedUs, sentUs } = frame;
    const nowUs = client.clock.nowUs();
    const rttUs = nowUs - requestUs - (sentUs - receivedUs);
    schedule.answered(nowUs, rttUs, 0);
    take(client, {
      localSentUs: requestUs,
      peerReceivedUs: receivedUs,
      peerSentUs: sentUs,
      localReceivedUs: nowUs,
    });
    upLink.send({
      kind: "confirmation",
      exchange: {
        localSentUs: sentUs,
        peerReceivedUs: nowUs,
        peerSentUs: requestUs,
        localReceivedUs: receivedUs,
      },
    });
    planPoll();
  });

  world.at(startUs, () => {
    schedule = createClockSchedule(client.clock.nowUs(), random.next);
    planPoll();
  });
  return { up: upLink, down: downLink };
}
