/**
 * Command line parsing with the contract of the JSR package `@std/cli` 1.x (`parse-args`), for
 * builds that cannot reach that registry: same exports, same generics, same results. It imports
 * nothing, so it runs on every runtime.
 *
 * It never throws on an argument, never changes what the caller handed in, and lets no argument
 * take the place of `_`; in these corners the release is less careful.
 */

type Names = string | undefined;
type BooleanNames = boolean | Names;
type AliasTable<TNames = string, TAliases extends string = string> = Partial<
  Record<Extract<TNames, string>, TAliases | ReadonlyArray<TAliases>>
>;

/** Intersections resolved, at every depth, to one plain object type. */
type Flatten<T> = T extends Record<string, unknown> ? { [K in keyof T]: Flatten<T[K]> } : T;

type RequiredKeys<T> = { [K in keyof T]-?: T extends Record<K, T[K]> ? K : never }[keyof T];

/** `"foo"` of `"foo.bar.baz"`, and of `"foo"`. */
type Head<TName> = TName extends `${infer First}.${string}` ? First : TName;

/** The flat entries whose names start with `THead.`, without that start. */
type Below<TFlat, THead> = {
  [K in keyof TFlat as K extends `${THead & string}.${infer Rest}` ? Rest : never]: TFlat[K];
};

/** `{ "foo.bar": X }` as `{ foo: { bar: X } }`; an object with a required entry is required. */
type Nest<TFlat> =
  & { [H in Head<RequiredKeys<TFlat>>]: Branch<TFlat, H> }
  & { [H in Exclude<Head<keyof TFlat>, Head<RequiredKeys<TFlat>>>]?: Branch<TFlat, H> };

type Branch<TFlat, THead> = THead extends keyof TFlat ? Required<TFlat>[THead]
  : Nest<Below<TFlat, THead>>;

/** The names given to each option. */
interface Declared {
  boolean: unknown;
  string: unknown;
  collect: unknown;
  negatable: unknown;
}

/** What one declared flag holds. Only a flag that is no boolean gains `false` by being negatable. */
type FlagValue<TName, D extends Declared> = TName extends D["boolean"] ?
    | (TName extends D["collect"] ? Array<boolean> : boolean)
    | (string extends TName ? undefined : never)
  :
    | (TName extends D["collect"] ? Array<TName extends D["string"] ? string : unknown>
      : string)
    | (TName extends D["negatable"] ? false : never);

/** All declared flags by full (dotted) name. Strings alone may be absent. */
type FlatFlags<D extends Declared> =
  & { [N in Extract<D["boolean"] | D["collect"], string>]: FlagValue<N, D> }
  & {
    [N in Extract<Exclude<D["string"], D["boolean"] | D["collect"]>, string>]?: FlagValue<N, D>;
  };

/** Adds the defaults: their keys become required, keys that no flag declares are `unknown`. */
type WithDefaults<TFlags, TDefaults> = TDefaults extends undefined ? TFlags
  :
    & Omit<TFlags, keyof TDefaults>
    & {
      [K in keyof TDefaults]: K extends keyof TFlags
        ? WithDefault<NonNullable<TFlags[K]>, TDefaults[K]>
        : unknown;
    };

type WithDefault<TFlag, TDefault> = [TFlag, TDefault] extends
  [Record<string, unknown>, Record<string, unknown>] ? WithDefaults<TFlag, TDefault>
  : TFlag | TDefault;

type AliasesOf<TName, TTable> = TName extends keyof TTable ? string extends TTable[TName] ? never
  : TTable[TName] extends string ? TTable[TName]
  : TTable[TName] extends Array<infer Alias> ? Extract<Alias, string>
  : never
  : never;

type WithAliases<TFlags, TTable> = {
  [K in keyof TFlags as K | AliasesOf<K, TTable>]: TFlags[K];
};

// deno-lint-ignore no-explicit-any
type Untyped = Record<string, any>;

/** Typed as soon as one of `boolean`, `string` and `collect` is given. */
type Values<D extends Declared, TDefaults, TTable> = [undefined, undefined, undefined] extends [
  false extends D["boolean"] ? undefined : D["boolean"],
  D["string"],
  D["collect"],
] ? Untyped
  :
    & Record<string, unknown>
    & WithAliases<
      WithDefaults<
        Nest<FlatFlags<D>>,
        TDefaults extends undefined ? TDefaults : Nest<TDefaults>
      >,
      TTable
    >;

