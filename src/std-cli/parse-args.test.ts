import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArgs as parseArgsBySpecifier } from "@std/cli/parse-args";
import fc from "fast-check";
import * as parseArgsModule from "./parse-args.ts";
import { type Args, parseArgs, type ParseOptions } from "./parse-args.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Fails to compile unless the value's type is exactly `Expected`. */
function hasType<Expected>() {
  return <Actual>(_value: Actual, _same: Equal<Actual, Expected>) => {};
}

type Positionals = Array<string | number>;

test("the specifier of the package resolves to this module", () => {
  assert.equal(parseArgsBySpecifier, parseArgs);
  assert.deepEqual(Object.keys(parseArgsModule), ["parseArgs"]);
});

// Long flags

test("a long flag takes the next argument, and is true without one", () => {
  assert.deepEqual(parseArgs(["--host", "relay", "--verbose"]), {
    _: [],
    host: "relay",
    verbose: true,
  });
  assert.deepEqual(parseArgs(["--verbose", "--host=relay"]), {
    _: [],
    verbose: true,
    host: "relay",
  });
  assert.deepEqual(parseArgs(["--a", "-", "--b", ""]), { _: ["-", ""], a: true, b: true });
});

test("a value after an equals sign may contain anything, further equals signs too", () => {
  assert.deepEqual(parseArgs(["--q=a=b", "--text=two\nlines", "--dash=--x", "--e=="]), {
    _: [],
    q: "a=b",
    text: "two\nlines",
    dash: "--x",
    e: "=",
  });
});

test("an equals sign with nothing after it is part of the name", () => {
  assert.deepEqual(parseArgs(["--name="]), { _: [], "name=": true });
  assert.deepEqual(parseArgs(["--=x"]), { _: [], "=x": true });
  assert.deepEqual(parseArgs(["-n="]), { _: [], n: true, "=": true });
});

test("the last value of a repeated flag counts", () => {
  assert.deepEqual(parseArgs(["--n", "1", "--n=2", "-n", "3"]), { _: [], n: 3 });
});

test("a flag may have the name of an inherited property", () => {
  assert.deepEqual(parseArgs(["--toString", "--valueOf", "x", "--hasOwnProperty.y=1"]), {
    _: [],
    toString: true,
    valueOf: "x",
    hasOwnProperty: { y: 1 },
  });
});

// Numbers

test("values that look like numbers become numbers, in flags and in positionals", () => {
  const texts = ["0", "-0.5", "+3", ".5", "5.", "1e3", "1E-2", "0xff", "0b11", "0o17", " 7 "];
  const numbers = [0, -0.5, 3, 0.5, 5, 1000, 0.01, 255, 3, 15, 7];
  assert.deepEqual(texts.map((text) => parseArgs([`--n=${text}`]).n), numbers);
  const plain = texts.filter((text) => !text.startsWith("-"));
  assert.deepEqual(parseArgs(plain)._, numbers.filter((number) => number >= 0));
});

test("what is no finite number stays text", () => {
  for (const text of ["10f", "1_000", "Infinity", "1e999", "NaN", "0x", "1.2.3", "12:30", " "]) {
    assert.equal(parseArgs([`--n=${text}`]).n, text);
    assert.deepEqual(parseArgs([text])._, [text]);
  }
  assert.deepEqual(parseArgs([""])._, [""]);
});

// Short flags

test("letters are flags each, and the last may take the next argument", () => {
  assert.deepEqual(parseArgs(["-abc"]), { _: [], a: true, b: true, c: true });
  assert.deepEqual(parseArgs(["-abc", "x", "y"]), { _: ["y"], a: true, b: true, c: "x" });
  assert.deepEqual(parseArgs(["-p", "8080", "-h", "relay"]), { _: [], p: 8080, h: "relay" });
  assert.deepEqual(parseArgs(["-123", "4"]), { _: [], 1: true, 2: true, 3: 4 });
});

test("a value may be attached to its letter", () => {
  assert.deepEqual(parseArgs(["-n5", "-m=6", "-k=x=y", "-t1.5e3", "-s-3", "-qr7."]), {
    _: [],
    n: 5,
    m: 6,
    k: "x=y",
    t: 1500,
    s: -3,
    q: "r7.",
  });
  assert.deepEqual(parseArgs(["-vI/usr/lib"]), { _: [], v: true, I: "/usr/lib" });
  assert.deepEqual(parseArgs(["-o=two\nlines"]), { _: [], o: "two\nlines" });
});

