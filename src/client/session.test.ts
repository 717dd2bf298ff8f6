import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../relay/hex.ts";
import type { LinkOptions } from "../relay/simulation/sim-link.ts";
import {
  createSessionWorld,
  type MeasuredHop,
  type SessionWorld,
  type WorldSession,
} from "./session-world.ts";

const SECOND = 1_000_000;
const idOf = ({ client }: WorldSession): string => toHex(client.welcome!.sessionId);

function streamOf(delayUs: number, jitterUs = 500): LinkOptions {
  return { delayUs, jitterUs, loss: 0.002, retransmitUs: 60_000, delivery: "stream" };
}

/** An asymmetric way. */
const way = (upUs: number, downUs: number) => ({ up: streamOf(upUs), down: streamOf(downUs) });

/** Sequences from `from` up to `to`, as they should have arrived. */
const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** Each hop's corrected delay is off by no more than its bound, and what f64s and f32s round. */
function assertWithinBounds(hops: MeasuredHop[], least: number): void {
  assert.ok(hops.length >= least, `${hops.length} hops`);
  for (const { trueUs, correctedUs, errorUs, method } of hops) {
    assert.equal(method, "estimate");
    assert.ok(errorUs < 200_000, `bound of ${errorUs} µs`);
    const offBy = Math.abs(correctedUs - trueUs);
    assert.ok(
      offBy <= errorUs + 0.2,
      `corrected ${correctedUs} µs, true ${trueUs} µs, bound ${errorUs} µs`,
    );
  }
}

/**
 * Five processes: one with two routes and a second flow that wants its echo; one that joins late;
 * one that leaves early; one whose way is cut and that comes back.
 */
function runMesh(seed: number) {
  const sessions = createSessionWorld(seed);
  const { world, random } = sessions;
  const process = () =>
    sessions.addProcess({
      offsetUs: random.between(-5e6, 5e6),
      driftPpm: random.between(-50, 50),
    });
  const start = (session: WorldSession) => {
    sessions.sendUntil(session, 40_000, 20 * SECOND);
    return session;
  };
  const [two, steady, early, late, unlucky] = [
    process(),
    process(),
    process(),
    process(),
    process(),
  ];
  const direct = start(
    two.connect(way(5_000, 40_000), { name: "two", route: "direct", echo: true }),
  );
  const other = start(two.connect(way(30_000, 8_000), { name: "two", route: "other", echo: true }));
  const flow = start(
    two.connect(way(5_000, 40_000), { name: "two", route: "direct", echo: true, flow: 1 }),
  );
  const stays = start(steady.connect(way(1_000, 1_200), { name: "steady" }));
  const leaves = start(early.connect(way(70_000, 20_000), { name: "early" }));
  const before = start(unlucky.connect(way(15_000, 3_000), { name: "unlucky" }));
  const made: { joins?: WorldSession; after?: WorldSession } = {};
  world.at(6 * SECOND, () => {
    made.joins = start(late.connect(way(2_000, 90_000), { name: "late" }));
  });
  world.at(9 * SECOND, () => leaves.client.leave());
  world.at(11 * SECOND, before.cut);
  world.at(13 * SECOND, () => {
    const previousSession = before.client.welcome!.sessionId;
    made.after = start(unlucky.connect(way(15_000, 3_000), { name: "unlucky", previousSession }));
  });
  world.run(22 * SECOND);
  const last = [direct, other, flow, stays, made.joins!, made.after!];
  for (const { client } of last) client.leave();
  world.run(24 * SECOND);
  return { sessions, direct, other, flow, stays, leaves, before, last, after: made.after! };
}

