/**
 * Reads hop records as `createHopLines` writes them, without parsing JSON: of each stream of
 * messages, all lines have the same bytes between the same variable fields. A template, learned
 * from a stream's first line, holds these bytes; a line that has them all, with numbers and times
 * between, is that JSON and no other. Whatever deviates by a byte is left to `JSON.parse`.
 *
 *     HEAD ms ,"length": … ,"received":" … SESSION- sequence PLACE [path_ms ,"elapsed_ms": …] ECHO
 *     intended ","sent":" … ","ms_raw": … ,"error_ms": … ,"clock":" … ","rtt_ms": …
 *     [,"residence_ms": …] TAIL
 */

import {
  ELAPSED_MS,
  ERROR_MS,
  HOP_VALUES,
  type HopValues,
  INTENDED_US,
  IS_SYSTEM,
  LENGTH,
  MS,
  PATH_MS,
  RAW_MS,
  RECEIVED_US,
  SEQUENCE,
} from "./hop-values.ts";
import { readDigits, readNumber } from "./number-reader.ts";
import { createTimeReader } from "./time-reader.ts";

/** Templates kept: more streams than this in one report are read again and again. */
const MOST_TEMPLATES = 100_000;
/** Templates of one key and session, which are tried one after the other. */
const MOST_ALIKE = 256;
const KEY_START = '{"key":"'.length;
const QUOTE = 0x22;
const DASH = 0x2d;
const NEWLINE = 0x0a;
const SMALLEST_LINE = 100;
/** From here on a call into the runtime is faster than a loop. */
const LONG_BYTES = 64;

const AFTER_KEY = bytesOf('","ms":');
const BEFORE_LENGTH = bytesOf(',"length":');
const BEFORE_RECEIVED = bytesOf(',"received":"');
const BEFORE_ID = bytesOf('","v":1,"kind":"hop","id":"');
const BEFORE_ELAPSED = bytesOf(',"elapsed_ms":');
const BEFORE_SENT = bytesOf('","sent":"');
const BEFORE_RAW = bytesOf('","ms_raw":');
const BEFORE_ERROR = bytesOf(',"error_ms":');
const BEFORE_CLOCK = bytesOf(',"clock":"');
const BEFORE_RTT = bytesOf('","rtt_ms":');
const BEFORE_RESIDENCE = bytesOf(',"residence_ms":');

const CLOCKS = ["estimate", "system", "none", "single"].map(bytesOf);
const SYSTEM = 1;

interface Template<S> {
  stream: S;
  head: Buffer;
  session: Buffer;
  place: Buffer;
  last: boolean;
  echo: Buffer;
  relayed: boolean;
  tail: Buffer;
}

export interface HopTemplates<S> {
  /**
   * Reads the line that begins at `at` into `values`. Undefined where no template fits.
   *
   * @param bytes with the line's newline in it
   */
  read(bytes: Buffer, at: number, values: HopValues): S | undefined;
  /** Where the line that was read ends, behind its newline. */
  readonly end: number;
  /**
   * Remembers how the lines of a stream look, if they look as `createHopLines` writes them.
   *
   * @param line of that stream, with its newline
   * @param values what it says
   */
  learn(line: Buffer, stream: S, values: HopValues): void;
}