test("the first letter of a group takes an attached number or assignment", () => {
  assert.deepEqual(parseArgs(["-ab5"]), { _: [], a: "b5" });
  assert.deepEqual(parseArgs(["-ab=x"]), { _: [], a: "x" });
});

test("a single hyphen is a value for short flags and a positional argument otherwise", () => {
  assert.deepEqual(parseArgs(["-n", "-"]), { _: [], n: "-" });
  assert.deepEqual(parseArgs(["-vf-"]), { _: [], v: true, f: "-" });
  assert.deepEqual(parseArgs(["-"]), { _: ["-"] });
  assert.deepEqual(parseArgs(["-b", "-"], { boolean: "b" }), { _: ["-"], b: true });
});

test("a short flag takes no flag as its value", () => {
  assert.deepEqual(parseArgs(["-a", "-b", "--c"]), { _: [], a: true, b: true, c: true });
  assert.deepEqual(parseArgs(["-a", "-5"]), { _: [], a: true, 5: true });
  assert.deepEqual(parseArgs(["-a", "---"]), { _: [], a: "---" });
});

// boolean

test("boolean flags take no value but true and false, and are false when absent", () => {
  const options: ParseOptions = { boolean: ["verbose", "q", "x"] };
  assert.deepEqual(parseArgs(["--verbose", "file", "-q", "more"], options), {
    _: ["file", "more"],
    verbose: true,
    q: true,
    x: false,
  });
  assert.deepEqual(parseArgs(["--verbose", "false", "-q", "true", "-x", "false1"], options), {
    _: ["false1"],
    verbose: false,
    q: true,
    x: true,
  });
});

test("a value assigned to a boolean flag is true unless it is the word false", () => {
  const flag = (text: string) => parseArgs([`--on=${text}`], { boolean: "on" }).on;
  assert.deepEqual(["true", "false", "0", "no"].map(flag), [true, false, true, true]);
});

test("true and false are words to a flag that is not boolean", () => {
  assert.deepEqual(parseArgs(["--other=true", "--more", "false"]), {
    _: [],
    other: "true",
    more: "false",
  });
});

test("boolean: true makes booleans of long flags without an equals sign only", () => {
  assert.deepEqual(
    parseArgs(["--loud", "x", "--size=3", "-p", "5", "--off", "false"], { boolean: true }),
    { _: ["x"], loud: true, size: 3, p: 5, off: false },
  );
  assert.deepEqual(parseArgs(["--loud", "x"], { boolean: false }), { _: [], loud: "x" });
  assert.deepEqual(parseArgs(["--s", "x"], { boolean: true, string: "s" }), { _: ["x"], s: "" });
});

test("empty names declare nothing", () => {
  const none = { boolean: "", string: [""], collect: [""], negatable: [""] };
  assert.deepEqual(parseArgs(["--no-"], none), { _: [], "no-": true });
});

// string

test("string flags keep their text, are empty without a value and missing when absent", () => {
  const options: ParseOptions = { string: ["id", "s", "t"] };
  assert.deepEqual(parseArgs(["--id", "007", "-s", "1e3", "-t5"], options), {
    _: [],
    id: "007",
    s: "1e3",
    t: "5",
  });
  assert.deepEqual(parseArgs(["--id", "-rst"], options), {
    _: [],
    id: "",
    r: true,
    s: "",
    t: "",
  });
  assert.deepEqual(parseArgs([], options), { _: [] });
});

test("naming _ as string keeps positional arguments as text", () => {
  assert.deepEqual(parseArgs(["1", "0x2", "--n", "3"], { string: "_" }), {
    _: ["1", "0x2"],
    n: 3,
  });
});

// collect

test("collected flags gather their values in order", () => {
  assert.deepEqual(
    parseArgs(["--tag", "a", "-v", "--tag=2", "-v", "--other", "x", "--other", "y"], {
      collect: ["tag", "v"],
      boolean: ["v"],
    }),
    { _: [], tag: ["a", 2], v: [true, true], other: "y" },
  );
  assert.deepEqual(parseArgs(["--tag", "1"], { collect: "tag", string: "tag" }).tag, ["1"]);
});

