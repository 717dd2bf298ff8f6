import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HopRecordSpec, RecordClock } from "../metrics/records.ts";
import { createHopTemplates } from "./hop-template.ts";
import { HOP_VALUES } from "./hop-values.ts";
import { createRecordParser } from "./record-json.ts";
import { BACK, DOWN, hopLine, START_US, UP } from "./sample-records.ts";

const parser = createRecordParser();

function slowly(line: string) {
  const values = new Float64Array(HOP_VALUES);
  const parsed = parser.parse(line, values);
  assert.equal(parsed.kind, "hop");
  return { spec: parsed.kind === "hop" ? parsed.spec : undefined, values };
}

/** Templates that have seen a line of each spec. */
function taught(specs: readonly HopRecordSpec[]) {
  const templates = createHopTemplates<number>();
  for (const [index, spec] of specs.entries()) {
    const line = hopLine(spec, 1);
    templates.learn(Buffer.from(line), index, slowly(line).values);
  }
  return templates;
}

const NAMES = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: "binary" }),
  fc.constantFrom('"', "\\", '\\"', 'a","ms":', "a'b"),
);
const SPECS = fc.record({
  from: NAMES,
  route: NAMES,
  session: fc.constantFrom("00f1", "abcdef0123456789", "a-b"),
  toSession: fc.constantFrom("00f1", "b2"),
  last: fc.boolean(),
  echo: fc.boolean(),
  hop: fc.integer({ min: 1, max: 3 }),
  clockId: fc.option(fc.constant("0123456789abcdef")),
  transport: fc.option(fc.constantFrom("tcp", "udp")),
}).map((changes): HopRecordSpec => ({ ...DOWN, ...changes, key: `${changes.from}::~::b` }));
const US = fc.oneof(
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.integer({ min: -5, max: 20 }),
  fc.constant(NaN),
);
const MESSAGES = fc.record({
  sequence: fc.integer({ min: 0, max: 999_999_999_999_999 }),
  length: fc.nat(65_536),
  receivedUs: fc.double({ min: 0, max: 4e15, noNaN: true }),
  delayUs: US,
  rawUs: US,
  errorUs: US,
  pathUs: US,
  elapsedUs: US,
  rttUs: US,
  clock: fc.constantFrom<RecordClock>("none", "system", "estimate", "single"),
});

test("a template reads what JSON.parse reads, of all that the programs can write", () => {
  fc.assert(
    fc.property(SPECS, MESSAGES, (spec, message) => {
      const templates = taught([spec]);
      const line = hopLine(spec, 1, message);
      const bytes = Buffer.from(line);
      const values = new Float64Array(HOP_VALUES);
      assert.equal(templates.read(bytes, 0, values), 0, line);
      assert.equal(templates.end, bytes.length);
      assert.deepEqual([...values], [...slowly(line).values], line);
    }),
    { numRuns: 500 },
  );
});

test("streams that differ in one field are told apart", () => {
  const specs = [
    UP,
    { ...UP, session: "a2" },
    { ...UP, toSession: "b1" },
    { ...UP, peer: "10.0.0.2:5000" },
    { ...UP, run: "s" },
    { ...UP, route: "accelerated" },
    BACK,
    DOWN,
  ];
  const templates = taught(specs);
  const values = new Float64Array(HOP_VALUES);
  const read = (spec: HopRecordSpec) => templates.read(Buffer.from(hopLine(spec, 9)), 0, values);
  assert.deepEqual(specs.map(read), specs.map((_, index) => index));
  assert.equal(read({ ...UP, zone: "another" }), undefined);
});

test("a line that deviates by a byte is not read, or says the same to JSON.parse", () => {
  const templates = taught([UP, DOWN, BACK]);
  const good = [UP, DOWN, BACK].map((spec) => Buffer.from(hopLine(spec, 123)));
  const changes = fc.record({
    line: fc.constantFrom(...good),
    at: fc.nat(800),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\,:-.e0123456789nul \n{}'))),
  });
  fc.assert(
    fc.property(changes, ({ line, at, byte }) => {
      const changed = Buffer.from(line);
      changed[at % (line.length - 1)] = byte;
      const values = new Float64Array(HOP_VALUES);
      if (templates.read(changed, 0, values) === undefined) return;
      const text = changed.toString("utf8", 0, templates.end);
      assert.deepEqual([...values], [...slowly(text).values], text);
    }),
    { numRuns: 5000 },
  );
});

test("a line is read wherever it stands, and the next one behind it", () => {
  const templates = taught([UP, BACK]);
  const lines = [hopLine(UP, 1), hopLine(BACK, 2), hopLine(UP, 3)];
  const bytes = Buffer.from(lines.join(""));
  const values = new Float64Array(HOP_VALUES);
  const found: (number | undefined)[] = [];
  for (let at = 0; at < bytes.length; at = templates.end) {
    found.push(templates.read(bytes, at, values));
  }
  assert.deepEqual(found, [0, 1, 0]);
  assert.equal(values[1], START_US + 3000 + 7000);
});

test("lines in another order of fields are left to JSON.parse, and not learned", () => {
  const { key, ...others } = JSON.parse(hopLine(UP, 1));
  const line = `${JSON.stringify({ ...others, key })}\n`;
  const templates = createHopTemplates<number>();
  templates.learn(Buffer.from(line), 0, slowly(line).values);
  assert.equal(templates.read(Buffer.from(line), 0, new Float64Array(HOP_VALUES)), undefined);
  assert.equal(slowly(line).spec!.key, "a::~::server");
});
