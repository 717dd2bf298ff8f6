/**
 * Figures of each flow of a route: networks that balance load pin each connection to one of several
 * ways, and a bad one of eight would vanish in the figures over all.
 */
import { delayFigures } from "../metrics/delays.ts";
import { Histogram } from "../metrics/histogram.ts";
import type { FlowSpread, FlowSummary } from "../metrics/summary.ts";
import type { Origin } from "./origins.ts";
import type { ClientSession } from "./session.ts";

export interface FlowFigures {
  welcomed(session: ClientSession): void;
  /** A round trip of the clock exchange. */
  rtt(session: ClientSession, rttUs: number): void;
  /** Own messages came back, `count` of them at once. */
  roundTrip(session: ClientSession, roundTripUs: number, count: number): void;
  /** The session has ended, and its counts are final. */
  settled(session: ClientSession): void;
  /** Of one flow, from 0; `sent` is the flow's to tell. */
  summarise(route: string, flow: number): Omit<FlowSummary, "sent">;
}

interface Figures {
  readonly rtts: Histogram;
  readonly roundTrips: Histogram;
  /** Its sessions that may still count. */
  readonly open: Map<ClientSession, Origin>;
  /** Of sessions that have ended. */
  up: number;
  down: number;
}

export function createFlowFigures(): FlowFigures {
  const byRoute = new Map<string, Figures[]>();

  const figuresOf = (route: string, flow: number): Figures => {
    let flows = byRoute.get(route);
    if (flows === undefined) byRoute.set(route, flows = []);
    return flows[flow] ??= {
      rtts: new Histogram(2),
      roundTrips: new Histogram(2),
      open: new Map(),
      up: 0,
      down: 0,
    };
  };
  const of = ({ hello }: ClientSession): Figures => figuresOf(hello.route, hello.flow);

  return {
    welcomed(session) {
      of(session).open.set(session, session.self!);
    },
    rtt(session, rttUs) {
      of(session).rtts.record(rttUs);
    },
    roundTrip(session, roundTripUs, count) {
      of(session).roundTrips.record(roundTripUs, count);
    },
    settled(session) {
      const figures = of(session);
      const self = figures.open.get(session);
      if (self === undefined) return;
      figures.open.delete(session);
      figures.up += self.up;
      figures.down += downOf(session, self);
    },
    summarise(route, flow) {
      const figures = figuresOf(route, flow);
      let { up, down } = figures;
      for (const [session, self] of figures.open) {
        up += self.up;
        down += downOf(session, self);
      }
      const rtt = delayFigures(figures.rtts);
      const roundTrip = delayFigures(figures.roundTrips);
      return {
        flow,
        up,
        down,
        ...(rtt && { rtt_ms: rtt }),
        ...(roundTrip && { round_trip_ms: roundTrip }),
      };
    },
  };
}

/** What was lost of a session's own messages on the way back, where they come back at all. */
function downOf({ hello }: ClientSession, self: Origin): number {
  return hello.echo ? self.down : 0;
}

/**
 * How far the flows of a route lie apart: by the medians of the round trips of messages, where all
 * have some, else of the clock exchange. Undefined where there are no two to compare.
 */
export function spreadOf(flows: readonly FlowSummary[]): FlowSpread | undefined {
  const by = flows.every(({ round_trip_ms }) => round_trip_ms) ? "round_trip_ms" : "rtt_ms";
  const medians = flows.flatMap((each) => {
    const p50 = each[by]?.p50;
    return p50 === undefined ? [] : [{ flow: each.flow, p50 }];
  }).sort((a, b) => a.p50 - b.p50);
  const [fastest, slowest] = [medians[0], medians.at(-1)];
  if (fastest === undefined || slowest === undefined || fastest === slowest) return undefined;
  const ms = Math.round((slowest.p50 - fastest.p50) * 10_000) / 10_000;
  return { by, fastest: fastest.flow, slowest: slowest.flow, ms };
}