test("an absent collected flag is an empty array if declared boolean or string", () => {
  assert.deepEqual(
    parseArgs([], { collect: ["s", "b", "plain"], string: ["s"], boolean: ["b"] }),
    { _: [], s: [], b: [] },
  );
});

test("a collected flag may have the name of an inherited property", () => {
  assert.deepEqual(parseArgs(["--valueOf=1"], { collect: "valueOf" }), { _: [], valueOf: [1] });
});

test("collected values replace the default, which is left as it was", () => {
  const defaults = { tag: ["a"] };
  const options: ParseOptions = { collect: ["tag"], string: ["tag"], default: defaults };
  assert.deepEqual(parseArgs(["--tag", "b"], options).tag, ["b"]);
  assert.deepEqual(parseArgs([], options).tag, ["a"]);
  assert.deepEqual(defaults, { tag: ["a"] });
});

test("a collected flag gathers under all its names without repeating a value", () => {
  assert.deepEqual(
    parseArgs(["-H", "a", "--header", "b"], { collect: ["header"], alias: { H: "header" } }),
    { _: [], header: ["a", "b"], H: ["a", "b"] },
  );
});

// negatable

test("--no- negates negatable flags only", () => {
  assert.deepEqual(parseArgs(["--no-color", "--no-cache"], { negatable: ["color"] }), {
    _: [],
    color: false,
    "no-cache": true,
  });
  assert.deepEqual(parseArgs(["--no-cache", "x"]), { _: [], "no-cache": "x" });
  assert.deepEqual(parseArgs(["--no-"]), { _: [], "no-": true });
});

test("a negation takes no value, and the last of flag and negation counts", () => {
  const options: ParseOptions = { boolean: ["on"], negatable: ["on"] };
  assert.deepEqual(parseArgs(["--on", "--no-on", "5"], options), { _: [5], on: false });
  assert.deepEqual(parseArgs(["--no-on", "--on"], options), { _: [], on: true });
  assert.deepEqual(parseArgs([], options), { _: [], on: false });
});

test("a negation discards what was collected, under all names", () => {
  const options: ParseOptions = { collect: "f", negatable: "f", alias: { f: "file" } };
  assert.deepEqual(parseArgs(["-f", "a", "--no-file"], options), { _: [], f: false, file: false });
  assert.deepEqual(parseArgs(["--no-f", "-f", "b"], options), { _: [], f: ["b"], file: ["b"] });
});

// alias

test("either name of an alias sets both, whichever way it was declared", () => {
  for (const alias of [{ p: "port" }, { port: "p" }, { port: ["p"] }]) {
    assert.deepEqual(parseArgs(["-p", "80"], { alias }), { _: [], p: 80, port: 80 });
    assert.deepEqual(parseArgs(["--port=80"], { alias }), { _: [], p: 80, port: 80 });
  }
  assert.deepEqual(parseArgs(["--two", "x"], { alias: { one: ["two", "three"] } }), {
    _: [],
    one: "x",
    two: "x",
    three: "x",
  });
});

test("the kind of a flag holds for its aliases", () => {
  const options: ParseOptions = {
    boolean: ["verbose"],
    string: ["id"],
    negatable: ["v"],
    alias: { v: "verbose", id: "i" },
  };
  assert.deepEqual(parseArgs(["-v", "x", "-i", "007"], options), {
    _: ["x"],
    v: true,
    verbose: true,
    i: "007",
    id: "007",
  });
  assert.deepEqual(parseArgs(["--no-verbose"], options), { _: [], v: false, verbose: false });
  assert.deepEqual(parseArgs([], options), { _: [], v: false, verbose: false });
});

test("a flag takes no value if one of its aliases is boolean through another", () => {
  const options: ParseOptions = { boolean: "a", alias: { a: "b", b: "c" } };
  assert.deepEqual(parseArgs(["-c", "x"], options), { _: ["x"], a: false, b: true, c: true });
});

