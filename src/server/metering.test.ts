import assert from "node:assert/strict";
import { test } from "node:test";
import { clockId } from "../metrics/records.ts";
import {
  beginHop,
  ClockMethod,
  type ClockMethodName,
  dataFrameBytes,
  finishHop,
  FLAG_WARM_UP,
  stampSent,
  writeDataFrame,
} from "../relay/data-frame.ts";
import { createSequenceTracker } from "../relay/sequence.ts";
import type { Session } from "../relay/session.ts";
import { toIso } from "../relay/time.ts";
import { createServerMetering, type ServerMetering, summariseSession } from "./metering.ts";
import { createServerRecorder } from "./records.ts";

/** As it looks when the relay has passed it on: 250 µs up, the second hop begun. */
function createMessage({ sequence = 1, warmUp = false, errorUs = 8, method = "estimate" }: {
  sequence?: number;
  warmUp?: boolean;
  errorUs?: number;
  method?: ClockMethodName;
}): DataView {
  const view = new DataView(new ArrayBuffer(dataFrameBytes(2, 20)));
  const flags = warmUp ? FLAG_WARM_UP : 0;
  const frame = { flags, hopSlots: 2, origin: 1, sequence, intendedUs: 990, payloadBytes: 20 };
  writeDataFrame(view, 0, frame);
  beginHop(view, 0);
  stampSent(view, 0, 1000);
  finishHop(view, 0, 11_250, -10_000, errorUs, ClockMethod[method]);
  beginHop(view, 0);
  stampSent(view, 0, 11_300);
  return view;
}

function createFakeSession({ name = "client", metered = true, errorUs = 25 } = {}): Session {
  return {
    id: "0123456789abcdef",
    name,
    route: "direct",
    flow: 3,
    metered,
    tracker: createSequenceTracker(1),
    rttUs: 600,
    droppedTotal: 4,
    connection: {
      link: { peer: "192.0.2.7:4711", transport: "tcp" },
      outbox: { backlogBytes: 12 },
    },
    pair: { processId: "cc", estimator: { estimateAt: () => ({ errorUs }) } },
  } as unknown as Session;
}

function receive(
  { observer }: ServerMetering,
  session: Session,
  message: Parameters<typeof createMessage>[0],
): void {
  const arrival = session.tracker.accept(message.sequence ?? 1);
  const view = createMessage(message);
  const run = { view, at: 0, frameBytes: view.byteLength, count: 1, receivedUs: NaN };
  observer.messages(session, run, arrival);
}

const createTest = () => createServerMetering({ name: "server", record: undefined });

test("the inbound hop of each client is metered under both names and the client's route", () => {
  const metering = createTest();
  const session = createFakeSession();
  receive(metering, session, {});
  const { keys, received } = metering.summarise(1, false);
  assert.equal(received, 1);
  assert.equal(keys.length, 1);
  const { key, route, hops, ms, error_ms } = keys[0]!;
  assert.deepEqual([key, route, hops], ["client::~::server", "direct", 1]);
  assert.deepEqual([ms!.max, error_ms!.max], [0.25, 0.008]);
});

test("warm-up is counted apart, duplicates not at all", () => {
  const metering = createTest();
  const session = createFakeSession();
  receive(metering, session, { sequence: 1, warmUp: true });
  receive(metering, session, { sequence: 1, warmUp: true });
  receive(metering, session, { sequence: 2 });
  receive(metering, session, { sequence: 2 });
  const { warmup, received, keys } = metering.summarise(1, false);
  assert.deepEqual([warmup, received, keys[0]!.count, keys[0]!.duplicates], [1, 1, 1, 2]);
});

test("while clocks are unknown messages are counted without a delay, unless taken as they are", () => {
  const metering = createTest();
  const session = createFakeSession();
  receive(metering, session, { sequence: 1, errorUs: NaN, method: "none" });
  receive(metering, session, { sequence: 2, errorUs: NaN, method: "system" });
  const { count, uncorrected, ms } = metering.summarise(1, false).keys[0]!;
  assert.deepEqual([count, uncorrected, ms!.max], [2, 1, 0.25]);
});