/** The value of {@linkcode parseArgs}: `TArgs`, `_` and, where asked for, `--`. */
export type Args<
  TArgs extends Record<string, unknown> = Untyped,
  TDoubleDash extends boolean | undefined = undefined,
> = Flatten<
  & TArgs
  & {
    /** The arguments that belong to no flag, in their order. */
    _: Array<string | number>;
  }
  & (boolean extends TDoubleDash ? { "--"?: Array<string> }
    : true extends TDoubleDash ? { "--": Array<string> }
    : Record<never, never>)
>;

/** What {@linkcode parseArgs} is told about the flags. Names may be dotted. */
export interface ParseOptions<
  TBooleans extends BooleanNames = BooleanNames,
  TStrings extends Names = Names,
  TCollectable extends Names = Names,
  TNegatable extends Names = Names,
  TDefault extends Record<string, unknown> | undefined =
    | Record<string, unknown>
    | undefined,
  TAliases extends AliasTable | undefined = AliasTable | undefined,
  TDoubleDash extends boolean | undefined = boolean | undefined,
> {
  /** `true` puts what follows `--` in the result's `--` instead of its `_`. Default: `false`. */
  "--"?: TDoubleDash;
  /** Further names of a flag. Setting either name sets both. */
  alias?: TAliases;
  /**
   * Flags that take no value, and are `false` when absent. `true` means every `--flag` without
   * an equals sign (but no `-f`). Default: `false`.
   */
  boolean?: TBooleans | ReadonlyArray<Extract<TBooleans, string>>;
  /** Values of flags that are absent, by name, nested or dotted. */
  default?: TDefault & { [N in Extract<TBooleans | TStrings, string>]?: unknown };
  /** `true` ends parsing at the first argument that is no flag. Default: `false`. */
  stopEarly?: boolean;
  /** Flags whose value is never made a number. `_` stands for the positional arguments. */
  string?: TStrings | ReadonlyArray<Extract<TStrings, string>>;
  /** Flags that gather all their values in an array. Of any other flag the last value counts. */
  collect?: TCollectable | ReadonlyArray<Extract<TCollectable, string>>;
  /** Flags that `--no-NAME` sets to `false`. */
  negatable?: TNegatable | ReadonlyArray<Extract<TNegatable, string>>;
  /**
   * Called for each positional argument (with `arg` alone) and each flag that is neither boolean
   * nor string nor aliased, with its value as written. `false` keeps it out of the result.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

interface Rules {
  /** Every name to the other names that are set with it. */
  aliases: Map<string, Set<string>>;
  booleans: Set<string>;
  allBooleans: boolean;
  strings: Set<string>;
  collected: Set<string>;
  negatable: Set<string>;
}

/** One assignment read from an argument; `negation` marks `--no-NAME`. */
interface Flag {
  key: string;
  value: string | boolean;
  negation?: boolean;
}

/** The flags of one argument, and whether the argument after it was the last one's value. */
interface Reading {
  flags: Flag[];
  usedNext: boolean;
}

type Tree = Record<string, unknown>;

function readAliases(table: AliasTable): Rules["aliases"] {
  const aliases: Rules["aliases"] = new Map();
  for (const [name, value] of Object.entries(table)) {
    if (value === undefined) throw new TypeError(`The alias of "${name}" is undefined`);
    const group = [name, ...[value].flat()];
    for (const member of group) {
      aliases.set(member, new Set(group.filter((other) => other !== member)));
    }
  }
  return aliases;
}

function readRules(options: ParseOptions): Rules {
  const aliases = readAliases(options.alias ?? {});
  const withAliases = (names: BooleanNames | ReadonlyArray<string>) =>
    new Set(
      [names].flat()
        .filter((name): name is string => typeof name === "string" && name !== "")
        .flatMap((name) => [name, ...(aliases.get(name) ?? [])]),
    );
  return {
    aliases,
    booleans: withAliases(options.boolean),
    allBooleans: options.boolean === true,
    strings: withAliases(options.string),
    collected: withAliases(options.collect),
    negatable: withAliases(options.negatable),
  };
}

