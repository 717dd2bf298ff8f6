/** From the messages that a client receives to records of their hops. */
import { hopKey, pathKey } from "../metrics/keys.ts";
import { createHopMeasurement, measureHop } from "../metrics/measure-hop.ts";
import {
  clockId,
  createHopLines,
  type HopRecordSpec,
  type RecordSource,
} from "../metrics/records.ts";
import { toHex } from "../relay/hex.ts";
import type { Sink } from "../sinks/sink.ts";
import type { RecordMessage } from "./metering.ts";
import type { Origin } from "./origins.ts";
import type { ClientSession } from "./session.ts";

type HopLine = ReturnType<typeof createHopLines>;

/**
 * Records the hop that each message ended here, or (`all`) each hop of its path.
 *
 * @param processId of this process, in hexadecimal
 */
export function createClientRecorder(options: {
  records: "own" | "all";
  sink: Pick<Sink, "write">;
  source: RecordSource;
  processId: string;
}): RecordMessage {
  const { sink } = options;
  /** An origin belongs to one session: its lines are kept as long as it is. */
  const linesOf = new WeakMap<Origin, HopLine[]>();
  const measured = createHopMeasurement();

  const createLines = (session: ClientSession, origin: Origin, hops: number): HopLine[] =>
    Array.from({ length: hops }, (_, index) =>
      createHopLines({
        ...specOfHop(session, origin, index, hops),
        ...options.source,
        clockId: clockIdOf(session, origin, index === hops - 1),
      }));

  /** Null for hops of others to the relay: their process id is a secret between those two. */
  const clockIdOf = (session: ClientSession, origin: Origin, isLast: boolean): string | null =>
    isLast || origin === session.self ? clockId(options.processId, session.pair!.processId) : null;

  return (session, origin, view, at, path) => {
    let lines = linesOf.get(origin);
    if (lines === undefined || lines.length !== path.hops) {
      linesOf.set(origin, lines = createLines(session, origin, path.hops));
    }
    const first = options.records === "all" ? 0 : path.hops - 1;
    for (let index = first; index < path.hops; index++) {
      measureHop(measured, view, at, index);
      // Only this end of the connection knows its round trips.
      measured.rttUs = index === path.hops - 1 ? session.rttUs : NaN;
      measured.pathUs = path.delayUs;
      measured.elapsedUs = path.elapsedUs;
      sink.write(lines[index]!(measured));
    }
  };
}

/** What stays the same of hop `index` (from 0) of the messages of one origin. */
function specOfHop(
  session: ClientSession,
  origin: Origin,
  index: number,
  hops: number,
): Omit<HopRecordSpec, "clockId" | keyof RecordSource> {
  const { name: relay, sessionId } = session.welcome!;
  const { hello } = session;
  const names = [origin.name, ...Array.from({ length: hops - 1 }, () => relay), hello.name];
  const keys = names.slice(1).map((to, hop) => hopKey(names[hop]!, to));
  const isLast = index === hops - 1;
  return {
    key: keys[index]!,
    session: origin.id,
    // A hop to the relay ends at the relay's end of the origin's session.
    toSession: isLast ? toHex(sessionId) : origin.id,
    from: names[index]!,
    to: names[index + 1]!,
    route: isLast ? hello.route : origin.route,
    flow: isLast ? hello.flow : origin.flow,
    hop: index + 1,
    hops: index + 1,
    path: pathKey(keys.slice(0, index + 1)),
    last: isLast,
    echo: origin === session.self,
    transport: isLast || origin === session.self ? session.link.transport : null,
    peer: isLast ? session.link.peer : null,
  };
}
