/**
 * From arguments and environment to a configuration, by a table of options.
 *
 * The command line stands above the environment, and that above the defaults. An empty variable
 * counts as unset. Of a switch given twice the last counts, so that a script can put its own
 * before those of its user; a list given twice is wrong usage, because the second could be meant
 * to replace or to add.
 */

import { parseArgs } from "@std/cli/parse-args";
import { quote } from "./escape.ts";
import { nearest } from "./nearest.ts";
import {
  type AnyTable,
  camelCase,
  type Option,
  type Options,
  type OptionTable,
  type Source,
  type Sources,
  variableOf,
} from "./option.ts";
import { parseBoolean, type Parsed } from "./values.ts";

/** Wants nothing but a text, whatever else the command line says. */
export type Question = "help" | "version" | "licenses";

/** Not a configuration, but something to print and an exit code. */
export type Answer =
  | { readonly ok: true; readonly action: Question }
  /** Wrong usage; the message is one line that names the switch or the variable. */
  | { readonly ok: false; readonly message: string };

/** What a command line asks for. */
export type Outcome<O extends Options, C> = Answer | {
  readonly ok: true;
  readonly action: "run";
  readonly config: C;
  readonly sources: Sources<O>;
  /** What was said without effect: to be logged. */
  readonly warnings: readonly string[];
};

/** Environment variables by name, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const QUESTIONS: readonly Question[] = ["help", "version", "licenses"];

/**
 * Reads a command line.
 *
 * @param argv the arguments alone, without the program's own name
 */
export function parseCommandLine<O extends Options, C>(
  table: OptionTable<O, C>,
  argv: readonly string[],
  env: Environment,
): Outcome<O, C> {
  const alone = argv.length === 1 ? questionOf(table, argv[0]!) : undefined;
  if (alone !== undefined) return { ok: true, action: alone };
  const given = readArguments(table, argv);
  // Who asks for help may well have the rest of the line wrong.
  const question = QUESTIONS.find((name) => given.values.get(name)?.includes(true));
  if (question !== undefined) return { ok: true, action: question };
  if (given.problem !== undefined) return { ok: false, message: given.problem };

  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const [name, option] of Object.entries(table.options)) {
    if (option.kind === "question") continue;
    const found = findValue(table, name, option, given.values.get(name) ?? [], env);
    if ("problem" in found) return { ok: false, message: found.problem };
    values[camelCase(name)] = found.value;
    sources[camelCase(name)] = found.source;
  }

  const finished = table.finish(
    values as Parameters<typeof table.finish>[0],
    sources as Sources<O>,
    given.operands,
  );
  if ("problem" in finished) return { ok: false, message: finished.problem };
  return { ok: true, action: "run", sources: sources as Sources<O>, ...finished.value };
}

/** A question that stands by itself needs no more than this: the help comes 1 ms sooner. */
function questionOf(table: AnyTable, argument: string): Question | undefined {
  const options = table.options as Options;
  return QUESTIONS.find((name) => {
    if (options[name] === undefined) return false;
    const { short } = options[name];
    return argument === `--${name}` || (short !== undefined && argument === `-${short}`);
  });
}

interface Arguments {
  /** All that was given to each option: booleans for flags, text for the others. */
  values: Map<string, (string | boolean)[]>;
  operands: readonly string[];
  problem: string | undefined;
}

