/**
 * Kinds of values that options take: each turns the text that a user wrote into a value, or says
 * in one clause what is wrong with it.
 */

import { hasControls, quote } from "./escape.ts";
import { nearest } from "./nearest.ts";

/** A value, or what is wrong with the text; the problem quotes the text. */
export type Parsed<T> = { value: T } | { problem: string };

/** How one kind of value is written and read. */
export interface ValueType<T> {
  /** How help shows the value, e.g. `[HOST:]PORT`. */
  readonly placeholder: string;
  parse(text: string): Parsed<T>;
}

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest duration: about what a timer takes (2^31 ms), as a round number of hours. */
const LONGEST_MS = 500 * 3_600_000;

const DURATION = /^(\d{1,12}(?:\.\d{1,12})?|\.\d{1,12})(us|ms|s|m|h)?$/;

/**
 * A duration in milliseconds, from a number and `us`, `ms`, `s`, `m` or `h`; a bare number is
 * seconds, unless the caller wants the unit written.
 */
export function parseDurationMs(
  text: string,
  { needsUnit = false }: { needsUnit?: boolean } = {},
): Parsed<number> {
  const match = DURATION.exec(text);
  if (match === null) {
    return { problem: `${quote(text)} is not a duration, such as 250ms, 10s or 5m` };
  }
  if (match[2] === undefined && needsUnit) {
    return { problem: `${quote(text)} has no unit: us, ms, s, m or h, such as ${text}ms` };
  }
  // Of decimal fractions, the division by 1000 is exact where the product by 0.001 is not.
  const unit = match[2] ?? "s";
  const number = Number(match[1]);
  const ms = unit === "us" ? number / 1000 : number * (MS_PER_UNIT[unit] ?? NaN);
  if (ms > LONGEST_MS) return { problem: `${quote(text)} is longer than 500h` };
  return { value: ms };
}

/** Durations in milliseconds, from `leastMs` up; `zeroMeans` permits 0 all the same. */
export function duration(
  { leastMs, zeroMeans, placeholder = "DURATION" }: {
    leastMs: number;
    zeroMeans?: string;
    placeholder?: string;
  },
): ValueType<number> {
  return {
    placeholder,
    parse(text) {
      const parsed = parseDurationMs(text);
      if ("problem" in parsed || parsed.value >= leastMs) return parsed;
      if (parsed.value === 0 && zeroMeans !== undefined) return parsed;
      const orZero = zeroMeans === undefined ? "" : `, or 0 (${zeroMeans})`;
      return { problem: `${quote(text)} is too short: at least ${leastMs}ms${orZero}` };
    },
  };
}

/** The time between two messages: drawn anew, uniformly, from this range. */
export interface Interval {
  minMs: number;
  maxMs: number;
}

/** `MIN[-MAX]`, each with its unit. */
export const interval: ValueType<Interval> = {
  placeholder: "MIN[-MAX]",
  parse(text) {
    const parts = text.split("-");
    if (parts.length > 2) {
      return { problem: `${quote(text)} is not MIN[-MAX], such as 3500ms-4500ms` };
    }
    const min = parseDurationMs(parts[0] ?? "", { needsUnit: true });
    if ("problem" in min) return min;
    const max = parts[1] === undefined ? min : parseDurationMs(parts[1], { needsUnit: true });
    if ("problem" in max) return max;
    if (min.value < 0.001) {
      return { problem: `${quote(text)} is too short: at least 1us; --mode flood sends unpaced` };
    }
    if (min.value > max.value) {
      return { problem: `${quote(text)} begins with the longer time: write MIN-MAX` };
    }
    return { value: { minMs: min.value, maxMs: max.value } };
  },
};

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
};

/**
 * A number of bytes, from a number and `K` or `KiB` (1,024), `M` or `MiB`, `G` or `GiB`. `KB` and
 * `MB` are refused: some mean 1,000 by them and some 1,024.
 */
export function parseBytes(text: string): Parsed<number> {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s?([a-z]*)$/i.exec(text);
  const factor = match === null ? undefined : BYTES_PER_UNIT[(match[2] ?? "").toLowerCase()];
  const bytes = Number(match?.[1]) * (factor ?? NaN);
  if (!Number.isSafeInteger(bytes)) {
    return { problem: `${quote(text)} is not a number of bytes, such as 262144, 512KiB or 8MiB` };
  }
  return { value: bytes };
}

