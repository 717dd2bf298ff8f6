import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bytes,
  duration,
  interval,
  labelProblem,
  name,
  nameProblem,
  number,
  oneOf,
  parseBoolean,
  parseBytes,
  type Parsed,
  parseDurationMs,
  path,
  text,
  type ValueType,
  wholeNumber,
  wholeNumbers,
} from "./values.ts";

function valueOf<T>(parsed: Parsed<T>): T {
  assert.ok("value" in parsed, "problem" in parsed ? parsed.problem : "");
  return parsed.value;
}

function assertProblem(parsed: Parsed<unknown>, says: RegExp): void {
  assert.ok("problem" in parsed, `taken: ${JSON.stringify(parsed)}`);
  assert.match(parsed.problem, says);
}

test("a duration is a number and its unit; a bare number is seconds", () => {
  for (
    const [written, ms] of [
      ["250us", 0.25],
      ["0.1us", 0.0001],
      ["3500ms", 3500],
      ["10s", 10_000],
      ["1.5s", 1500],
      [".5s", 500],
      ["2m", 120_000],
      ["1h", 3_600_000],
      ["10", 10_000],
      ["0", 0],
    ] as const
  ) {
    assert.equal(valueOf(parseDurationMs(written)), ms, written);
  }
});

test("what is no duration is refused", () => {
  for (
    const written of ["", "s", "-1s", "1e3s", "1 s", "1d", "1ss", "NaN", "Infinity", "0x1", "1,5s"]
  ) {
    assertProblem(parseDurationMs(written), /is not a duration/);
  }
  assertProblem(parseDurationMs("501h"), /longer than 500h/);
  assertProblem(parseDurationMs("250", { needsUnit: true }), /no unit.*250ms/);
});

test("a duration below its least is refused, but for a zero with a meaning", () => {
  const type = duration({ leastMs: 100, zeroMeans: "never" });
  assert.equal(valueOf(type.parse("0")), 0);
  assert.equal(valueOf(type.parse("100ms")), 100);
  assertProblem(type.parse("99ms"), /at least 100ms, or 0 \(never\)/);
  assertProblem(duration({ leastMs: 1 }).parse("0"), /at least 1ms$/);
});

test("an interval is one time or a range, with units", () => {
  assert.deepEqual(valueOf(interval.parse("3500ms-4500ms")), { minMs: 3500, maxMs: 4500 });
  assert.deepEqual(valueOf(interval.parse("100us-1s")), { minMs: 0.1, maxMs: 1000 });
  assert.deepEqual(valueOf(interval.parse("2s")), { minMs: 2000, maxMs: 2000 });
  for (const wrong of ["", "-", "1s-", "-1s", "1s-2s-3s", "fast"]) {
    assertProblem(interval.parse(wrong), /is not/);
  }
  assertProblem(interval.parse("3500-4500ms"), /"3500" has no unit/);
  assertProblem(interval.parse("2s-1s"), /longer time/);
  assertProblem(interval.parse("0ms"), /too short.*flood/);
});

test("bytes take binary units, and refuse the ambiguous ones", () => {
  for (
    const [written, count] of [
      ["0", 0],
      ["262144", 262_144],
      ["256K", 262_144],
      ["256KiB", 262_144],
      ["8MiB", 8_388_608],
      ["8m", 8_388_608],
      ["1.5KiB", 1536],
      ["1GiB", 2 ** 30],
      ["64 KiB", 65_536],
    ] as const
  ) {
    assert.equal(valueOf(parseBytes(written)), count, written);
  }
  for (const wrong of ["", "8MB", "8KB", "-1", "1e6", "MiB", "0.3", "8MiBs"]) {
    assertProblem(parseBytes(wrong), /not a number of bytes/);
  }
  assertProblem(bytes("256KiB", "4GiB").parse("255K"), /not between 256KiB and 4GiB/);
  assertProblem(bytes("256KiB", "4GiB").parse("5G"), /not between 256KiB and 4GiB/);
});