function readArguments(table: AnyTable, argv: readonly string[]): Arguments {
  const options = table.options as Options;
  const entries = Object.entries(options);
  const named = (hasValue: boolean) =>
    entries.filter(([, { kind }]) => (kind === "value") === hasValue).map(([name]) => name);
  let problem: string | undefined;

  const spelled = spellOut(options, argv);
  const parsed = parseArgs(spelled.argv, {
    boolean: named(false),
    // `_`: an operand that looks like a number stays as it was written.
    string: [...named(true), "_"],
    collect: Object.keys(options),
    negatable: entries.filter(([, option]) => option.negatable).map(([name]) => name),
    alias: Object.fromEntries(
      entries.flatMap(([name, { short }]) => short === undefined ? [] : [[short, name]]),
    ),
    unknown(argument: string, key?: string) {
      if (key === undefined && table.operands !== undefined) return true;
      problem ??= key === undefined ? unexpected(argument) : unknownSwitch(table, argument, key);
      return false;
    },
  }) as Record<string, unknown> & { _: unknown[] };
  // Behind `--`, nothing is asked about.
  const operands = parsed._.map(String);
  if (operands.length > 0 && table.operands === undefined) problem ??= unexpected(operands[0]!);
  problem = spelled.problem ?? problem;

  const values: Arguments["values"] = new Map();
  for (const [name, option] of entries) {
    // `--no-…` sets the bare value, collected or not.
    const found = parsed[name];
    const all: unknown[] = Array.isArray(found) ? found : found === undefined ? [] : [found];
    if (option.kind !== "value") {
      values.set(name, all.filter((item) => typeof item === "boolean"));
      continue;
    }
    const texts = all.map(String);
    if (texts.some((item) => !item.startsWith(MARK))) {
      problem ??= `--${name} needs a value: --${name} ${option.placeholder}`;
    }
    values.set(name, texts.map((item) => item.slice(MARK.length)));
  }
  return { values, operands, problem };
}

/**
 * Stands before every value that is handed to `parseArgs`, which would take an empty one for
 * none: so a value that is empty and one that is missing are told apart.
 */
const MARK = "=";

/**
 * The arguments with each value joined to its switch (`--switch=value`), as far as the switches
 * are known. It settles what the contract of `parseArgs` leaves to chance: `-sa=b` (it would keep
 * only what follows the `=`), a lone `-` and negative numbers as values, and flags with a value.
 */
function spellOut(
  options: Options,
  argv: readonly string[],
): { argv: string[]; problem: string | undefined } {
  const spelled: string[] = [];
  let problem: string | undefined;
  const byShort = new Map(
    Object.entries(options).flatMap(([name, { short }]) =>
      short === undefined ? [] : [[short, name] as const]
    ),
  );
  let i = 0;
  for (; i < argv.length; i++) {
    const argument = argv[i] ?? "";
    if (argument === "--") {
      spelled.push(...argv.slice(i));
      break;
    }
    const long = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    if (long !== null) {
      take(long[1] ?? "", long[2], argument);
      continue;
    }
    const single = /^-([^-=][^=]+)/.exec(argument)?.[1];
    if (single !== undefined && optionOf(options, single) !== undefined) {
      problem ??= `unknown switch -${single}; did you mean --${single}?`;
    }
    const group = argument.startsWith("-") ? shortGroup(argument.slice(1)) : undefined;
    if (group === undefined) {
      spelled.push(argument);
      continue;
    }
    for (const { name, attached } of group) take(name, attached, argument);
  }
  return { argv: spelled, problem };

  /** Takes over one switch, and the next argument too where that is its value. */
  function take(name: string, attached: string | undefined, as: string): void {
    const positive = name.startsWith("no-") ? name.slice(3) : name;
    const option = optionOf(options, name) ?? optionOf(options, positive);
    if (option === undefined || (name !== positive && !option.negatable)) {
      spelled.push(as);
    } else if (option.pair === true) {
      const both = [attached ?? argv[++i], argv[++i]];
      if (both.some((one) => one === undefined || one === "" || !isValue(one, byShort))) {
        problem ??= `--${name} needs two values: --${name} ${option.placeholder}`;
      } else spelled.push(`--${name}=${MARK}${both.join("\n")}`);
    } else if (option.kind === "value") {
      const next = argv[i + 1];
      if (attached === undefined && next !== undefined && isValue(next, byShort)) {
        i++;
        spelled.push(`--${name}=${MARK}${next}`);
      } else {
        spelled.push(attached === undefined ? `--${name}` : `--${name}=${MARK}${attached}`);
      }
    } else if (attached === undefined) {
      spelled.push(`--${name}`);
    } else if (name !== positive) {
      problem ??= `--${name} takes no value: ${quote(as)}`;
    } else {
      const parsed = parseBoolean(attached);
      if ("problem" in parsed) problem ??= `--${name}: ${parsed.problem}`;
      else spelled.push(`--${name}=${parsed.value}`);
    }
  }

  /** `vp8080` → verbose, port with 8080; undefined where a letter is unknown. */
  function shortGroup(letters: string): { name: string; attached?: string }[] | undefined {
    const found: { name: string; attached?: string }[] = [];
    for (let at = 0; at < letters.length; at++) {
      const name = byShort.get(letters[at] ?? "");
      if (name === undefined) return undefined;
      const rest = letters.slice(at + 1);
      const isFlag = optionOf(options, name)?.kind !== "value";
      if (rest.startsWith("=")) return [...found, { name, attached: rest.slice(1) }];
      if (!isFlag) return [...found, rest === "" ? { name } : { name, attached: rest }];
      found.push({ name });
    }
    return found.length > 0 ? found : undefined;
  }
}