test("an undefined alias is an error", () => {
  const options = { alias: { a: undefined } } as unknown as ParseOptions;
  assert.throws(() => parseArgs([], options), TypeError);
});

// default

test("defaults fill what is absent, under all names, whatever their kind", () => {
  const since = new Date(0);
  assert.deepEqual(
    parseArgs(["--port", "1"], {
      boolean: ["b", "c"],
      alias: { host: "h" },
      default: { port: 80, host: "relay", b: true, c: null, since },
    }),
    { _: [], port: 1, host: "relay", h: "relay", b: true, c: null, since },
  );
  assert.deepEqual(parseArgs(["--h=x"], { alias: { host: "h" }, default: { host: "y" } }), {
    _: [],
    h: "x",
    host: "x",
  });
});

test("defaults may be dotted or nested", () => {
  const nested = { db: { host: "a" } };
  assert.deepEqual(parseArgs([], { boolean: "db.tls", default: nested }), {
    _: [],
    db: { host: "a", tls: false },
  });
  assert.deepEqual(nested, { db: { host: "a" } }, "the caller's object is left as it was");
  assert.deepEqual(
    parseArgs(["--db.port=1"], { default: { "db.host": "a" }, alias: { "db.host": "to.host" } }),
    { _: [], db: { port: 1, host: "a" }, to: { host: "a" } },
  );
});

test("a default below a value that was given leaves that value alone", () => {
  const since = new Date(0);
  assert.deepEqual(parseArgs(["--db", "x"], { default: { "db.host": "a" } }), { _: [], db: "x" });
  assert.deepEqual(parseArgs([], { boolean: "since.x", default: { since } }), { _: [], since });
  assert.deepEqual(Object.keys(since), []);
});

// Dotted names

test("dotted names make nested objects", () => {
  assert.deepEqual(
    parseArgs(["--a.b", "1", "--a.c.d=x", "--a.c.e", "--f.g"], {
      string: ["a.b"],
      boolean: ["h.i"],
      collect: ["f.g"],
    }),
    { _: [], a: { b: "1", c: { d: "x", e: true } }, f: { g: [true] }, h: { i: false } },
  );
  assert.deepEqual(parseArgs(["--a.b=1"], { alias: { "a.b": "c.d" } }), {
    _: [],
    a: { b: 1 },
    c: { d: 1 },
  });
});

test("of a flag and a flag below it the later counts", () => {
  assert.deepEqual(parseArgs(["--a=1", "--a.b=2"]), { _: [], a: { b: 2 } });
  assert.deepEqual(parseArgs(["--a.b=2", "--a=1"]), { _: [], a: 1 });
});

// stopEarly and --

test("stopEarly keeps everything from the first positional argument on as written", () => {
  assert.deepEqual(
    parseArgs(["--a", "b", "1", "--c", "2", "--", "-d"], { stopEarly: true }),
    { _: [1, "--c", "2", "-d"], a: "b" },
  );
});

test("what follows a double hyphen is kept as written, in _ or apart", () => {
  const args = ["x", "--a", "--", "--b", "1", "--"];
  assert.deepEqual(parseArgs(args), { _: ["x", "--b", "1", "--"], a: true });
  assert.deepEqual(parseArgs(args, { "--": true }), {
    _: ["x"],
    a: true,
    "--": ["--b", "1", "--"],
  });
  assert.deepEqual(parseArgs([], { "--": true }), { _: [], "--": [] });
});

// unknown

function recordUnknown(args: string[], options: ParseOptions, answer: unknown) {
  const calls: unknown[][] = [];
  const unknown = (...call: unknown[]) => {
    calls.push(call);
    return answer;
  };
  return { result: parseArgs(args, { ...options, unknown }), calls };
}

test("unknown sees positionals and undeclared flags as written, and false keeps them out", () => {
  const { result, calls } = recordUnknown(["7", "--n", "5", "-xy=z", "--on", "--", "k"], {}, false);
  assert.deepEqual(calls, [["7"], ["--n", "n", "5"], ["-xy=z", "x", "z"], ["--on", "on", true]]);
  assert.deepEqual(result, { _: ["k"] });
});

