import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeTime, withFakeTime } from "../platform/fake-time.ts";
import type { Link, LinkEvents } from "../relay/link.ts";
import { createFlow, type Flow } from "./flow.ts";
import { createOrigin, updateLoss } from "./origins.ts";
import type { ClientSession, SessionState } from "./session.ts";

/** A session in whatever state the test wants it. */
interface FakeSession extends ClientSession {
  state: SessionState;
  sent: number;
  /** What it knows at its hello of the session before. */
  readonly previous: Uint8Array;
  isFull: boolean;
}

interface Attempt {
  signal: AbortSignal;
  opened: (link: Link) => LinkEvents;
  fail: (reason: string) => void;
}

const NO_SESSION = new Uint8Array(8);
let lastNumber = 0;

function createFakeSession(previous: Uint8Array): FakeSession {
  const number = ++lastNumber;
  const sessionId = new Uint8Array(8).fill(number);
  const session = {
    previous,
    state: "greeting",
    sent: 0,
    isFull: false,
    welcome: undefined as unknown,
    self: createOrigin({
      session: number,
      sessionId,
      flow: 0,
      received: 0,
      next: 1,
      name: "client",
      route: "direct",
    }),
    send: () => {
      if (session.isFull) return false;
      session.sent++;
      return true;
    },
  };
  return session as unknown as FakeSession;
}

/** A flow whose connections the test makes, and what it told. */
function createTest({ warmUp = 0 } = {}) {
  const attempts: Attempt[] = [];
  const sessions: FakeSession[] = [];
  const lost: string[] = [];
  const settled: ClientSession[] = [];
  const flow: Flow = createFlow({
    route: { label: "direct", host: "server", port: 8080, address: "server" },
    flow: 0,
    warmUp,
    backoff: { nextMs: () => 100, reset: () => lost.push("backoff reset") },
    connect: (_, signal, opened) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("given up")));
        attempts.push({ signal, opened, fail: (reason) => reject(new Error(reason)) });
      }),
    createSession(_link, _flow, previous) {
      const session = createFakeSession(previous);
      sessions.push(session);
      return session;
    },
    lost: (_, reason, retryMs) => lost.push(`${reason}, again in ${retryMs} ms`),
    settled: (session) => settled.push(session),
  });

  return {
    flow,
    attempts,
    sessions,
    lost,
    settled,
    /** The attempt under way gets a connection. */
    connect(): FakeSession {
      attempts.at(-1)!.opened({ peer: "server" } as Link);
      return sessions.at(-1)!;
    },
    welcome(counts?: { received: number; next: number }): FakeSession {
      const session = sessions.at(-1)!;
      const { number: id } = session.self!;
      const sessionId = new Uint8Array(8).fill(id);
      Object.assign(session, { welcome: { sessionId, ...(counts && { previous: counts }) } });
      flow.welcomed();
      session.state = "open";
      flow.opened();
      return session;
    },
    end(byRelay = false): void {
      sessions.at(-1)!.state = "closed";
      flow.ended({ reason: "gone", byRelay, refused: false });
    },
    send(count: number): void {
      for (let i = 0; i < count; i++) flow.send(0, 10);
    },
  };
}

