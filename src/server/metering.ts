/** From the messages that arrive at a server to its figures and records. */
import { delayFigures, toMs } from "../metrics/delays.ts";
import { createFigureSet, type FigureSet } from "../metrics/figure-set.ts";
import type { FigureStream } from "../metrics/figure-stream.ts";
import { Histogram } from "../metrics/histogram.ts";
import { hopKey } from "../metrics/keys.ts";
import { recordHop } from "../metrics/record-hop.ts";
import type { LossFigures, RunSummary, SessionSummary } from "../metrics/summary.ts";
import {
  FLAG_WARM_UP,
  hopOffset,
  readFlags,
  readPayloadBytes,
  readSequence,
} from "../relay/data-frame.ts";
import { eachMessage, type MessageRun } from "../relay/message-run.ts";
import type { RelayObserver } from "../relay/relay.ts";
import type { Arrival } from "../relay/sequence.ts";
import type { Session } from "../relay/session.ts";
import type { RecordInbound } from "./records.ts";

/** What a server measures: an observer of its relay, and the figures of that. */
export interface ServerMetering {
  readonly observer: Pick<RelayObserver, "left" | "messages" | "relayed">;
  readonly figures: FigureSet;
  /** The part of the run's summary that is the metering's. */
  summarise(seconds: number, hdr: boolean): ServerFigures;
  /** Of all messages together. */
  totals(): Pick<ServerFigures, "sent" | "received" | "warmup">;
  readonly distributions: { readonly residence: Histogram; readonly fanOutWait: Histogram };
}

type ServerFigures = Pick<
  RunSummary,
  "sent" | "received" | "warmup" | "keys" | "residence_ms" | "fanout_ms"
>;

export interface ServerMeteringOptions {
  /** Name of this server. */
  name: string;
  /** Takes each metered message for the records; undefined where none are wanted. */
  record: RecordInbound | undefined;
}

export function createServerMetering(options: ServerMeteringOptions): ServerMetering {
  const figures = createFigureSet();
  const residence = new Histogram(2);
  const fanOutWait = new Histogram(2);
  const streams = new Map<Session, FigureStream>();
  let received = 0;
  let warmup = 0;
  let sent = 0;

  /** From its first message on: who never sends leaves no key behind. */
  const streamOf = (session: Session): FigureStream => {
    let stream = streams.get(session);
    if (stream === undefined) {
      const spec = {
        key: hopKey(session.name, options.name),
        from: session.name,
        to: options.name,
        route: session.route,
        hops: 1,
        echo: false,
      };
      stream = figures.get(spec).open(() => lossOf(session));
      streams.set(session, stream);
    }
    return stream;
  };

  const messages = (session: Session, run: MessageRun, arrival: Arrival): void => {
    if (arrival === "duplicate" || arrival === "outside") return;
    const { view, at, count } = run;
    if ((readFlags(view, at) & FLAG_WARM_UP) !== 0) {
      warmup += count;
      return;
    }
    received += count;
    const sequence = readSequence(view, at);
    const bytes = readPayloadBytes(view, at);
    recordHop(streamOf(session), view, hopOffset(at, 0), sequence, bytes, count);
    const { record } = options;
    if (record !== undefined) eachMessage(run, (at) => record(session, view, at));
  };

  return {
    figures,
    distributions: { residence, fanOutWait },
    totals: () => ({ sent, received, warmup }),
    observer: {
      left(session) {
        // Of who was only ever lost, the loss is told all the same.
        if (session.metered && session.tracker.next > session.tracker.first) streamOf(session);
        streams.get(session)?.close();
        streams.delete(session);
      },
      messages,
      relayed(passedOn, warmUp, receivers, residenceUs, waitUs) {
        sent += passedOn * receivers;
        const metered = passedOn - warmUp;
        if (metered === 0) return;
        residence.record(residenceUs, metered);
        if (receivers > 1) fanOutWait.record(waitUs, metered);
      },
    },
    summarise(seconds, hdr) {
      const residenceMs = delayFigures(residence);
      const fanOutMs = delayFigures(fanOutWait);
      return {
        sent,
        received,
        warmup,
        keys: figures.summarise(seconds, hdr),
        ...(residenceMs && { residence_ms: residenceMs }),
        ...(fanOutMs && { fanout_ms: fanOutMs }),
      };
    },
  };
}

/** What of a session's messages did not arrive here. */
function lossOf({ tracker }: Session): LossFigures {
  const up = tracker.next - tracker.first - tracker.received;
  const { duplicates, reordered } = tracker;
  return { lost: up, up, down: 0, dropped: 0, duplicates, reordered };
}

/** A session as the server's tables show it. */
export function summariseSession(session: Session, nowUs: number): SessionSummary {
  const { rttUs, connection, droppedTotal } = session;
  const { errorUs } = session.pair.estimator.estimateAt(nowUs);
  return {
    name: session.name,
    route: session.route,
    peer: connection.link.peer,
    ...(Number.isFinite(rttUs) && { rtt_ms: toMs(rttUs) }),
    ...(Number.isFinite(errorUs) && { error_ms: toMs(errorUs) }),
    backlog_bytes: connection.outbox.backlogBytes,
    dropped: droppedTotal,
  };
}
