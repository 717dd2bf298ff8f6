import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { fromUnixMs, toIso } from "../relay/time.ts";
import {
  clockId,
  createHopLines,
  type HopMeasurement,
  type HopRecordSpec,
  type RecordSource,
} from "./records.ts";

const SOURCE: RecordSource = {
  reporter: "client-b",
  region: "eu-west-1",
  zone: "eu-west-1a",
  run: "2f00c5a1",
};

const LAST_HOP: HopRecordSpec = {
  ...SOURCE,
  key: "server::~::client-b",
  session: "00000000000000a1",
  toSession: "00000000000000b2",
  clockId: "0123456789abcdef",
  from: "server",
  to: "client-b",
  route: "accelerated",
  flow: 0,
  hop: 2,
  hops: 2,
  path: "client-a::~::server<~>server::~::client-b",
  last: true,
  echo: false,
  transport: "tcp",
  peer: "192.0.2.7:8080",
};

const BASE_US = fromUnixMs(Date.UTC(2026, 2, 1, 12, 0, 0));

function measured(changes: Partial<HopMeasurement> = {}): HopMeasurement {
  return {
    sequence: 41,
    length: 1024,
    intendedUs: BASE_US + 1,
    sentUs: BASE_US + 1_000_234.25,
    receivedUs: BASE_US + 1_040_123.9,
    delayUs: 39_889.64,
    rawUs: 5_039_889.64,
    errorUs: 120.06,
    clock: "estimate",
    rttUs: 79_000,
    residenceUs: 11.25,
    pathUs: 61_000.1,
    elapsedUs: 61_011.3,
    ...changes,
  };
}

test("a hop's record has the original's fields first, then ours in their order", () => {
  const line = createHopLines(LAST_HOP)(measured());
  assert.equal(
    line,
    '{"key":"server::~::client-b","ms":39.8896,"length":1024,' +
      '"received":"2026-03-01T12:00:01.040123Z","v":1,"kind":"hop","id":"00000000000000a1-41",' +
      '"to_id":"00000000000000b2","clock_id":"0123456789abcdef","from":"server",' +
      '"to":"client-b","route":"accelerated","flow":0,"hop":2,"hops":2,' +
      '"path":"client-a::~::server<~>server::~::client-b","path_ms":61.0001,' +
      '"elapsed_ms":61.0113,"echo":false,"intended":"2026-03-01T12:00:00.000001Z",' +
      '"sent":"2026-03-01T12:00:01.000234Z","ms_raw":5039.8896,"error_ms":0.1201,' +
      '"clock":"estimate","rtt_ms":79,"residence_ms":0.0113,"transport":"tcp",' +
      '"peer":"192.0.2.7:8080","reporter":"client-b","region":"eu-west-1",' +
      '"zone":"eu-west-1a","run":"2f00c5a1"}\n',
  );
});

test("the first hop of a longer path has no residence and no totals", () => {
  const line = createHopLines({ ...LAST_HOP, hop: 1, hops: 1, last: false })(measured());
  const record = JSON.parse(line);
  for (const name of ["residence_ms", "path_ms", "elapsed_ms"]) assert.ok(!(name in record), name);
  assert.equal(Object.keys(record).length, 29);
});

test("what is unknown is null", () => {
  const unknown = { clockId: null, region: null, zone: null, peer: null };
  const record = JSON.parse(
    createHopLines({ ...LAST_HOP, ...unknown })(
      measured({ errorUs: NaN, rttUs: NaN, elapsedUs: NaN, clock: "none" }),
    ),
  );
  const names = ["error_ms", "rtt_ms", "elapsed_ms", "clock_id", "region", "zone", "peer"];
  for (const name of names) assert.equal(record[name], null, name);
  assert.equal(record.clock, "none");
});

test("every record is one line of JSON that gives back what went in", () => {
  const text = fc.string({ unit: "binary", maxLength: 20 });
  const timeUs = fc.double({ min: 0, max: 6e14, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({ key: text, from: text, to: text, route: text, path: text, reporter: text }),
      fc.array(
        fc.record({
          sequence: fc.nat(),
          intendedUs: timeUs,
          sentUs: timeUs,
          receivedUs: timeUs,
          delayUs: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        }),
        { maxLength: 5 },
      ),
      (names, messages) => {
        const toLine = createHopLines({ ...LAST_HOP, ...names });
        for (const message of messages) {
          const line = toLine(measured(message));
          assert.equal(line.indexOf("\n"), line.length - 1);
          const record = JSON.parse(line);
          for (const [name, value] of Object.entries(names)) assert.equal(record[name], value);
          assert.equal(record.id, `00000000000000a1-${message.sequence}`);
          assert.equal(record.received, toIso(message.receivedUs));
          assert.equal(record.intended, toIso(message.intendedUs));
          assert.equal(record.sent, toIso(message.sentUs));
          assert.ok(Math.abs(record.ms - message.delayUs / 1000) <= 0.000_051);
        }
      },
    ),
    { seed: 7, numRuns: 300 },
  );
});

test("times that step over a second, or back, are those of their own second", () => {
  const toLine = createHopLines(LAST_HOP);
  for (const offsetUs of [0, 999_999.99, 1_000_000, 999_999, 86_400_000_000, -0.5, 1e6 - 0.01]) {
    const receivedUs = BASE_US + offsetUs;
    assert.equal(JSON.parse(toLine(measured({ receivedUs }))).received, toIso(receivedUs));
  }
});

test("a clock id is the same from both ends, and tells no process id", () => {
  const [a, b] = ["07".repeat(16), "c8".repeat(16)];
  const id = clockId(a, b);
  assert.equal(id, clockId(b, a));
  const expected = createHash("sha256").update(a + b).digest("hex");
  assert.equal(id, expected.slice(0, 16));
  assert.notEqual(id, clockId(a, a));
});
