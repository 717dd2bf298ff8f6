/** From the messages that arrive at a server to records of their inbound hop. */
import { hopKey } from "../metrics/keys.ts";
import { createHopMeasurement, measureHop } from "../metrics/measure-hop.ts";
import {
  clockId,
  createHopLines,
  type HopMeasurement,
  type RecordSource,
} from "../metrics/records.ts";
import type { Session } from "../relay/session.ts";
import type { Sink } from "../sinks/sink.ts";

/** Takes one metered message. */
export type RecordInbound = (session: Session, view: DataView, at: number) => void;

/** @param processId of this process, in hexadecimal */
export function createServerRecorder(options: {
  sink: Pick<Sink, "write">;
  source: RecordSource;
  processId: string;
}): RecordInbound {
  const { sink, source } = options;
  const lines = new WeakMap<Session, (message: HopMeasurement) => string>();

  const measured = createHopMeasurement();

  const createLine = (session: Session) => {
    const key = hopKey(session.name, source.reporter);
    return createHopLines({
      ...source,
      key,
      session: session.id,
      toSession: session.id,
      clockId: clockId(options.processId, session.pair.processId),
      from: session.name,
      to: source.reporter,
      route: session.route,
      flow: session.flow,
      hop: 1,
      hops: 1,
      path: key,
      last: false,
      echo: false,
      transport: session.connection.link.transport,
      peer: session.connection.link.peer,
    });
  };

  return (session, view, at) => {
    let line = lines.get(session);
    if (line === undefined) lines.set(session, line = createLine(session));
    measureHop(measured, view, at, 0);
    measured.rttUs = session.rttUs;
    sink.write(line(measured));
  };
}
