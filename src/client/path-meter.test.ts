import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "../metrics/figure-set.ts";
import { createFakeOrigin, createRun, type FakeMessage } from "./fake-message.ts";
import { updateLoss } from "./origins.ts";
import { createPathMeter } from "./path-meter.ts";

function createTest({ isOwn = false, echo = false } = {}) {
  const figures = createFigureSet();
  const origin = createFakeOrigin(1, "there", "direct");
  const meter = createPathMeter({
    origin,
    ledger: { toldLost: undefined },
    isOwn: () => isOwn,
    echo,
    relayName: "relay",
    receiver: { name: "here", route: "accelerated" },
    figures,
  });
  const record = (message: FakeMessage, receivedUs?: number) => ({
    ...meter.record(createRun(message, receivedUs)),
  });
  const keys = () => new Map(figures.summarise(1, false).map((summary) => [summary.key, summary]));
  return { origin, meter, record, keys };
}

const FIRST = "there::~::relay";
const LAST = "relay::~::here";
const PATH = `${FIRST}<~>${LAST}`;

/** The relay's clock is 1 s ahead: 300 µs up, 40 µs of residence, 500 µs down. */
const twoHops = [
  { sentUs: 10_000, receivedUs: 1_010_300, correctionUs: -1e6, errorUs: 20 },
  { sentUs: 1_010_340, receivedUs: 10_840, correctionUs: 1e6, errorUs: 30 },
];

test("a path's delay is the sum of its hops', its error theirs, and elapsed has the residence", () => {
  const { record } = createTest();
  assert.deepEqual(record({ hops: twoHops }), {
    hops: 2,
    rawUs: 800,
    delayUs: 800,
    errorUs: 50,
    elapsedUs: 840,
    residenceUs: 40,
    isCorrected: true,
  });
});

test("hops and path have their figures, by names and routes", () => {
  const { meter, record, keys } = createTest();
  meter.meterFirstHop(true);
  record({ hops: twoHops, payloadBytes: 100 });
  const found = keys();
  assert.deepEqual([...found.keys()], [LAST, FIRST, PATH]);
  assert.deepEqual([...found.values()].map(({ route }) => route), [
    "accelerated",
    "direct",
    "direct>accelerated",
  ]);
  assert.equal(found.get(FIRST)!.ms!.max, 0.3);
  assert.equal(found.get(FIRST)!.error_ms!.max, 0.02);
  assert.equal(found.get(LAST)!.ms!.max, 0.5);
  assert.equal(found.get(PATH)!.ms!.max, 0.8);
  assert.equal(found.get(PATH)!.elapsed_ms!.max, 0.84);
  assert.equal(found.get(PATH)!.bytes_per_second, 100);
});

test("where both ends are this process its one clock tells the path, whatever the corrections", () => {
  const { record, keys } = createTest({ isOwn: true, echo: true });
  const wrong = twoHops.map((hop) => ({ ...hop, correctionUs: hop.correctionUs + 70_000 }));
  const path = record({ hops: wrong });
  assert.equal(path.elapsedUs, 840);
  assert.equal(path.delayUs, 800);
  assert.equal(path.rawUs, 800);
  // That of the clock's rate alone: 500 ppm.
  assert.ok(Math.abs(path.errorUs - 0.42) < 1e-9);
  assert.equal(keys().get(PATH)!.echo, true);
  assert.equal(keys().get(PATH)!.elapsed_ms!.max, 0.84);
});

test("one clock tells the path also while the clocks' offset is unknown", () => {
  const { record, keys } = createTest({ isOwn: true });
  const unknown = twoHops.map((hop) => ({ ...hop, errorUs: NaN, method: "none" as const }));
  assert.equal(record({ hops: unknown }).isCorrected, true);
  const found = keys();
  assert.equal(found.get(PATH)!.ms!.max, 0.8);
  assert.deepEqual([found.get(LAST)!.uncorrected, found.get(LAST)!.ms], [1, undefined]);
});

test("a hop that could not be corrected is counted without a delay, and so is its path", () => {
  const { meter, record, keys } = createTest();
  meter.meterFirstHop(true);
  const [up, down] = twoHops as [typeof twoHops[0], typeof twoHops[1]];
  const path = record({ hops: [up!, { ...down!, errorUs: NaN }] });
  assert.equal(path.isCorrected, false);
  const found = keys();
  assert.deepEqual([found.get(FIRST)!.uncorrected, found.get(FIRST)!.ms!.max], [0, 0.3]);
  for (const key of [LAST, PATH]) {
    const { count, uncorrected, ms } = found.get(key)!;
    assert.deepEqual([count, uncorrected, ms], [1, 1, undefined]);
  }
});