/** Rejections have been told. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

async function retry(time: FakeTime): Promise<void> {
  await settle();
  time.advance(100_000);
}

test("a flow connects at once, and again after each failure when the backoff says so", () =>
  withFakeTime(async (time) => {
    const { flow, attempts, lost } = createTest();
    assert.equal(attempts.length, 1);
    assert.equal(flow.tried, false);
    attempts[0]!.fail("connection refused");
    await settle();
    assert.equal(flow.tried, true);
    assert.deepEqual(lost, ["connection refused, again in 100 ms"]);
    time.advance(99_000);
    assert.equal(attempts.length, 1);
    time.advance(1000);
    assert.equal(attempts.length, 2);
    flow.stop();
    await settle();
  }));

test("a slot is sent once the session is open, and is missed before, and when there is no room", () =>
  withFakeTime(async () => {
    const { flow, connect, welcome } = createTest();
    assert.equal(flow.send(0, 10), false);
    const session = connect();
    assert.equal(flow.send(0, 10), false);
    welcome();
    assert.equal(flow.isOpen, true);
    assert.equal(flow.send(0, 10), true);
    session.isFull = true;
    assert.equal(flow.send(0, 10), false);
    assert.deepEqual([flow.sent, flow.unsent], [1, 3]);
    flow.stop();
    await settle();
  }));

test("the first messages of each session are warm-up", () =>
  withFakeTime(async (time) => {
    const { flow, connect, welcome, send, end } = createTest({ warmUp: 3 });
    connect();
    welcome();
    send(2);
    assert.deepEqual([flow.warmedUp, flow.warmingUp, flow.measured], [2, true, 0]);
    send(2);
    assert.deepEqual([flow.warmedUp, flow.warmingUp, flow.measured], [3, false, 1]);
    end();
    await retry(time);
    connect();
    welcome();
    assert.equal(flow.warmingUp, true);
    send(4);
    assert.deepEqual([flow.sent, flow.measured, flow.reconnects], [8, 2, 1]);
    flow.stop();
  }));

test("what a lost session sent after the relay's last count is unconfirmed, until the next welcome tells", () =>
  withFakeTime(async (time) => {
    const { flow, connect, welcome, send, end, settled } = createTest();
    connect();
    const first = welcome();
    send(10);
    first.self!.latest = { received: 6, next: 7 };
    end();
    assert.equal(flow.unconfirmed, 4);
    assert.deepEqual(settled, []);
    await retry(time);
    const second = connect();
    assert.deepEqual(second.previous, first.welcome!.sessionId);
    welcome({ received: 8, next: 9 });
    assert.equal(flow.unconfirmed, 0);
    // Two of ten the relay never had.
    assert.equal(first.self!.up, 2);
    assert.deepEqual(settled, [first]);
    flow.stop();
    await settle();
  }));

test("an echo confirms as a count does", () =>
  withFakeTime(async () => {
    const { flow, connect, welcome, send, end } = createTest();
    connect();
    const session = welcome();
    send(5);
    for (const sequence of [1, 2, 4]) session.self!.tracker.accept(sequence);
    end();
    assert.equal(flow.unconfirmed, 1);
    flow.stop();
    await settle();
  }));

test("a relay that knows nothing of the session before leaves it unconfirmed", () =>
  withFakeTime(async (time) => {
    const { flow, connect, welcome, send, end, settled } = createTest();
    connect();
    const first = welcome();
    send(3);
    end();
    await retry(time);
    connect();
    welcome();
    assert.equal(flow.unconfirmed, 3);
    assert.equal(first.self!.up, 0);
    assert.deepEqual(settled, [first]);
    send(2);
    end();
    assert.equal(flow.unconfirmed, 5);
    flow.stop();
    await settle();
  }));

test("a session that ends before its welcome keeps the one before in question", () =>
  withFakeTime(async (time) => {
    const { flow, connect, welcome, send, end, settled, lost } = createTest();
    connect();
    const first = welcome();
    send(3);
    end();
    for (let i = 0; i < 2; i++) {
      await retry(time);
      connect();
      end();
    }
    assert.deepEqual(settled, []);
    assert.equal(lost.filter((line) => line.startsWith("gone")).length, 3);
    await retry(time);
    assert.deepEqual(connect().previous, first.welcome!.sessionId);
    welcome({ received: 3, next: 4 });
    assert.deepEqual([flow.unconfirmed, first.self!.up], [0, 0]);
    assert.deepEqual(settled, [first]);
    flow.stop();
    await settle();
  }));

test("a session that the relay said bye to is settled at once, and only once", () =>
  withFakeTime(async (time) => {
    const { flow, connect, welcome, send, end, settled } = createTest();
    connect();
    const first = welcome();
    send(3);
    updateLoss(first.self!, { session: 1, received: 2, next: 3, dropped: 0 });
    end(true);
    assert.deepEqual(settled, [first]);
    assert.equal(flow.unconfirmed, 0);
    await retry(time);
    connect();
    welcome({ received: 1, next: 4 });
    assert.deepEqual(settled, [first]);
    assert.equal(first.self!.up, 1, "the third was on its way when the relay said bye");
    flow.stop();
    await settle();
  }));

test("the first session names none before it", () =>
  withFakeTime(async () => {
    const { flow, connect } = createTest();
    assert.deepEqual(connect().previous, NO_SESSION);
    flow.stop();
    await settle();
  }));

test("a flow that is stopped while it connects gives that up", () =>
  withFakeTime(async (time) => {
    const { flow, attempts, lost } = createTest();
    flow.stop();
    await retry(time);
    assert.equal(attempts[0]!.signal.aborted, true);
    assert.equal(attempts.length, 1);
    assert.deepEqual(lost, []);
    assert.equal(flow.stopped, true);
    assert.equal(time.waiting, 0);
  }));

test("a flow that is stopped while it waits connects no more, and settles its last session", () =>
  withFakeTime(async (time) => {
    const { flow, attempts, connect, welcome, send, end, settled } = createTest();
    connect();
    const session = welcome();
    send(2);
    end();
    flow.stop();
    assert.deepEqual(settled, [session]);
    assert.equal(flow.unconfirmed, 2);
    await retry(time);
    assert.equal(attempts.length, 1);
    assert.equal(time.waiting, 0);
  }));

test("a stopped flow leaves its session to its owner, and is stopped for good when that ends", () =>
  withFakeTime(async (time) => {
    const { flow, attempts, connect, welcome, send, end, settled, lost } = createTest();
    connect();
    const session = welcome();
    send(2);
    flow.stop();
    assert.deepEqual([flow.isOpen, flow.stopped], [true, false]);
    const told = lost.length;
    end();
    assert.equal(flow.stopped, true);
    assert.equal(flow.unconfirmed, 2);
    assert.deepEqual(settled, [session]);
    await retry(time);
    assert.equal(attempts.length, 1);
    assert.equal(lost.length, told);
  }));

test("a flow stopped between connection and welcome settles the session before when that ends", () =>
  withFakeTime(async (time) => {
    const { flow, connect, welcome, send, end, settled } = createTest();
    connect();
    const first = welcome();
    send(1);
    end();
    await retry(time);
    connect();
    flow.stop();
    assert.deepEqual(settled, []);
    end();
    assert.deepEqual(settled, [first]);
    assert.equal(flow.stopped, true);
  }));

test("a welcome lets the backoff begin anew, a mere connection does not", () =>
  withFakeTime(async () => {
    const { flow, connect, welcome, lost } = createTest();
    connect();
    assert.deepEqual(lost, []);
    welcome();
    assert.deepEqual(lost, ["backoff reset"]);
    flow.stop();
    await settle();
  }));