/** The last (or only) flag of an argument, which may take the next argument as its value. */
function readWithNext(
  key: string,
  next: string | undefined,
  nextIsValue: boolean,
  { aliases, booleans, strings }: Rules,
): Reading {
  const isBoolean = [key, ...(aliases.get(key) ?? [])].some((name) => booleans.has(name));
  if (next && nextIsValue && !isBoolean) return { flags: [{ key, value: next }], usedNext: true };
  if (next === "true" || next === "false") {
    return { flags: [{ key, value: next === "true" }], usedNext: true };
  }
  return { flags: [{ key, value: strings.has(key) ? "" : true }], usedNext: false };
}

/** `--name`, `--name=value`, `--name value`, `--no-name`. */
function readLong(arg: string, next: string | undefined, rules: Rules): Reading {
  const body = arg.slice(2);
  const negated = body.startsWith("no-");
  const name = negated ? body.slice(3) : body;

  const equals = name.indexOf("=", 1);
  if (equals !== -1 && equals < name.length - 1) {
    const key = name.slice(0, equals);
    const text = name.slice(equals + 1);
    const value = rules.booleans.has(key) ? text !== "false" : text;
    return { flags: [{ key, value }], usedNext: false };
  }
  if (negated && rules.negatable.has(name)) {
    return { flags: [{ key: name, value: false, negation: true }], usedNext: false };
  }
  const nextIsValue = !rules.allBooleans && !next?.startsWith("-");
  return readWithNext(body, next, nextIsValue, rules);
}

/** What is attached to a letter of a group as its value: `-n5`, `-n=5`, `-I/usr`, `-f-`. */
function attachedValue(letter: string, rest: string): string | undefined {
  if (rest === "-") return rest;
  if (/[A-Za-z]/.test(letter)) {
    const assigned = /=(.+)/s.exec(rest)?.[1];
    if (assigned !== undefined) return assigned;
    if (/\d\.?$/.test(rest)) return rest;
  }
  return rest.length > 1 && /^\W/.test(rest) ? rest : undefined;
}

/** `-a`, `-abc`, `-a value`, and a letter with its value attached. */
function readShort(arg: string, next: string | undefined, rules: Rules): Reading {
  const flags: Flag[] = [];
  for (let i = 1; i < arg.length - 1; i++) {
    const key = arg.charAt(i);
    const value = attachedValue(key, arg.slice(i + 1));
    flags.push({ key, value: value ?? (rules.strings.has(key) ? "" : true) });
    if (value !== undefined) return { flags, usedNext: false };
  }
  const nextIsValue = !/^--?[^-]/.test(next ?? "");
  const last = readWithNext(arg.slice(-1), next, nextIsValue, rules);
  return { flags: [...flags, ...last.flags], usedNext: last.usedNext };
}