test("what is missing of a client's sequence is lost on the way up, and stays so when it leaves", () => {
  const metering = createTest();
  const session = createFakeSession();
  receive(metering, session, { sequence: 1 });
  receive(metering, session, { sequence: 4 });
  assert.equal(metering.summarise(1, false).keys[0]!.up, 2);
  session.tracker.extendTo(6);
  metering.observer.left(session, "done");
  session.tracker.extendTo(100);
  const { lost, up, down } = metering.summarise(1, false).keys[0]!;
  assert.deepEqual([lost, up, down], [3, 3, 0]);
});

test("sessions of one name are one line of figures", () => {
  const metering = createTest();
  for (let i = 0; i < 3; i++) {
    const session = createFakeSession();
    receive(metering, session, {});
    metering.observer.left(session, "done");
  }
  assert.deepEqual(metering.summarise(1, false).keys.map(({ count }) => count), [3]);
});

test("a session that the filter keeps out has no figures", () => {
  const metering = createTest();
  const session = createFakeSession({ metered: false });
  metering.observer.left(session, "done");
  assert.deepEqual(metering.summarise(1, false).keys, []);
});

test("copies are counted for each receiver; residence and fan-out leave warm-up out", () => {
  const metering = createTest();
  metering.observer.relayed(5, 5, 4, 99_000, 99_000);
  metering.observer.relayed(5, 2, 4, 30, 12);
  metering.observer.relayed(1, 0, 1, 40, 77_000);
  const { sent, residence_ms, fanout_ms } = metering.summarise(1, false);
  assert.equal(sent, 41);
  assert.deepEqual([residence_ms!.min, residence_ms!.max], [0.03, 0.04]);
  // One receiver waits for no other.
  assert.equal(fanout_ms!.max, 0.012);
});

test("a session is shown with its peer, its clock's round trip and bound, and its backlog", () => {
  assert.deepEqual(summariseSession(createFakeSession(), 0), {
    name: "client",
    route: "direct",
    peer: "192.0.2.7:4711",
    rtt_ms: 0.6,
    error_ms: 0.025,
    backlog_bytes: 12,
    dropped: 4,
  });
  const unknown = Object.assign(createFakeSession({ errorUs: NaN }), { rttUs: NaN });
  const shown = summariseSession(unknown, 0);
  assert.ok(!("rtt_ms" in shown) && !("error_ms" in shown));
});

test("each metered message is recorded as the hop that ended at the server", () => {
  const lines: Record<string, unknown>[] = [];
  const metering = createServerMetering({
    name: "server",
    record: createServerRecorder({
      sink: { write: (line) => lines.push(JSON.parse(line)) },
      source: { reporter: "server", region: null, zone: null, run: "f00d" },
      processId: "dd",
    }),
  });
  const session = createFakeSession();
  receive(metering, session, { sequence: 1, warmUp: true });
  receive(metering, session, { sequence: 2 });
  receive(metering, session, { sequence: 2 });
  assert.deepEqual(lines, [{
    key: "client::~::server",
    ms: 0.25,
    length: 20,
    received: toIso(11_250),
    v: 1,
    kind: "hop",
    id: "0123456789abcdef-2",
    to_id: "0123456789abcdef",
    clock_id: clockId("cc", "dd"),
    from: "client",
    to: "server",
    route: "direct",
    flow: 3,
    hop: 1,
    hops: 1,
    path: "client::~::server",
    echo: false,
    intended: toIso(990),
    sent: toIso(1000),
    ms_raw: 10.25,
    error_ms: 0.008,
    clock: "estimate",
    rtt_ms: 0.6,
    transport: "tcp",
    peer: "192.0.2.7:4711",
    reporter: "server",
    region: null,
    zone: null,
    run: "f00d",
  }]);
});