/** What `receiver` had of `origin` is all that it should have had, and no more. */
function assertComplete(
  { relayed }: SessionWorld,
  receiver: WorldSession,
  origin: WorldSession,
): void {
  const id = idOf(origin);
  const known = receiver === origin ? receiver.client.self! : receiver.origins.get(id)!;
  const got = receiver.received.get(id) ?? [];
  const end = Math.min(known.latest.next - 1, relayed.get(id)!.at(-1)!);
  assert.deepEqual(got, range(known.start.next, end), "each once, in order");
  assert.deepEqual([known.up, known.down, known.dropped], [0, 0, 0]);
  const { received, duplicates, reordered } = known.tracker;
  assert.deepEqual([received, duplicates, reordered], [got.length, 0, 0]);
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`in a mesh of skewed clocks and asymmetric ways every message is accounted for (seed ${seed})`, () => {
    const mesh = runMesh(seed);
    const { sessions, last, leaves, before, flow, after } = mesh;
    const everyone = [...last, leaves, before];
    assert.equal(sessions.relay.sessions.size, 0);
    assert.equal(sessions.relay.connections, 0);
    assert.deepEqual(sessions.strangers, []);
    for (const session of everyone) {
      assert.ok(session.client.sent > 100, `${session.client.sent} sent`);
      assert.equal(session.client.unknown, 0);
      assert.equal(session.client.state, "closed");
      assert.equal(session.end!.byRelay, session !== before);
    }
    // Streams lose nothing: but where a way is cut, what was on it.
    for (const session of [...last, leaves]) {
      assert.deepEqual(sessions.relayed.get(idOf(session)), range(1, session.client.sent));
    }
    const arrived = sessions.relayed.get(idOf(before))!;
    assert.deepEqual(arrived, range(1, arrived.length));
    assert.ok(before.client.sent - arrived.length <= 20);
    assert.deepEqual(after.client.welcome!.previous, {
      received: arrived.length,
      next: arrived.length + 1,
    });

    const recipients = everyone.filter((session) => session !== flow);
    for (const receiver of recipients) {
      for (const origin of everyone) {
        const id = idOf(origin);
        if (receiver === origin) {
          if (origin.client.hello.echo) assertComplete(sessions, receiver, origin);
        } else if (receiver.origins.has(id)) {
          // The one that was cut off cannot know what was on its way to it.
          if (receiver !== before) assertComplete(sessions, receiver, origin);
        } else {
          assert.equal(receiver.received.get(id), undefined);
        }
      }
    }
    // Who stayed to the end had everything, from its joining on.
    for (const receiver of last.filter((session) => session !== flow)) {
      for (const origin of last) {
        if (receiver === origin) continue;
        const known = receiver.origins.get(idOf(origin))!;
        assert.equal(known.latest.next, origin.client.sent + 1);
        assert.equal(known.tracker.received, origin.client.sent + 1 - known.start.next);
      }
    }
    assert.deepEqual([...flow.received.keys()], [idOf(flow)]);
    assert.equal(flow.received.get(idOf(flow))!.length, flow.client.sent);
  });

  test(`each corrected delay of that mesh is within its bound of the true one (seed ${seed})`, () => {
    const { sessions, last } = runMesh(seed);
    assertWithinBounds(sessions.hops, 2000);
    for (const { hops, openedTrueUs } of last) {
      const [early, later] = [[], []] as MeasuredHop[][];
      for (const hop of hops) (hop.atUs < openedTrueUs ? early! : later!).push(hop);
      assertWithinBounds(later!, 200);
      // What others send before the clocks have been read is known to be uncorrected, or corrected.
      const uncorrected = early!.filter(({ method }) => method === "none");
      assert.ok(uncorrected.every(({ errorUs }) => Number.isNaN(errorUs)));
      assertWithinBounds(early!.filter((hop) => !uncorrected.includes(hop)), 0);
    }
  });
}

test("a seed determines the whole mesh", () => {
  const summary = (seed: number) => {
    const { sessions, last } = runMesh(seed);
    return [sessions.hops.length, sessions.hops.at(-1), last.map(({ client }) => client.sent)];
  };
  assert.deepEqual(summary(7), summary(7));
  assert.notDeepEqual(summary(7), summary(8));
});

/** A world with one client that is open, and a way to look for what it lacks. */
function createPair(seed = 1) {
  const sessions = createSessionWorld(seed);
  const process = sessions.addProcess({ offsetUs: 3e6, driftPpm: 20 });
  const session = process.connect(way(1000, 1000));
  return { sessions, process, session, world: sessions.world };
}

test("a session opens once the clocks have been read, within one burst", () => {
  const { session, world } = createPair();
  assert.equal(session.client.state, "greeting");
  world.run(3 * SECOND);
  assert.equal(session.client.state, "open");
  assert.ok(session.openedTrueUs > 8 * 2000, `${session.openedTrueUs} µs`);
  assert.ok(session.client.rttUs >= 2000);
});

test("leaving twice is leaving once: the relay's bye is awaited", () => {
  const { session, world } = createPair();
  world.run(3 * SECOND);
  session.client.leave();
  session.client.leave();
  assert.equal(session.client.state, "leaving");
  world.run(4 * SECOND);
  assert.deepEqual(session.end, { reason: "done", byRelay: true, refused: false });
  session.client.leave();
  assert.equal(session.client.state, "closed");
});

test("a session that hears nothing any more ends, and so does the relay's side of it", () => {
  const { sessions, session, world } = createPair();
  world.run(3 * SECOND);
  assert.equal(sessions.relay.sessions.size, 1);
  // The way swallows everything from now on, and nobody is told.
  session.client.link.write = () => true;
  const { events } = session.client;
  events.data = () => {};
  world.run(60 * SECOND);
  assert.match(session.end!.reason, /nothing heard for 3\d s|the server closed the connection/);
  assert.equal(sessions.relay.sessions.size, 0);
});

test("an idle session is kept alive by its heartbeats", () => {
  const { sessions, session, world } = createPair();
  world.run(300 * SECOND);
  assert.equal(session.client.state, "open");
  assert.equal(sessions.relay.sessions.size, 1);
});

test("bytes that are no welcome end a session as no performance server", () => {
  const { session } = createPair();
  session.client.events.data(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  assert.equal(session.client.state, "closed");
  assert.match(session.end!.reason, /frame of \d+ bytes/);
  assert.equal(session.end!.byRelay, false);
});