test("only boolean, string and aliased flags are known", () => {
  const { result, calls } = recordUnknown(
    ["--b", "--s=1", "-h", "--help", "--d=1", "--c=2", "--no-n"],
    {
      boolean: ["b"],
      string: ["s"],
      alias: { h: "help" },
      default: { d: 0 },
      collect: ["c"],
      negatable: ["n"],
    },
    false,
  );
  assert.deepEqual(calls.map(([, key]) => key), ["d", "c", "n"]);
  assert.deepEqual(result, { _: [], b: true, s: "1", h: true, help: true, d: 0 });
});

test("boolean: true knows long flags without an equals sign", () => {
  const { calls } = recordUnknown(["--a", "--b=1", "-c"], { boolean: true }, false);
  assert.deepEqual(calls.map(([arg]) => arg), ["--b=1", "-c"]);
});

test("any other answer of unknown than false keeps the argument", () => {
  for (const answer of [undefined, null, 0, true]) {
    assert.deepEqual(recordUnknown(["x", "--y=1"], {}, answer).result, { _: ["x"], y: 1 });
  }
});

// Safety

test("no argument and no default reaches a prototype", () => {
  const paths = ["__proto__", "constructor", "a.__proto__.x", "constructor.prototype.x"];
  const args = [...paths, "toString.x"].map((path) => `--${path}=polluted`);
  const defaults = Object.fromEntries(paths.map((path) => [path, "polluted"]));
  const result = parseArgs([...args, "-b=1"], { default: defaults, alias: { b: "__proto__.x" } });
  assert.deepEqual(result, { _: [], b: 1, toString: { x: "polluted" } });
  assert.equal("x" in {}, false);
  assert.equal("x" in Object.prototype.toString, false);
});

test("a flag named _ cannot take the place of the positional arguments", () => {
  assert.deepEqual(parseArgs(["--_=1", "--_.x=2", "y"]), { _: ["y"] });
});

test("no arguments make it throw, and it leaves its input as it was", () => {
  const name = fc.constantFrom("a", "b", "a.b", "_", "no-a", "__proto__", "x.y.z");
  const text = fc.oneof(name, fc.constantFrom("", "-", "1", "true", "=", "a=b"), fc.string());
  const argument = fc.tuple(fc.constantFrom("", "-", "--", "--no-", "---"), text).map((parts) =>
    parts.join("")
  );
  const names = fc.array(name);
  const plain = { noNullPrototype: true };
  const options = fc.record({
    boolean: fc.oneof(fc.boolean(), names),
    string: names,
    collect: names,
    negatable: names,
    alias: fc.dictionary(name, fc.oneof(name, names), plain),
    default: fc.dictionary(name, fc.constantFrom<unknown>(1, null, { b: 1 }), plain),
    stopEarly: fc.boolean(),
    "--": fc.boolean(),
  }, { requiredKeys: [], ...plain });
  fc.assert(fc.property(fc.array(argument), options, (args, given) => {
    const before = structuredClone({ args, given });
    const result = parseArgs(args, given as ParseOptions);
    assert.ok(Array.isArray(result._));
    assert.deepEqual({ args, given }, before);
  }));
});

test("a string flag gives back any text assigned to it", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => {
    assert.deepEqual(parseArgs([`--text=${text}`], { string: "text" }), { _: [], text });
  }));
});

// Types: these compile only if the inferred type is exact, index signature included.

test("without declared flags the result is untyped", () => {
  // deno-lint-ignore no-explicit-any
  const untyped = hasType<{ [x: string]: any; _: Positionals }>();
  untyped(parseArgs([]), true);
  untyped(parseArgs([], { boolean: false, default: { a: 1 } }), true);
  untyped(parseArgs([], { alias: { a: "b" }, negatable: ["a"], stopEarly: true }), true);
  // deno-lint-ignore no-explicit-any
  hasType<{ [x: string]: any; _: Positionals; "--"?: string[] }>()(
    parseArgs([], {} as ParseOptions),
    true,
  );
});

test("types of boolean and string flags", () => {
  hasType<{ [x: string]: unknown; _: Positionals }>()(parseArgs([], { boolean: true }), true);
  const parsed = parseArgs([], { boolean: ["v", "db.tls"], string: ["host", "db.name", "to.x"] });
  hasType<{
    [x: string]: unknown;
    _: Positionals;
    v: boolean;
    host?: string;
    db: { tls: boolean; name?: string };
    to?: { x?: string };
  }>()(parsed, true);
  hasType<{ [x: string]: unknown; _: Positionals; host?: string }>()(
    parseArgs([], { boolean: false, string: "host" }),
    true,
  );
});