function toNumberIfNumeric(text: string): string | number {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function isTree(value: unknown): value is Tree {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The keys to a dotted name's value; none for a name that could reach a prototype. */
function pathOf(name: string): { parents: string[]; last: string } | undefined {
  const parents = name.split(".");
  if (parents.includes("__proto__") || parents.includes("constructor")) return undefined;
  const last = parents.pop() ?? name;
  return { parents, last };
}

/** Sets what an argument says; below a value that is no object, an object takes its place. */
function assign(root: Tree, name: string, value: unknown, collect: boolean): void {
  const path = pathOf(name);
  if (!path) return;
  let node = root;
  for (const key of path.parents) {
    const child = node[key];
    node = isTree(child) ? child : (node[key] = {});
  }
  const earlier = Object.hasOwn(node, path.last) ? node[path.last] : undefined;
  if (collect && Array.isArray(earlier)) earlier.push(value);
  else if (collect) node[path.last] = earlier ? [earlier, value] : [value];
  else node[path.last] = value;
}

/** Sets what is absent, and nothing below a value that is no object. */
function fill(root: Tree, name: string, value: unknown): void {
  const path = pathOf(name);
  if (!path) return;
  let node = root;
  for (const key of path.parents) {
    const child = Object.hasOwn(node, key) ? node[key] : {};
    if (!isTree(child)) return;
    // Copied, for it may be an object of the caller's defaults.
    const copy = { ...child };
    node[key] = copy;
    node = copy;
  }
  if (!Object.hasOwn(node, path.last)) node[path.last] = value;
}

function fillDefaults(root: Tree, defaults: Tree, rules: Rules): void {
  for (const [name, value] of Object.entries(defaults)) {
    for (const key of [name, ...(rules.aliases.get(name) ?? [])]) fill(root, key, value);
  }
  for (const name of rules.booleans) fill(root, name, rules.collected.has(name) ? [] : false);
  for (const name of rules.strings) if (rules.collected.has(name)) fill(root, name, []);
}

/**
 * Reads command line arguments into an object of flags, with the other arguments in `_`.
 *
 * Without options a flag takes the next argument as its value unless that is a flag too, and is
 * `true` otherwise; values and positional arguments that look like numbers become numbers;
 * dotted names become nested objects. What follows `--` is kept as written.
 *
 * @param args The arguments, without the program.
 * @param options Names and kinds of flags; the type of the result follows from them.
 * @returns The flags, `_` and, with `"--": true`, `--`.
 * @throws {TypeError} If an alias is `undefined`.
 *
 * @example
 * ```ts
 * parseArgs(["--port", "8080", "-v", "file"], { boolean: ["v"] });
 * // { _: ["file"], port: 8080, v: true }
 * ```
 */
export function parseArgs<
  TArgs extends Values<
    { boolean: TBooleans; string: TStrings; collect: TCollectable; negatable: TNegatable },
    TDefaults,
    TAliases
  >,
  TDoubleDash extends boolean | undefined = undefined,
  TBooleans extends BooleanNames = undefined,
  TStrings extends Names = undefined,
  TCollectable extends Names = undefined,
  TNegatable extends Names = undefined,
  TDefaults extends Record<string, unknown> | undefined = undefined,
  TAliases extends AliasTable<TAliasArgNames, TAliasNames> | undefined = undefined,
  TAliasArgNames extends string = string,
  TAliasNames extends string = string,
>(
  args: string[],
  options?: ParseOptions<
    TBooleans,
    TStrings,
    TCollectable,
    TNegatable,
    TDefaults,
    TAliases,
    TDoubleDash
  >,
): Args<TArgs, TDoubleDash> {
  const settings = (options ?? {}) as ParseOptions;
  const rules = readRules(settings);
  const end = args.indexOf("--");
  const parsed = end === -1 ? args : args.slice(0, end);
  const verbatim = end === -1 ? [] : args.slice(end + 1);
  const positionals: Array<string | number> = [];
  const result: Tree = { _: positionals };

  const isKnown = (arg: string, key: string) =>
    rules.booleans.has(key) || rules.strings.has(key) || rules.aliases.has(key) ||
    (rules.allBooleans && arg.startsWith("--") && !arg.includes("="));

  function setFlag(arg: string, { key, value, negation = false }: Flag): void {
    if (!isKnown(arg, key) && settings.unknown?.(arg, key, value) === false) return;
    const typed = typeof value === "string" && !rules.strings.has(key)
      ? toNumberIfNumeric(value)
      : value;
    const collect = !negation && rules.collected.has(key);
    for (const name of [key, ...(rules.aliases.get(key) ?? [])]) {
      assign(result, name, typed, collect);
    }
  }

  for (let i = 0; i < parsed.length; i++) {
    const arg = parsed[i] ?? "";
    if (arg.startsWith("-") && arg !== "-") {
      const read = arg.startsWith("--") ? readLong : readShort;
      const { flags, usedNext } = read(arg, parsed[i + 1], rules);
      for (const flag of flags) setFlag(arg, flag);
      if (usedNext) i++;
      continue;
    }
    if (settings.unknown?.(arg) !== false) {
      positionals.push(rules.strings.has("_") ? arg : toNumberIfNumeric(arg));
    }
    if (settings.stopEarly) {
      positionals.push(...parsed.slice(i + 1));
      break;
    }
  }

  fillDefaults(result, settings.default ?? {}, rules);
  // A flag named `_` must not take the place of the positional arguments.
  result["_"] = positionals;
  if (settings["--"]) result["--"] = verbatim;
  else positionals.push(...verbatim);
  return result as Args<TArgs, TDoubleDash>;
}
