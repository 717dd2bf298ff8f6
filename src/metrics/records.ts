/**
 * Lines of NDJSON records: what sinks write and Athena reads. One record for each hop of each
 * message (`kind: "hop"`), or one for each key and interval (`kind: "summary"`).
 *
 * The first fields are the original's; none is ever removed or retyped. A field that does not
 * apply to a record is absent: `path_ms` and `elapsed_ms` on a hop that is not the path's last,
 * `residence_ms` on the first. A field that applies and is unknown is `null`: `error_ms`,
 * `elapsed_ms`, `rtt_ms`, `clock_id`, `peer`, `region`, `zone`. Readers of JSON lines take both as
 * null.
 */

import { createHash } from "node:crypto";
import { toIso } from "../relay/time.ts";

/** `v` of all records. */
export const RECORD_VERSION = 1;

/**
 * How `ms` was corrected: by the system clocks' own bounds ("system": not at all), by the estimate
 * of the clocks' offset, not at all as nothing was known ("none"), or without need as one clock
 * stamped both ends ("single": paths that end in the process where they began).
 */
export type RecordClock = "none" | "system" | "estimate" | "single";

/** Where a record comes from: the same for all of a process. */
export interface RecordSource {
  /** Name of the node that writes the record. */
  reporter: string;
  region: string | null;
  zone: string | null;
  /** Identifies this start of the process. */
  run: string;
}

/** What stays the same for all messages of one origin session at one hop. */
export interface HopRecordSpec extends RecordSource {
  /** Key of the hop. */
  key: string;
  /** Origin's session, hexadecimal. */
  session: string;
  /** Session that ended the hop, hexadecimal. */
  toSession: string;
  /** `clockId` of the hop's two processes; null where one is not known to the reporter. */
  clockId: string | null;
  from: string;
  to: string;
  /** Label of the hop's client's session. */
  route: string;
  flow: number;
  /** Which hop of the path, from 1. */
  hop: number;
  /** Hops of the path so far. */
  hops: number;
  /** Key of the path so far. */
  path: string;
  /** Whether the path ends with this hop, so that its totals stand in the record. */
  last: boolean;
  echo: boolean;
  /** Null where it is that of somebody else. */
  transport: string | null;
  peer: string | null;
}

/** What each message brings. Times are µs since 2020 by their node's own clock; NaN: unknown. */
export interface HopMeasurement {
  sequence: number;
  /** Of the payload, in bytes. */
  length: number;
  intendedUs: number;
  sentUs: number;
  receivedUs: number;
  /** Corrected delay; by the last estimate where there is none now. */
  delayUs: number;
  /** Bare difference of the clocks. */
  rawUs: number;
  /** Bound on the error of `delayUs`. */
  errorUs: number;
  clock: RecordClock;
  /** Newest round trip of the clock exchange on the connection that ended the hop. */
  rttUs: number;
  /** Received by the relay → stamped for sending. Of hops after the first. */
  residenceUs: number;
  /** Sum of the path's hops. Of the last hop. */
  pathUs: number;
  /** Last received − first sent. Of the last hop. */
  elapsedUs: number;
}

/**
 * Lines of the hops of one stream of messages: all that is constant is escaped once. Each line
 * ends with its newline.
 */
export function createHopLines(spec: HopRecordSpec): (message: HopMeasurement) => string {
  const head = `{"key":${json(spec.key)},"ms":`;
  const beforeSequence = `,"v":${RECORD_VERSION},"kind":"hop","id":${
    json(spec.session).slice(0, -1)
  }-`;
  const place = fields({
    to_id: spec.toSession,
    clock_id: spec.clockId,
    from: spec.from,
    to: spec.to,
    route: spec.route,
    flow: spec.flow,
    hop: spec.hop,
    hops: spec.hops,
    path: spec.path,
  });
  const echo = `${fields({ echo: spec.echo })},"intended":`;
  const tail = `${
    fields({
      transport: spec.transport,
      peer: spec.peer,
      reporter: spec.reporter,
      region: spec.region,
      zone: spec.zone,
      run: spec.run,
    })
  }}\n`;
  const { last } = spec;
  const relayed = spec.hop > 1;
  // Each column of times moves by itself from second to second.
  const received = createTimeText();
  const intended = createTimeText();
  const sent = createTimeText();

  return (message) => {
    let line = head + msText(message.delayUs) + ',"length":' + message.length +
      ',"received":' + received(message.receivedUs) + beforeSequence + message.sequence + '"' +
      place;
    if (last) {
      line += ',"path_ms":' + msText(message.pathUs) +
        ',"elapsed_ms":' + msText(message.elapsedUs);
    }
    line += echo + intended(message.intendedUs) + ',"sent":' + sent(message.sentUs) +
      ',"ms_raw":' + msText(message.rawUs) + ',"error_ms":' + msText(message.errorUs) +
      ',"clock":"' + message.clock + '","rtt_ms":' + msText(message.rttUs);
    if (relayed) line += ',"residence_ms":' + msText(message.residenceUs);
    return line + tail;
  };
}

/**
 * Identifies the two clocks of a hop: 16 hexadecimal digits, the same from both ends, that do not
 * tell either process id. Takes both ids in hexadecimal.
 */
export function clockId(a: string, b: string): string {
  const both = a < b ? a + b : b + a;
  return createHash("sha256").update(both).digest("hex").slice(0, 16);
}

const json = (value: unknown): string => JSON.stringify(value);

/** `,"name":value` of each. */
function fields(values: Record<string, unknown>): string {
  return `,${json(values).slice(1, -1)}`;
}

/** Milliseconds to 0.1 µs. */
function msText(us: number): string {
  return us - us === 0 ? String(Math.round(us * 10) / 10_000) : "null";
}

const DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, "0"));

/** `toIso` in quotes, made fast for times of the same second as the one before. */
function createTimeText(): (timeUs: number) => string {
  let second = NaN;
  let prefix = "";
  return (timeUs) => {
    const wholeUs = Math.floor(timeUs);
    const itsSecond = Math.floor(wholeUs / 1_000_000);
    if (itsSecond !== second) {
      second = itsSecond;
      prefix = `"${toIso(second * 1_000_000).slice(0, -"000000Z".length)}`;
    }
    const microseconds = wholeUs - second * 1_000_000;
    const milliseconds = (microseconds / 1000) | 0;
    return prefix + DIGITS[milliseconds] + DIGITS[microseconds - milliseconds * 1000] + 'Z"';
  };
}
