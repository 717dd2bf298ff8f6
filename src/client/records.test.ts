import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "../metrics/figure-set.ts";
import { clockId } from "../metrics/records.ts";
import { toIso } from "../relay/time.ts";
import { createFakeOrigin, createFakePair, createFakeSession, createRun } from "./fake-message.ts";
import type { Origin } from "./origins.ts";
import { createPathMeter } from "./path-meter.ts";
import { createClientRecorder } from "./records.ts";

const hops = [
  { sentUs: 10_000, receivedUs: 1_010_300, correctionUs: -1e6, errorUs: 16 },
  { sentUs: 1_010_340, receivedUs: 10_840, correctionUs: 1e6, errorUs: 32 },
];

/** The records of one message of `origin`; of the session's own echo where there is none. */
function recordsOf(records: "own" | "all", origin?: Origin): Record<string, unknown>[] {
  const session = createFakeSession({ number: 9, route: "direct", pair: createFakePair("bb") });
  const from = origin ?? session.self!;
  const lines: Record<string, unknown>[] = [];
  const record = createClientRecorder({
    records,
    sink: { write: (line) => lines.push(JSON.parse(line)) },
    source: { reporter: "here", region: "eu-west-1", zone: null, run: "f00d" },
    processId: "aa",
  });
  const meter = createPathMeter({
    origin: from,
    ledger: { toldLost: undefined },
    isOwn: () => origin === undefined,
    echo: origin === undefined,
    relayName: "relay",
    receiver: session.hello,
    figures: createFigureSet(),
  });
  const run = createRun({ sequence: 42, slotUs: 9_990, payloadBytes: 7, hops });
  record(session, from, run.view, run.at, meter.record(run));
  return lines;
}

const there = () => createFakeOrigin(1, "there", "accelerated");

test("a client records the hop that it ended, with the totals of its path", () => {
  const [record, ...more] = recordsOf("own", there());
  assert.deepEqual(more, []);
  assert.deepEqual(record, {
    key: "relay::~::here",
    ms: 0.5,
    length: 7,
    received: toIso(10_840),
    v: 1,
    kind: "hop",
    id: "0101010101010101-42",
    to_id: "0909090909090909",
    clock_id: clockId("aa", "bb"),
    from: "relay",
    to: "here",
    route: "direct",
    flow: 0,
    hop: 2,
    hops: 2,
    path: "there::~::relay<~>relay::~::here",
    path_ms: 0.8,
    elapsed_ms: 0.84,
    echo: false,
    intended: toIso(9_990),
    sent: toIso(1_010_340),
    ms_raw: -999.5,
    error_ms: 0.032,
    clock: "estimate",
    rtt_ms: 0.7,
    residence_ms: 0.04,
    transport: "tcp",
    peer: "192.0.2.1:8080",
    reporter: "here",
    region: "eu-west-1",
    zone: null,
    run: "f00d",
  });
});

test("with all, the hop to the relay is recorded as well, without what only its ends know", () => {
  const [first, last, ...more] = recordsOf("all", there());
  assert.deepEqual(more, []);
  assert.deepEqual(last, recordsOf("own", there())[0]);
  const { key, to_id, clock_id, from, to, route, hop, hops, path, ms, rtt_ms, peer } = first!;
  assert.deepEqual({ key, to_id, clock_id, from, to, route, hop, hops, path, ms, rtt_ms, peer }, {
    key: "there::~::relay",
    // The relay's own record of this hop has the same: they are duplicates of one another.
    to_id: "0101010101010101",
    clock_id: null,
    from: "there",
    to: "relay",
    route: "accelerated",
    hop: 1,
    hops: 1,
    path: "there::~::relay",
    ms: 0.3,
    rtt_ms: null,
    peer: null,
  });
  assert.ok(!("path_ms" in first!) && !("elapsed_ms" in first!) && !("residence_ms" in first!));
});

test("of its own messages a client knows both clocks of the hop to the relay", () => {
  const [first, last] = recordsOf("all");
  assert.equal(first!["clock_id"], clockId("aa", "bb"));
  assert.deepEqual([first!["echo"], last!["echo"]], [true, true]);
});
