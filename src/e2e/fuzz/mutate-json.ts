/** Changes a line of JSON into another one. */
import type { Random } from "../../relay/simulation/random.ts";

const utf8 = new TextEncoder();

const VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    0.1,
    1e15,
    -1e15,
    1e21,
    1.7e308,
    5e-324,
    2 ** 53,
    4294967296,
  ],
  ...["", "0", "-1", "__proto__", "constructor", "\u0000", "\u202e", "\u001b[31m", "\ud800"],
  ...["2026-03-01T09:30:00.000000Z", "9999-12-31T23:59:59.999999Z", "a::~::b", "<~>", "../x"],
  ...["x".repeat(300), [], {}, [[]], { length: 1e9 }, "SYNCHRONIZED", "hop", "summary"],
];

/** Numbers that `JSON.stringify` would write otherwise, or not at all. */
const TEXTS = ["1e400", "-0.0", "1E+2", "0.1e-7", "00", "1.", "9".repeat(40), '"\\u0041"', '"\\q"'];

export function mutateJson(line: Uint8Array, random: Random): Uint8Array {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const text = new TextDecoder().decode(line);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return line.slice(0, below(line.byteLength + 1));
  }
  // Down to some place in it.
  let holder: Record<string, unknown> = { root };
  const top = holder;
  let name = "root";
  while (typeof holder[name] === "object" && holder[name] !== null && random.chance(0.9)) {
    const names = Object.keys(holder[name] as object);
    if (names.length === 0) break;
    holder = holder[name] as Record<string, unknown>;
    name = names[below(names.length)]!;
  }
  const end = text.endsWith("\n") ? "\n" : "";
  const value = holder[name];
  switch (below(6)) {
    case 0:
      delete holder[name];
      break;
    case 1:
      if (typeof value === "number") holder[name] = value * 2 ** (below(80) - 40);
      else if (typeof value === "string") holder[name] = value.slice(below(value.length + 1));
      break;
    case 2: { // To the end, under its own name or another.
      delete holder[name];
      holder[random.chance(0.5) ? name : `${name}_`] = value;
      break;
    }
    case 3: {
      holder[name] = "\u0007place\u0007";
      const place = JSON.stringify(holder[name]);
      const written = JSON.stringify(top["root"]) ?? "";
      return utf8.encode(written.replace(place, () => TEXTS[below(TEXTS.length)]!) + end);
    }
    default:
      holder[name] = VALUES[below(VALUES.length)];
  }
  return utf8.encode((JSON.stringify(top["root"]) ?? "") + end);
}
