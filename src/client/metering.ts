/** From what a client's sessions receive to its figures, differences of routes, and records. */
import { delayFigures } from "../metrics/delays.ts";
import { createDifferences, type DifferenceLink, type DownStream } from "../metrics/differences.ts";
import { createFigureSet, type FigureSet } from "../metrics/figure-set.ts";
import { Histogram } from "../metrics/histogram.ts";
import type { DifferenceSummary, RunSummary } from "../metrics/summary.ts";
import {
  FLAG_WARM_UP,
  hopOffset,
  readFlags,
  readHopReceivedUs,
  readHopSentUs,
  readIntendedUs,
  readSequence,
} from "../relay/data-frame.ts";
import { eachMessage, type MessageRun } from "../relay/message-run.ts";
import type { Arrival } from "../relay/sequence.ts";
import { createFlowFigures, type FlowFigures } from "./flow-figures.ts";
import type { Origin } from "./origins.ts";
import {
  createPathMeter,
  type FirstHopLedger,
  type PathDelay,
  type PathMeter,
} from "./path-meter.ts";
import type { ClientSession } from "./session.ts";

/** Takes a message that counts, with all that is known of it, for the records. */
export type RecordMessage = (
  session: ClientSession,
  origin: Origin,
  view: DataView,
  at: number,
  path: Readonly<PathDelay>,
) => void;

/** What one origin's messages are metered by, in one session. */
interface OriginMeter {
  path: PathMeter;
  /** Where several routes are compared. */
  down: DownStream | undefined;
}

export interface ClientMetering {
  readonly figures: FigureSet;
  /** The session had its welcome. */
  welcomed(session: ClientSession): void;
  originJoined(session: ClientSession, origin: Origin): void;
  originLeft(session: ClientSession, origin: Origin): void;
  messages(session: ClientSession, origin: Origin, run: MessageRun, arrival: Arrival): void;
  rtt(session: ClientSession, rttUs: number): void;
  lag(lagUs: number): void;
  /** The session has ended: it leads no more. */
  ended(session: ClientSession): void;
  /** The relay's last word on an ended session is known. */
  settled(session: ClientSession): void;
  summarise(seconds: number, hdr: boolean): ClientFigures;
  /** Of all messages together. */
  totals(): Pick<ClientFigures, "received" | "warmup">;
  /** Empty with a single route. */
  differences(): DifferenceSummary[];
  /** Intended to actual time of sending. */
  readonly lags: Histogram;
  /** Round trips of a route's clock exchanges. */
  rttOf(route: string): RunSummary["lag_ms"];
  /** Figures of one of a route's flows. */
  flowOf: FlowFigures["summarise"];
}

type ClientFigures = Pick<
  RunSummary,
  "received" | "warmup" | "keys" | "differences" | "lag_ms"
>;

export interface ClientMeteringOptions {
  /** Name of this client. */
  name: string;
  /** Labels of the routes, in the order given. */
  routes: readonly string[];
  record: RecordMessage | undefined;
}