test("system clocks are taken as they are, though nobody knows their bounds", () => {
  const { record, keys } = createTest();
  const raw = twoHops.map(({ sentUs, receivedUs }) => ({
    sentUs: sentUs % 1e6,
    receivedUs: receivedUs % 1e6,
    errorUs: NaN,
    method: "system" as const,
  }));
  assert.equal(record({ hops: raw }).isCorrected, true);
  const { ms, error_ms, uncorrected } = keys().get(PATH)!;
  assert.deepEqual([ms!.max, error_ms, uncorrected], [0.8, undefined, 0]);
});

test("loss up counts for the first hop, loss down for the last, both for the path", () => {
  const { origin, meter, record, keys } = createTest();
  meter.meterFirstHop(true);
  origin.tracker.accept(1);
  record({ hops: twoHops });
  updateLoss(origin, { session: 1, received: 4, next: 6, dropped: 2 });
  const losses = [FIRST, LAST, PATH].map((key) => {
    const { lost, up, down, dropped } = keys().get(key)!;
    return { lost, up, down, dropped };
  });
  assert.deepEqual(losses, [
    { lost: 1, up: 1, down: 0, dropped: 0 },
    { lost: 3, up: 0, down: 3, dropped: 2 },
    { lost: 4, up: 1, down: 3, dropped: 2 },
  ]);
});

test("whoever takes a first hop over tells only what is lost from then on", () => {
  const { origin, meter, keys } = createTest();
  updateLoss(origin, { session: 1, received: 0, next: 3, dropped: 0 });
  meter.meterFirstHop(true);
  assert.equal(keys().get(FIRST), undefined);
  updateLoss(origin, { session: 1, received: 0, next: 6, dropped: 0 });
  assert.equal(keys().get(FIRST)!.up, 3);
  meter.meterFirstHop(false);
  updateLoss(origin, { session: 1, received: 0, next: 9, dropped: 0 });
  assert.equal(keys().get(FIRST)!.up, 3);
});

test("what one told of a first hop's loss, another with older counts does not tell again", () => {
  const figures = createFigureSet();
  const ledger = { toldLost: undefined };
  const [before, after] = ["direct", "accelerated"].map((route) => {
    const origin = createFakeOrigin(1, "there", "direct");
    const options = {
      origin,
      ledger,
      isOwn: () => false,
      echo: false,
      relayName: "relay",
      figures,
    };
    return { origin, meter: createPathMeter({ ...options, receiver: { name: "here", route } }) };
  });
  const told = () => figures.summarise(1, false).find(({ key }) => key === FIRST)!.up;
  before!.meter.meterFirstHop(true);
  updateLoss(before!.origin, { session: 1, received: 0, next: 6, dropped: 0 });
  updateLoss(after!.origin, { session: 1, received: 0, next: 3, dropped: 0 });
  before!.meter.meterFirstHop(false);
  after!.meter.meterFirstHop(true);
  assert.equal(told(), 5);
  updateLoss(after!.origin, { session: 1, received: 0, next: 6, dropped: 0 });
  assert.equal(told(), 5);
  updateLoss(after!.origin, { session: 1, received: 0, next: 8, dropped: 0 });
  assert.equal(told(), 7);
});

test("a first hop is metered only while it is this meter's to meter", () => {
  const { meter, record, keys } = createTest();
  record({ hops: twoHops });
  assert.equal(keys().get(FIRST), undefined);
  meter.meterFirstHop(true);
  record({ sequence: 2, hops: twoHops });
  meter.meterFirstHop(false);
  record({ sequence: 3, hops: twoHops });
  assert.equal(keys().get(FIRST)!.count, 1);
  assert.equal(keys().get(PATH)!.count, 3);
});

test("a closed meter keeps the loss that it knew last", () => {
  const { origin, meter, record, keys } = createTest();
  meter.meterFirstHop(true);
  record({ hops: twoHops });
  updateLoss(origin, { session: 1, received: 2, next: 4, dropped: 0 });
  meter.close();
  updateLoss(origin, { session: 1, received: 9, next: 99, dropped: 0 });
  assert.deepEqual([FIRST, LAST, PATH].map((key) => keys().get(key)!.lost), [1, 2, 3]);
});