export function createHopTemplates<S>(): HopTemplates<S> {
  const templates = new Map<number, Template<S>[]>();
  const times = createTimeReader();
  const check = new Float64Array(HOP_VALUES);
  /** Of what is read to see that it is there. */
  const unused = new Float64Array(1);
  let count = 0;
  let end = 0;
  /** Where the session begins of the line whose hash was taken last. */
  let sessionAt = 0;

  /** Hash of key and session of the line at `at`, of which `values` has what stands between. */
  const hashOf = (bytes: Buffer, at: number, values: HopValues): number => {
    let hash = 0;
    let byte = 0;
    let next = at + KEY_START;
    // A quote within the key is escaped, and so would be the one of "ms" behind it.
    while ((byte = bytes[next]!) !== QUOTE || !has(bytes, next, AFTER_KEY)) {
      if (byte === NEWLINE) return -1;
      hash = Math.imul(hash, 31) + byte | 0;
      next++;
    }
    next = readNumber(bytes, next + AFTER_KEY.length, values, MS);
    if (!has(bytes, next, BEFORE_LENGTH)) return -1;
    next = readNumber(bytes, next + BEFORE_LENGTH.length, values, LENGTH);
    if (!has(bytes, next, BEFORE_RECEIVED)) return -1;
    next = times.read(bytes, next + BEFORE_RECEIVED.length, values, RECEIVED_US);
    if (!has(bytes, next, BEFORE_ID)) return -1;
    sessionAt = next += BEFORE_ID.length;
    while ((byte = bytes[next]!) !== DASH) {
      if (byte === NEWLINE || byte === QUOTE) return -1;
      hash = Math.imul(hash, 31) + byte | 0;
      next++;
    }
    return hash & 0x3fff_ffff;
  };

  /** Whether the line is the template's; if so, `values` and `end` are set. */
  const fits = (template: Template<S>, bytes: Buffer, at: number, values: HopValues): boolean => {
    if (!has(bytes, sessionAt, template.session) || !has(bytes, at, template.head)) return false;
    let next = readDigits(bytes, sessionAt + template.session.length, values, SEQUENCE);
    if (!has(bytes, next, template.place)) return false;
    next += template.place.length;
    if (template.last) {
      next = readNumber(bytes, next, values, PATH_MS);
      if (!has(bytes, next, BEFORE_ELAPSED)) return false;
      next = readNumber(bytes, next + BEFORE_ELAPSED.length, values, ELAPSED_MS);
      if (!has(bytes, next, template.echo)) return false;
      next += template.echo.length;
    } else {
      values[PATH_MS] = NaN;
      values[ELAPSED_MS] = NaN;
    }
    next = times.read(bytes, next, values, INTENDED_US);
    if (!has(bytes, next, BEFORE_SENT)) return false;
    next = times.read(bytes, next + BEFORE_SENT.length, unused, 0);
    if (!has(bytes, next, BEFORE_RAW)) return false;
    next = readNumber(bytes, next + BEFORE_RAW.length, values, RAW_MS);
    if (!has(bytes, next, BEFORE_ERROR)) return false;
    next = readNumber(bytes, next + BEFORE_ERROR.length, values, ERROR_MS);
    if (!has(bytes, next, BEFORE_CLOCK)) return false;
    next += BEFORE_CLOCK.length;
    let clock = 0;
    while (clock < CLOCKS.length && !has(bytes, next, CLOCKS[clock]!)) clock++;
    if (clock === CLOCKS.length) return false;
    values[IS_SYSTEM] = clock === SYSTEM ? 1 : 0;
    next += CLOCKS[clock]!.length;
    if (!has(bytes, next, BEFORE_RTT)) return false;
    next = readNumber(bytes, next + BEFORE_RTT.length, unused, 0);
    if (template.relayed) {
      if (!has(bytes, next, BEFORE_RESIDENCE)) return false;
      next = readNumber(bytes, next + BEFORE_RESIDENCE.length, unused, 0);
    }
    if (!has(bytes, next, template.tail)) return false;
    end = next + template.tail.length;
    return true;
  };

  return {
    read(bytes, at, values) {
      if (bytes.length - at < SMALLEST_LINE) return undefined;
      const hash = hashOf(bytes, at, values);
      const candidates = hash < 0 ? undefined : templates.get(hash);
      if (candidates === undefined) return undefined;
      for (let index = 0; index < candidates.length; index++) {
        const template = candidates[index]!;
        if (fits(template, bytes, at, values)) return template.stream;
      }
      return undefined;
    },
    get end() {
      return end;
    },
    learn(line, stream, values) {
      const template = templateOf(line, stream);
      if (template === undefined) return;
      const hash = hashOf(line, 0, check);
      // What it makes of its own line tells whether it understands it.
      if (hash < 0 || !fits(template, line, 0, check) || end !== line.length) return;
      if (!check.every((value, place) => Object.is(value, values[place]))) return;
      if (count >= MOST_TEMPLATES) {
        templates.clear();
        count = 0;
      }
      count++;
      const candidates = templates.get(hash);
      if (candidates === undefined) templates.set(hash, [template]);
      else {
        candidates.push(template);
        if (candidates.length > MOST_ALIKE) candidates.shift();
      }
    },
  };
}

/**
 * Cuts a line at its variable fields. Their names cannot stand in a JSON string: its quotes would
 * be escaped.
 */
function templateOf<S>(line: Buffer, stream: S): Template<S> | undefined {
  const find = (name: string, from: number) => line.indexOf(`,"${name}":`, from);
  const ms = find("ms", 0);
  const id = line.indexOf(BEFORE_ID, ms);
  const toId = find("to_id", id);
  const pathMs = find("path_ms", toId);
  const echo = find("echo", toId);
  const intended = find("intended", echo);
  const transport = find("transport", intended);
  if ([ms, id, toId, echo, intended, transport].includes(-1)) return undefined;
  const session = id + BEFORE_ID.length;
  const dash = line.subarray(session, toId).lastIndexOf(DASH);
  if (dash < 0 || line.length < SMALLEST_LINE) return undefined;
  const times = intended + ',"intended":"'.length;
  const last = pathMs >= 0;
  const copy = (from: number, to: number) => Buffer.from(line.subarray(from, to));
  return {
    stream,
    head: copy(0, ms + ',"ms":'.length),
    session: copy(session, session + dash + 1),
    place: copy(toId - 1, last ? pathMs + ',"path_ms":'.length : times),
    last,
    echo: copy(echo, times),
    relayed: find("residence_ms", intended) >= 0,
    tail: copy(transport, line.length),
  };
}

/** Whether `expected` stands at `at`. */
function has(bytes: Buffer, at: number, expected: Buffer): boolean {
  const { length } = expected;
  if (length > LONG_BYTES) {
    return at >= 0 && at + length <= bytes.length &&
      bytes.compare(expected, 0, length, at, at + length) === 0;
  }
  for (let i = 0; i < length; i++) {
    if (bytes[at + i] !== expected[i]) return false;
  }
  return true;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}