export function createClientMetering(options: ClientMeteringOptions): ClientMetering {
  const figures = createFigureSet();
  const lags = new Histogram(2);
  const rtts = new Map(options.routes.map((route) => [route, new Histogram(2)]));
  const differences = createDifferences(options.routes, options.name);
  const flowFigures = createFlowFigures();
  const compares = options.routes.length > 1;
  const meters = new Map<ClientSession, Map<Origin, OriginMeter>>();
  const links = new Map<ClientSession, DifferenceLink>();
  /** By the origin's session id, as long as somebody meters it. */
  const ledgers = new Map<string, FirstHopLedger & { meters: number }>();
  /** Ids of the sessions of this process: what they send comes back to a clock that sent it. */
  const ownSessions = new Set<string>();
  /** Origins that are such sessions: they stay so to those who still hear of them. */
  const ownOrigins = new WeakSet<Origin>();
  let received = 0;
  let warmup = 0;
  // A chunk's messages are mostly of one origin: its meter is looked up once.
  let lastOrigin: Origin | undefined;
  let lastMeter: OriginMeter | undefined;

  function meterOf(session: ClientSession, origin: Origin): OriginMeter {
    if (origin === lastOrigin) return lastMeter!;
    const own = meters.get(session)!;
    let meter = own.get(origin);
    if (meter === undefined) own.set(origin, meter = createMeter(session, origin));
    lastOrigin = origin;
    lastMeter = meter;
    return meter;
  }

  function createMeter(session: ClientSession, origin: Origin): OriginMeter {
    const path = createPathMeter({
      origin,
      ledger: takeLedger(origin.id),
      isOwn: () => isOwn(origin),
      echo: origin === session.self,
      relayName: session.welcome!.name,
      receiver: session.hello,
      figures,
    });
    path.meterFirstHop(isFirstHopMetered(session, origin));
    return { path, down: links.get(session)?.downFrom(origin.id) };
  }

  function takeLedger(id: string): FirstHopLedger {
    let ledger = ledgers.get(id);
    if (ledger === undefined) ledgers.set(id, ledger = { toldLost: undefined, meters: 0 });
    ledger.meters++;
    return ledger;
  }

  function closePath(origin: Origin, { path }: OriginMeter): void {
    path.close();
    const ledger = ledgers.get(origin.id)!;
    if (--ledger.meters === 0) ledgers.delete(origin.id);
  }

  function isOwn(origin: Origin): boolean {
    if (ownSessions.has(origin.id)) ownOrigins.add(origin);
    return ownOrigins.has(origin);
  }

  /**
   * All routes to one relay hear of the same first hops: the first of them meters those of others;
   * of our own messages each session meters its own, by their echo.
   */
  function isFirstHopMetered(session: ClientSession, origin: Origin): boolean {
    if (origin === session.self) return true;
    if (session.hello.echo && isOwn(origin)) return false;
    for (const other of meters.keys()) {
      if (other.pair !== session.pair || other.state === "closed") continue;
      // Of a route's flows only the first receives the messages of others.
      if (other.hello.flow > 0) continue;
      // The origin's own session does not receive what it sent.
      if (other.self?.id !== origin.id) return other === session;
    }
    return false;
  }

  /** Sessions came or went: another one may be the first now. */
  function chooseLeads(): void {
    for (const [session, own] of meters) {
      for (const [origin, { path }] of own) {
        path.meterFirstHop(isFirstHopMetered(session, origin));
      }
    }
  }

  /** What an own message's way up took, for the difference of routes. */
  function compareEcho(
    link: DifferenceLink,
    view: DataView,
    at: number,
    path: Readonly<PathDelay>,
  ): void {
    const hopAt = hopOffset(at, 0);
    const slotUs = readIntendedUs(view, at);
    const receptionUs = readHopReceivedUs(view, hopAt);
    link.up(slotUs, receptionUs - readHopSentUs(view, hopAt), receptionUs);
    link.roundTrip(slotUs, path.delayUs);
  }

  /** What neither the difference of routes nor records take in runs. */
  function takeEach(
    session: ClientSession,
    origin: Origin,
    run: MessageRun,
    { down }: OriginMeter,
    path: Readonly<PathDelay>,
  ): void {
    const { view, receivedUs } = run;
    eachMessage(run, (at) => {
      down?.record(readSequence(view, at), receivedUs);
      if (compares && origin === session.self) compareEcho(links.get(session)!, view, at, path);
      options.record?.(session, origin, view, at, path);
    });
  }

  function openLink(session: ClientSession): void {
    const route = options.routes.indexOf(session.hello.route);
    const { name } = session.welcome!;
    const { processId } = session.pair!;
    const { flow } = session.hello;
    links.set(session, differences.open({ route, flow, process: processId, server: name }));
  }

  return {
    figures,
    lags,
    totals: () => ({ received, warmup }),
    differences: () => compares ? differences.summarise() : [],
    welcomed(session) {
      meters.set(session, new Map());
      ownSessions.add(session.self!.id);
      flowFigures.welcomed(session);
      if (compares) openLink(session);
      // What a server's filter keeps out is nobody's loss.
      if (session.hello.echo && session.welcome!.metered) meterOf(session, session.self!);
      chooseLeads();
    },
    originJoined(session, origin) {
      meterOf(session, origin);
    },
    originLeft(session, origin) {
      const meter = meters.get(session)?.get(origin);
      if (meter === undefined) return;
      closePath(origin, meter);
      meter.down?.close();
      meters.get(session)?.delete(origin);
      if (origin === lastOrigin) lastOrigin = undefined;
    },
    messages(session, origin, run, arrival) {
      if (arrival === "duplicate" || arrival === "outside") return;
      if ((readFlags(run.view, run.at) & FLAG_WARM_UP) !== 0) {
        warmup += run.count;
        return;
      }
      received += run.count;
      const meter = meterOf(session, origin);
      const path = meter.path.record(run);
      if (origin === session.self) flowFigures.roundTrip(session, path.elapsedUs, run.count);
      if (compares || options.record !== undefined) takeEach(session, origin, run, meter, path);
    },
    rtt(session, rttUs) {
      rtts.get(session.hello.route)?.record(rttUs);
      flowFigures.rtt(session, rttUs);
    },
    lag(lagUs) {
      lags.record(lagUs);
    },
    ended(session) {
      links.get(session)?.close();
      links.delete(session);
      chooseLeads();
    },
    settled(session) {
      for (const [origin, meter] of meters.get(session) ?? []) closePath(origin, meter);
      meters.delete(session);
      flowFigures.settled(session);
      if (session.self !== undefined) ownSessions.delete(session.self.id);
      lastOrigin = undefined;
    },
    summarise(seconds, hdr) {
      const lag = delayFigures(lags);
      return {
        received,
        warmup,
        keys: figures.summarise(seconds, hdr),
        ...(compares && { differences: differences.summarise() }),
        ...(lag && { lag_ms: lag }),
      };
    },
    rttOf: (route) => delayFigures(rtts.get(route)!),
    flowOf: flowFigures.summarise,
  };
}