/** Byte counts in a range; the ends are given as text, so that messages show them as written. */
export function bytes(least: string, most: string): ValueType<number> {
  const number = (text: string): number => {
    const parsed = parseBytes(text);
    if ("problem" in parsed) throw new Error(parsed.problem);
    return parsed.value;
  };
  const [leastBytes, mostBytes] = [number(least), number(most)];
  return {
    placeholder: "BYTES",
    parse(text) {
      const parsed = parseBytes(text);
      if ("problem" in parsed) return parsed;
      if (parsed.value >= leastBytes && parsed.value <= mostBytes) return parsed;
      return { problem: `${quote(text)} is not between ${least} and ${most}` };
    },
  };
}

/** Whole numbers from `least` to `most`. */
export function wholeNumber(
  { least, most, placeholder = "N" }: { least: number; most: number; placeholder?: string },
): ValueType<number> {
  return {
    placeholder,
    parse(text) {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      if (number >= least && number <= most) return { value: number };
      return { problem: `${quote(text)} is not a whole number from ${least} to ${most}` };
    },
  };
}

/** Lists of whole numbers, separated by commas. */
export function wholeNumbers(
  { least, most }: { least: number; most: number },
): ValueType<readonly number[]> {
  const one = wholeNumber({ least, most });
  return {
    placeholder: "N[,…]",
    parse(text) {
      const numbers: number[] = [];
      for (const part of text.split(",")) {
        const parsed = one.parse(part.trim());
        if ("problem" in parsed) return parsed;
        numbers.push(parsed.value);
      }
      return { value: numbers };
    },
  };
}

/** Numbers with an optional fraction, above zero (or from zero, where `zero` says so). */
export function number(
  { zero, most, placeholder = "N" }: { zero: boolean; most: number; placeholder?: string },
): ValueType<number> {
  return {
    placeholder,
    parse(text) {
      const value = /^(\d{1,12}(\.\d{1,12})?|\.\d{1,12})$/.test(text) ? Number(text) : NaN;
      if ((zero ? value >= 0 : value > 0) && value <= most) return { value };
      const range = zero ? `from 0 to ${most}` : `above 0, up to ${most}`;
      return { problem: `${quote(text)} is not a number ${range}` };
    },
  };
}

/** One word of a few. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  return {
    placeholder: words.join("|"),
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      if (word !== undefined) return { value: word };
      const near = nearest(text, words);
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      return { problem: `${quote(text)} is none of ${words.join(", ")}${hint}` };
    },
  };
}

/** Text of at most `mostBytes` bytes of UTF-8. */
export function text(placeholder: string, mostBytes: number): ValueType<string> {
  return {
    placeholder,
    parse(value) {
      const length = utf8Length(value);
      if (length <= mostBytes) return { value };
      return { problem: `${quote(value)} has ${length} bytes: at most ${mostBytes}` };
    },
  };
}

/** A path in the file system, or `-`. */
export const path: ValueType<string> = {
  placeholder: "PATH",
  parse(value) {
    return value.includes("\0") ? { problem: `${quote(value)} is not a path` } : { value };
  },
};

/** Longest name of a node, and longest label of a route, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 128;
export const LABEL_BYTES_MAX = 64;

/** What is wrong with a node's name, if anything: it must not break keys, tables or logs. */
export function nameProblem(value: string): string | undefined {
  return wordProblem(value, NAME_BYTES_MAX, ["::~::", "<~>"]);
}

/** What is wrong with a route's label, if anything. `>` joins labels in records. */
export function labelProblem(value: string): string | undefined {
  return wordProblem(value, LABEL_BYTES_MAX, ["::~::", "<~>", ">", ",", "="]);
}

/** A node's name. */
export const name: ValueType<string> = {
  placeholder: "NAME",
  parse(value) {
    const problem = nameProblem(value);
    return problem === undefined ? { value } : { problem };
  },
};

function wordProblem(
  value: string,
  mostBytes: number,
  forbidden: readonly string[],
): string | undefined {
  if (value.trim() === "") return `${quote(value)} is empty`;
  if (hasControls(value)) return `${quote(value)} holds control characters`;
  const length = utf8Length(value);
  if (length > mostBytes) return `${quote(value)} has ${length} bytes: at most ${mostBytes}`;
  const found = forbidden.find((part) => value.includes(part));
  return found === undefined ? undefined : `${quote(value)} must not contain ${quote(found)}`;
}

function utf8Length(value: string): number {
  return new TextEncoder().encode(value).length;
}

const YES = ["true", "1", "yes"];
const NO = ["false", "0", "no"];

/** What a flag is set to by a variable, or behind `=`. */
export function parseBoolean(value: string): Parsed<boolean> {
  const lower = value.toLowerCase();
  if (YES.includes(lower)) return { value: true };
  if (NO.includes(lower)) return { value: false };
  return { problem: `${quote(value)} is none of true, false, 1, 0, yes, no` };
}