test("whole numbers keep to their range, and are written in digits alone", () => {
  const type = wholeNumber({ least: 1, most: 65_535 });
  assert.equal(valueOf(type.parse("1")), 1);
  assert.equal(valueOf(type.parse("65535")), 65_535);
  for (
    const wrong of [
      "0",
      "65536",
      "abc",
      "",
      " 1",
      "1.0",
      "+1",
      "-1",
      "1e3",
      "0x10",
      "9".repeat(400),
    ]
  ) {
    assertProblem(type.parse(wrong), /not a whole number from 1 to 65535/);
  }
});

test("a list of whole numbers names the one that is wrong", () => {
  const type = wholeNumbers({ least: 1, most: 65_536 });
  assert.deepEqual(valueOf(type.parse("16,512, 65536")), [16, 512, 65_536]);
  assertProblem(type.parse("16,65537"), /"65537"/);
  assertProblem(type.parse("16,,512"), /""/);
  assertProblem(type.parse("0"), /"0"/);
});

test("numbers may have a fraction", () => {
  assert.equal(valueOf(number({ zero: false, most: 1000 }).parse("0.5")), 0.5);
  assert.equal(valueOf(number({ zero: true, most: 1000 }).parse("0")), 0);
  assertProblem(number({ zero: false, most: 1000 }).parse("0"), /above 0, up to 1000/);
  assertProblem(number({ zero: true, most: 1000 }).parse("-5"), /from 0 to 1000/);
  assertProblem(number({ zero: true, most: 1000 }).parse("1001"), /from 0 to 1000/);
});

test("one of a few words, or the one that may have been meant", () => {
  const type = oneOf("paced", "ping-pong", "flood");
  assert.equal(valueOf(type.parse("flood")), "flood");
  assertProblem(
    type.parse("pingpong"),
    /none of paced, ping-pong, flood; did you mean ping-pong\?/,
  );
  assertProblem(type.parse("toString"), /none of paced/);
});

test("text is limited in bytes, not letters", () => {
  assert.equal(valueOf(text("TEXT", 4).parse("éé")), "éé");
  assertProblem(text("TEXT", 4).parse("ééé"), /6 bytes: at most 4/);
});

test("a path is anything but a text with a NUL", () => {
  assert.equal(valueOf(path.parse("-")), "-");
  assertProblem(path.parse("a\0b"), /not a path/);
});

test("names cannot break keys, tables or logs", () => {
  assert.equal(valueOf(name.parse("client-%region%")), "client-%region%");
  assert.equal(nameProblem("東京 1"), undefined);
  for (const wrong of ["a::~::b", "a<~>b", "a\nb", "a\u202eb", " ", "é".repeat(65)]) {
    assert.notEqual(nameProblem(wrong), undefined, JSON.stringify(wrong));
  }
});

test("labels are shorter, and without what separates them", () => {
  assert.equal(labelProblem("direct"), undefined);
  for (const wrong of ["", "a>b", "a,b", "a=b", "a<~>b", "a::~::b", "a\tb", "x".repeat(65)]) {
    assert.notEqual(labelProblem(wrong), undefined, JSON.stringify(wrong));
  }
});

test("booleans have three spellings each", () => {
  for (const yes of ["true", "1", "yes", "TRUE"]) assert.equal(valueOf(parseBoolean(yes)), true);
  for (const no of ["false", "0", "no", "No"]) assert.equal(valueOf(parseBoolean(no)), false);
  assertProblem(parseBoolean("on"), /none of true, false, 1, 0, yes, no/);
});

test("no text makes a parser throw, and every problem is one line", () => {
  const types: ValueType<unknown>[] = [
    duration({ leastMs: 1 }),
    interval,
    bytes("1", "1GiB"),
    wholeNumber({ least: 0, most: 9 }),
    wholeNumbers({ least: 0, most: 9 }),
    number({ zero: true, most: 9 }),
    oneOf("a", "b"),
    text("TEXT", 10),
    path,
    name,
  ];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.string({ unit: "binary" }), (type, written) => {
      const parsed = type.parse(written);
      if ("problem" in parsed) assert.doesNotMatch(parsed.problem, /\n/);
    }),
  );
});
