import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeySummary } from "../metrics/summary.ts";
import type { Arrival } from "../relay/sequence.ts";
import {
  createFakeOrigin,
  createFakePair,
  createFakeSession,
  createRun,
  type FakeClientSession,
  type FakeMessage,
} from "./fake-message.ts";
import { createClientMetering } from "./metering.ts";
import { type Origin, updateLoss } from "./origins.ts";

const HERE_TO_RELAY = "here::~::relay";
const THERE_TO_RELAY = "there::~::relay";
const RELAY_TO_HERE = "relay::~::here";

function createTest(routes: readonly string[] = ["direct", "accelerated"]) {
  const recorded: number[] = [];
  const pair = createFakePair();
  const metering = createClientMetering({
    name: "here",
    routes,
    record: (_session, origin) => recorded.push(origin.number),
  });
  let lastNumber = 10;

  return {
    metering,
    recorded,
    pair,
    welcome(route: string, options: { echo?: boolean; pair?: typeof pair } = {}) {
      const session = createFakeSession({ number: ++lastNumber, route, pair, ...options });
      metering.welcomed(session);
      return session;
    },
    /** As one and the same origin session looks from each of ours. */
    join(session: FakeClientSession, number = 1, name = "there", route = "direct"): Origin {
      const origin = createFakeOrigin(number, name, route);
      metering.originJoined(session, origin);
      return origin;
    },
    receive(
      session: FakeClientSession,
      origin: Origin,
      message: FakeMessage,
      arrival: Arrival = "new",
    ): void {
      metering.messages(session, origin, createRun(message), arrival);
    },
    end(session: FakeClientSession, origins: readonly Origin[] = []): void {
      session.state = "closed";
      for (const origin of origins) metering.originLeft(session, origin);
      metering.ended(session);
    },
    keys: () => metering.summarise(1, false).keys,
    key(key: string, route?: string): KeySummary | undefined {
      return metering.summarise(1, false).keys.find((found) =>
        found.key === key && (route === undefined || found.route === route)
      );
    },
  };
}

/** Sent at `sentUs`, up in `upUs`, at once down again in `downUs`; the relay's clock is 1 s ahead. */
function twoHops(sentUs: number, upUs: number, downUs: number): FakeMessage["hops"] {
  const atRelayUs = sentUs + upUs + 1e6;
  return [
    { sentUs, receivedUs: atRelayUs, correctionUs: -1e6 },
    { sentUs: atRelayUs, receivedUs: atRelayUs + downUs - 1e6, correctionUs: 1e6 },
  ];
}

test("warm-up is counted apart, and is in no figures and no records", () => {
  const { metering, recorded, welcome, join, receive, keys } = createTest(["direct"]);
  const session = welcome("direct");
  const origin = join(session);
  receive(session, origin, { warmUp: true, hops: twoHops(0, 300, 500) });
  assert.deepEqual([keys(), recorded], [[], []]);
  receive(session, origin, { sequence: 2, hops: twoHops(0, 300, 500) });
  const { received, warmup } = metering.summarise(1, false);
  assert.deepEqual([received, warmup, recorded], [1, 1, [1]]);
});

test("duplicates, and what was sent before this client came, are nobody's", () => {
  const { metering, recorded, welcome, join, receive } = createTest(["direct"]);
  const session = welcome("direct");
  const origin = join(session);
  for (const arrival of ["duplicate", "outside"] as const) {
    receive(session, origin, { hops: twoHops(0, 300, 500) }, arrival);
    receive(session, origin, { warmUp: true, hops: twoHops(0, 300, 500) }, arrival);
  }
  receive(session, origin, { sequence: 3, hops: twoHops(0, 300, 500) }, "reordered");
  const { received, warmup, keys } = metering.summarise(1, false);
  assert.deepEqual([received, warmup, recorded.length], [1, 0, 1]);
  assert.deepEqual(keys.map(({ count }) => count), [1, 1, 1]);
});

test("of several routes to one relay the first to be welcomed meters the first hops of others", () => {
  const { welcome, join, receive, key } = createTest();
  const sessions = [welcome("direct"), welcome("accelerated")];
  for (const session of sessions) {
    receive(session, join(session), { hops: twoHops(0, 300, 500) });
  }
  assert.equal(key(THERE_TO_RELAY)!.count, 1);
  assert.equal(key(RELAY_TO_HERE, "direct")!.count, 1);
  assert.equal(key(RELAY_TO_HERE, "accelerated")!.count, 1);
});

test("routes to different relays each meter their own first hops", () => {
  const { welcome, join, receive, key } = createTest();
  const sessions = [welcome("direct"), welcome("accelerated", { pair: createFakePair("cc") })];
  for (const session of sessions) {
    receive(session, join(session), { hops: twoHops(0, 300, 500) });
  }
  assert.equal(key(THERE_TO_RELAY)!.count, 2);
});

test("when the route that meters first hops is lost the next one does, and keeps to it", () => {
  const { welcome, join, receive, end, key } = createTest();
  const [first, second] = [welcome("direct"), welcome("accelerated")];
  const [atFirst, atSecond] = [join(first), join(second)];
  receive(first, atFirst, { hops: twoHops(0, 300, 500) });
  receive(second, atSecond, { hops: twoHops(0, 300, 500) });
  end(first, [atFirst]);
  receive(second, atSecond, { sequence: 2, hops: twoHops(0, 300, 500) });
  assert.equal(key(THERE_TO_RELAY)!.count, 2);
  const again = welcome("direct");
  const atAgain = join(again);
  receive(again, atAgain, { sequence: 3, hops: twoHops(0, 300, 500) });
  receive(second, atSecond, { sequence: 3, hops: twoHops(0, 300, 500) });
  assert.equal(key(THERE_TO_RELAY)!.count, 3);
});