/** Whether the argument behind a switch is its value rather than the next switch. */
function isValue(argument: string, byShort: ReadonlyMap<string, string>): boolean {
  if (!argument.startsWith("-") || argument === "-") return true;
  // A negative number is refused later, by a message about the number; `-4` is a switch.
  return /^-\.?\d/.test(argument) && !(argument.length === 2 && byShort.has(argument[1] ?? ""));
}

function findValue(
  table: AnyTable,
  name: string,
  option: Option<unknown>,
  given: readonly (string | boolean)[],
  env: Environment,
): { problem: string } | { value: unknown; source: Source } {
  const last = given.at(-1);
  if (last !== undefined) {
    if (option.list && given.length > 1) {
      return { problem: `--${name} is given twice: write one list, --${name} ${example(given)}` };
    }
    if (typeof last === "boolean") return { value: last, source: "command line" };
    if (last === "" && !option.emptyAllowed) {
      return { problem: `--${name} has an empty value: --${name} ${option.placeholder}` };
    }
    return from(`--${name}`, "command line", parseText(option, last));
  }
  const variable = variableOf(table, name);
  const text = variable === undefined ? undefined : env[variable];
  if (variable === undefined || text === undefined || text === "") {
    return { value: option.initial, source: "default" };
  }
  return from(variable, "environment", parseText(option, text));
}

function parseText(option: Option<unknown>, text: string): Parsed<unknown> {
  return option.parse === undefined ? parseBoolean(text) : option.parse(text);
}

function from(
  where: string,
  source: Source,
  parsed: Parsed<unknown>,
): { problem: string } | { value: unknown; source: Source } {
  return "problem" in parsed ? { problem: `${where}: ${parsed.problem}` } : { ...parsed, source };
}

function example(given: readonly (string | boolean)[]): string {
  return quote(given.join(",")).slice(1, -1);
}

function unexpected(argument: string): string {
  return `unexpected argument ${quote(argument)}: every value belongs to a switch`;
}

function unknownSwitch(table: AnyTable, argument: string, key: string): string {
  const options = table.options as Options;
  const dashed = argument.startsWith("--") ? "--" : "-";
  const written = argument.split("=", 1)[0] ?? argument;
  const asked = quote(dashed === "--" ? written : `-${key}`).slice(1, -1);
  const within = dashed === "-" && written.length > 2 ? ` in ${quote(written)}` : "";
  const names = Object.entries(options).flatMap(([name, { negatable }]) =>
    negatable ? [name, `no-${name}`] : [name]
  );
  // `-port` for `--port` is as likely as a wrong letter.
  const near = nearest(written.replace(/^-+/, ""), names);
  const hint = near === undefined ? "; -h shows all switches" : `; did you mean --${near}?`;
  return `unknown switch ${asked}${within}${hint}`;
}

function optionOf(options: Options, name: string): Option<unknown> | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}