test("types of collected flags", () => {
  const parsed = parseArgs([], {
    boolean: ["v"],
    string: ["host", "d.tag"],
    collect: ["v", "d.tag", "any", "e.any"],
  });
  hasType<{
    [x: string]: unknown;
    _: Positionals;
    v: boolean[];
    host?: string;
    d: { tag: string[] };
    any: unknown[];
    e: { any: unknown[] };
  }>()(parsed, true);
  hasType<{ [x: string]: unknown; _: Positionals; a: unknown[] }>()(
    parseArgs([], { boolean: [], collect: ["a"] }),
    true,
  );
});

test("types of negatable flags", () => {
  const parsed = parseArgs([], {
    boolean: ["b"],
    string: ["s", "d.s", "t", "c"],
    collect: ["c", "u"],
    negatable: ["b", "s", "d.s", "c", "u"],
  });
  hasType<{
    [x: string]: unknown;
    _: Positionals;
    b: boolean;
    s?: string | false;
    t?: string;
    c: string[] | false;
    u: unknown[] | false;
    d?: { s?: string | false };
  }>()(parsed, true);
});

test("types of defaults", () => {
  const parsed = parseArgs([], {
    boolean: ["v", "d.v"],
    string: ["s", "t", "u", "d.s", "e.f.g", "h"],
    default: {
      v: 1,
      s: new Date(),
      t: null,
      u: undefined,
      other: 1,
      d: { s: 1 },
      "e.f": 2,
      "h.i": 3,
      "j.k": 4,
    },
  });
  hasType<{
    [x: string]: unknown;
    _: Positionals;
    v: boolean | number;
    s: string | Date;
    t: string | null;
    u: string | undefined;
    other: unknown;
    d: { v: boolean; s: string | number };
    e: { f: number | { g?: string } };
    h: string | { i: number };
    j: unknown;
  }>()(parsed, true);
  const wide: Record<string, unknown> = {};
  hasType<{ [x: string]: unknown; _: Positionals }>()(
    parseArgs([], { string: "s", default: wide }),
    true,
  );
});

test("types of aliases: those of declared names, not of names that are aliases themselves", () => {
  const parsed = parseArgs([], {
    boolean: ["verbose", "help"],
    string: ["id"],
    negatable: ["id"],
    alias: { verbose: ["v", "loud"], id: "i", h: "help" },
    default: { id: 1 },
  });
  hasType<{
    [x: string]: unknown;
    _: Positionals;
    verbose: boolean;
    v: boolean;
    loud: boolean;
    help: boolean;
    id: string | number | false;
    i: string | number | false;
  }>()(parsed, true);
});

test("types of the double hyphen option", () => {
  const flag: boolean = [].length === 0;
  const typed = { string: "s" } as const;
  hasType<{ [x: string]: unknown; _: Positionals; s?: string; "--": string[] }>()(
    parseArgs([], { ...typed, "--": true }),
    true,
  );
  hasType<{ [x: string]: unknown; _: Positionals; s?: string }>()(
    parseArgs([], { ...typed, "--": false }),
    true,
  );
  hasType<{ [x: string]: unknown; _: Positionals; s?: string; "--"?: string[] }>()(
    parseArgs([], { ...typed, "--": flag }),
    true,
  );
});

test("types given by hand", () => {
  hasType<{ a?: number; b: string; _: Positionals; "--": string[] }>()(
    parseArgs<{ a?: number } & { b: string }, true>([], { "--": true }),
    true,
  );
  const args: Equal<Args<{ a: { b: 1 } & { c: 2 } }>, { a: { b: 1; c: 2 }; _: Positionals }> = true;
  const options: Equal<
    Pick<ParseOptions<"v", "s" | "t">, "boolean" | "string">,
    { boolean?: "v" | ReadonlyArray<"v">; string?: "s" | "t" | ReadonlyArray<"s" | "t"> }
  > = true;
  assert.ok(args && options);
});