test("each session meters the first hop of its own messages by their echo, and no other route does", () => {
  const { welcome, join, receive, keys } = createTest();
  const [direct, accelerated] = [welcome("direct"), welcome("accelerated")];
  // The first route hears of the second one's session as of any other's.
  const asOther = join(direct, accelerated.self!.number, "here", "accelerated");
  receive(accelerated, accelerated.self!, { hops: twoHops(0, 300, 500) });
  receive(direct, asOther, { hops: twoHops(0, 300, 600) });
  const firstHops = keys().filter(({ key }) => key === HERE_TO_RELAY);
  assert.deepEqual(
    firstHops.map(({ route, echo, count }) => ({ route, echo, count })),
    [{ route: "accelerated", echo: true, count: 1 }],
  );
});

test("a session that another route hears of before its own welcome is this client's all the same", () => {
  const { welcome, join, receive, keys } = createTest();
  const direct = welcome("direct");
  const asOther = join(direct, 12, "here", "accelerated");
  const accelerated = welcome("accelerated");
  assert.equal(accelerated.self!.id, asOther.id);
  // Wrong corrections: one clock stamped both ends, and needs none.
  const hops = twoHops(0, 300, 600).map((hop) => ({ ...hop, correctionUs: 0 }));
  receive(direct, asOther, { hops });
  const path = keys().find(({ hops }) => hops === 2)!;
  assert.equal(path.ms!.max, 0.9);
  assert.equal(path.route, "accelerated>direct");
  assert.deepEqual(keys().filter(({ key }) => key === HERE_TO_RELAY), []);
});

test("a session of this client that has ended is no stranger to the route that still hears of it", () => {
  const { metering, welcome, join, receive, end, keys } = createTest();
  const [direct, accelerated, third] = [
    welcome("direct"),
    welcome("accelerated"),
    welcome("accelerated"),
  ];
  const asOther = join(direct, accelerated.self!.number, "here", "accelerated");
  end(accelerated);
  metering.settled(accelerated);
  end(third);
  receive(direct, asOther, { hops: twoHops(0, 300, 600) });
  assert.deepEqual(keys().filter(({ key }) => key === HERE_TO_RELAY), []);
});

test("messages of one slot are compared route by route: one way up, and the round trip", () => {
  const { metering, welcome, receive } = createTest();
  const [direct, accelerated] = [welcome("direct"), welcome("accelerated")];
  for (let slot = 1; slot <= 20; slot++) {
    const slotUs = slot * 1000;
    const message = { sequence: slot, slotUs };
    receive(direct, direct.self!, { ...message, hops: twoHops(slotUs, 900, 400) });
    receive(accelerated, accelerated.self!, { ...message, hops: twoHops(slotUs, 300, 500) });
  }
  const up = metering.summarise(1, false).differences!
    .find(({ from, to }) => from === "here" && to === "relay")!;
  assert.deepEqual([up.a, up.b, up.pairs], ["direct", "accelerated", 20]);
  assert.equal(up.owd_ms!.p50, -0.6);
  assert.equal(up.round_trip_ms!.p50, -0.5);
});

test("one message that comes down several routes is compared by its receptions", () => {
  const { metering, welcome, join, receive } = createTest();
  const [direct, accelerated] = [welcome("direct"), welcome("accelerated")];
  const [atDirect, atAccelerated] = [join(direct), join(accelerated)];
  for (let sequence = 1; sequence <= 20; sequence++) {
    const sentUs = sequence * 1000;
    receive(direct, atDirect, { sequence, hops: twoHops(sentUs, 300, 900) });
    receive(accelerated, atAccelerated, { sequence, hops: twoHops(sentUs, 300, 700) });
  }
  const down = metering.summarise(1, false).differences!
    .find(({ from, to }) => from === "relay" && to === "here")!;
  assert.equal(down.pairs, 20);
  assert.equal(down.owd_ms!.p50, -0.2);
});

test("a client of one route compares nothing", () => {
  const { metering, welcome, receive } = createTest(["direct"]);
  const session = welcome("direct");
  receive(session, session.self!, { hops: twoHops(0, 300, 500) });
  assert.equal(metering.summarise(1, false).differences, undefined);
});

test("a session's own loss counts until the relay's last word on it", () => {
  const { metering, welcome, receive, end, key } = createTest(["direct"]);
  const session = welcome("direct");
  receive(session, session.self!, { hops: twoHops(0, 300, 500) });
  end(session);
  const counts = { session: 1, received: 1, dropped: 0 };
  updateLoss(session.self!, { ...counts, next: 4 });
  metering.settled(session);
  updateLoss(session.self!, { ...counts, next: 52 });
  assert.equal(key(HERE_TO_RELAY)!.up, 2);
});

test("round trips are told by route, and lag for all", () => {
  const { metering, welcome } = createTest();
  metering.rtt(welcome("direct"), 800);
  metering.rtt(welcome("accelerated"), 200);
  metering.lag(30);
  assert.equal(metering.rttOf("direct")!.max, 0.8);
  assert.equal(metering.rttOf("accelerated")!.max, 0.2);
  assert.equal(metering.summarise(1, false).lag_ms!.max, 0.03);
});
