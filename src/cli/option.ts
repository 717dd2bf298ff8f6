/**
 * One declaration for each option. Parsing, environment, help, the README's table and the static
 * type of the configuration all derive from it.
 */

import type { Parsed, ValueType } from "./values.ts";

/** An option of a command line; `T` is the type that it has in the configuration. */
export interface Option<T> {
  readonly kind: "flag" | "value" | "question";
  /** One of the table's groups: the heading that help lists it under. */
  readonly group: string;
  readonly help: string;
  /** One character, given as `-x`. */
  readonly short?: string;
  /** How help shows the value; flags have none. */
  readonly placeholder?: string;
  /** Its variable; `false`: none. Derived from prefix and switch where absent. */
  readonly variable?: string | false;
  /** As a user would write it, or in words where it depends on other options. */
  readonly defaultText?: string;
  /** The command line may give it the empty text. */
  readonly emptyAllowed?: boolean;
  /** `--no-…` sets it to false. */
  readonly negatable?: boolean;
  /** Takes two arguments; `parse` gets them joined by a newline. */
  readonly pair?: boolean;
  /** A list: given twice, it is unclear whether the second replaces or adds. */
  readonly list?: boolean;
  /** The value where nobody gave one. */
  readonly initial: T;
  /** Absent for flags. */
  readonly parse?: (text: string) => Parsed<T>;
}

interface Description {
  group: string;
  help: string;
  short?: string;
  variable?: string | false;
}

interface ValueDescription extends Description {
  emptyAllowed?: boolean;
  list?: boolean;
  pair?: boolean;
}

/** A switch that is on or off, off by default. */
export function flag(description: Description): Option<boolean> {
  return { ...description, kind: "flag", initial: false };
}

/**
 * A switch that asks for a text instead of a run, such as `--help`. It is no part of the
 * configuration, and has no variable: the likes of `SERVER_VERSION` are often set for others.
 */
export function question(description: Omit<Description, "variable">): Option<never> {
  return { ...description, kind: "question", variable: false, initial: undefined as never };
}

/** A switch with `--no-…`; where nobody said which, `initial`, or undefined. */
export function eitherFlag(
  description: Description & { defaultText: string; initial: boolean },
): Option<boolean>;
export function eitherFlag(
  description: Description & { defaultText: string },
): Option<boolean | undefined>;
export function eitherFlag(
  description: Description & { defaultText: string; initial?: boolean },
): Option<boolean | undefined> {
  return { initial: undefined, ...description, kind: "flag", negatable: true };
}

/**
 * An option with a value; the default is written as a user would write it. It is read where it is
 * asked for, since help shows all as they are written: that throws where the type does not take it.
 */
export function value<T>(
  type: ValueType<T>,
  description: ValueDescription & { default: string },
): Option<T>;
export function value<T>(type: ValueType<T>, description: ValueDescription): Option<T | undefined>;
export function value<T>(
  type: ValueType<T>,
  { default: defaultText, ...description }: ValueDescription & { default?: string },
): Option<T | undefined> {
  const common = {
    ...description,
    kind: "value",
    placeholder: type.placeholder,
    parse: (text: string) => type.parse(text),
  } as const;
  if (defaultText === undefined) return { ...common, initial: undefined };
  return {
    ...common,
    defaultText,
    get initial() {
      const parsed = type.parse(defaultText);
      if ("problem" in parsed) throw new Error(`default: ${parsed.problem}`);
      return parsed.value;
    },
  };
}

/** Options by their long switch, without the dashes. */
// deno-lint-ignore no-explicit-any -- each option has a type of its own
export type Options = Readonly<Record<string, Option<any>>>;

/** `max-clients` → `maxClients`. */
export type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/**
 * What a command line and its environment say, by switch in camel case. Durations are
 * milliseconds, sizes are bytes.
 */
export type Values<O extends Options> = {
  -readonly [K in keyof O & string as O[K] extends Option<never> ? never : CamelCase<K>]:
    O[K] extends Option<infer T> ? T : never;
};

/** Where a value came from; each stands above the next. */
export type Source = "command line" | "environment" | "default";

/** Where each value came from, by switch in camel case. */
export type Sources<O extends Options> = Record<keyof Values<O> & string, Source>;

/** All that a program says about its command line. */
export interface OptionTable<O extends Options, C> {
  readonly tool: "performance-client" | "performance-server";
  /** Of its variables. */
  readonly prefix: "CLIENT" | "SERVER" | "REPORT";
  /** The word behind the program's name that asks for this instead of its main job. */
  readonly command?: string;
  /** Arguments without a switch, as help shows them; where absent, there are none. */
  readonly operands?: string;
  /** What the program is for: a paragraph. */
  readonly about: string;
  /** Headings, in the order of the help. */
  readonly groups: readonly string[];
  readonly options: O;
  readonly examples: readonly { readonly says: string; readonly command: string }[];
  readonly notes: readonly { readonly title: string; readonly text: string }[];
  /** What no option can tell alone: checks between them, and what follows from them. */
  finish(
    values: Values<O>,
    sources: Sources<O>,
    operands: readonly string[],
  ): Parsed<{ config: C; warnings: string[] }>;
}

/** A table whatever its options are. */
// deno-lint-ignore no-explicit-any -- only the table itself knows the types of its options
export type AnyTable = OptionTable<any, any>;

/** The configuration that a table's command line gives. */
export type Config<T extends AnyTable> = T extends OptionTable<infer _O, infer C> ? C : never;

/** How a table's program is called. */
export function callOf({ tool, command }: AnyTable): string {
  return command === undefined ? tool : `${tool} ${command}`;
}

/** `max-clients` → `maxClients`. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The variable of an option, if it has one. */
export function variableOf(table: AnyTable, name: string): string | undefined {
  const declared = (table.options as Options)[name]?.variable;
  if (declared === false) return undefined;
  return declared ?? `${table.prefix}_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** The stronger of two options that exclude one another, by where they came from. */
export function stronger(a: Source, b: Source): "a" | "b" | "neither" {
  const rank = { "command line": 2, environment: 1, default: 0 };
  if (rank[a] === rank[b]) return "neither";
  return rank[a] > rank[b] ? "a" : "b";
}
