/** From the messages that arrive at a server to records of their inbound hop. */
import { hopKey } from "../metrics/keys.ts";
import {
  clockId,
  createHopLines,
  type HopMeasurement,
  type RecordSource,
} from "../metrics/records.ts";
import {
  hopOffset,
  readHopCorrectionUs,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
  readIntendedUs,
  readPayloadBytes,
  readSequence,
} from "../relay/data-frame.ts";
import type { Session } from "../relay/session.ts";
import type { Sink } from "../sinks/sink.ts";

/** Takes one metered message. */
export type RecordInbound = (session: Session, view: DataView, at: number) => void;

/** @param processId of this process, in hexadecimal */
export function createServerRecorder(options: {
  sink: Sink;
  source: RecordSource;
  processId: string;
}): RecordInbound {
  const { sink, source } = options;
  const lines = new WeakMap<Session, (message: HopMeasurement) => string>();

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
      transport: "tcp",
      peer: session.connection.link.peer,
    });
  };

  return (session, view, at) => {
    let line = lines.get(session);
    if (line === undefined) lines.set(session, line = createLine(session));
    const hopAt = hopOffset(at, 0);
    const sentUs = readHopSentUs(view, hopAt);
    const receivedUs = readHopReceivedUs(view, hopAt);
    const rawUs = receivedUs - sentUs;
    sink.write(line({
      sequence: readSequence(view, at),
      length: readPayloadBytes(view, at),
      intendedUs: readIntendedUs(view, at),
      sentUs,
      receivedUs,
      delayUs: rawUs + readHopCorrectionUs(view, hopAt),
      rawUs,
      errorUs: readHopErrorUs(view, hopAt),
      clock: readHopMethod(view, hopAt),
      rttUs: session.rttUs,
      residenceUs: NaN,
      pathUs: NaN,
      elapsedUs: NaN,
    }));
  };
}
