import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "../metrics/figure-set.ts";
import { hopKey } from "../metrics/keys.ts";
import type { ReportedKey } from "../relay/report-frame.ts";
import { readReport } from "../relay/report-reading.ts";
import { createReports } from "./reports.ts";
import type { ClientSession } from "./session.ts";

/** A server as its session shows it, and what it was told. */
function createServer(name: string, processId = name, takesReports = true) {
  const frames: Uint8Array[] = [];
  const state = { isBusy: false, open: true };
  const session = {
    get state() {
      return state.open ? "open" : "leaving";
    },
    welcome: { name, takesReports },
    pair: { processId },
    hello: { name: "me" },
    report(frame: Uint8Array) {
      if (state.isBusy) return false;
      frames.push(frame);
      return true;
    },
  } as unknown as ClientSession;
  const keys = (): ReportedKey[] => frames.flatMap((frame) => readReport(frame).keys);
  return { session, frames, state, keys };
}

function createWorld(...servers: ReturnType<typeof createServer>[]) {
  const figures = createFigureSet();
  let nowMs = 0;
  let sequence = 0;
  const record = (from: string, to: string, ms: number): void => {
    const spec = { key: hopKey(from, to), from, to, route: "r", hops: 1, echo: false };
    figures.get(spec).open().record(++sequence, 10, 1000, ms * 1000, 100, NaN);
  };
  const reports = createReports({
    figures,
    differences: () => [{ a: "direct", b: "fast", from: "me", to: "s1", pairs: 3 }],
    sessions: () => servers.map(({ session }) => session),
    intervalMs: 10_000,
    nowMs: () => nowMs,
  });
  return {
    record,
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        nowMs += 1000;
        await reports.tick();
      }
    },
  };
}

test("each server hears of the hops of all servers, but for those that it measures itself", async () => {
  const [s1, s2] = [createServer("s1"), createServer("s2")];
  const world = createWorld(s1, s2);
  for (const [from, to] of [["me", "s1"], ["s1", "me"], ["other", "s2"], ["s2", "me"]] as const) {
    world.record(from, to, 5);
  }
  await world.pass(1);
  const told = (server: typeof s1) =>
    server.keys().map(({ nodes, told }) => `${nodes.join(">")}${told ? " told" : ""}`).sort();
  assert.deepEqual(told(s1), ["other>s2 told", "s1>me", "s2>me"]);
  assert.deepEqual(told(s2), ["me>s1 told", "s1>me", "s2>me"]);
  assert.equal(readReport(s1.frames[0]!).differences[0]!.pairs, 3);
});

test("two routes to one server tell it once, two servers of one name both", async () => {
  const [route, same, other] = [
    createServer("s", "1"),
    createServer("s", "1"),
    createServer("s", "2"),
  ];
  const world = createWorld(route, same, other);
  world.record("s", "me", 5);
  await world.pass(1);
  assert.deepEqual([route, same, other].map(({ frames }) => frames.length), [1, 0, 1]);
});

test("a server that does not ask for reports gets none", async () => {
  const old = createServer("s", "s", false);
  const world = createWorld(old);
  world.record("s", "me", 5);
  await world.pass(30);
  assert.equal(old.frames.length, 0);
});

test("after the first, reports tell what changed, an interval at a time", async () => {
  const server = createServer("s");
  const world = createWorld(server);
  world.record("s", "me", 5);
  world.record("s", "you", 5);
  await world.pass(11);
  server.frames.length = 0;
  world.record("s", "me", 7);
  await world.pass(9);
  assert.deepEqual(server.keys(), []);
  await world.pass(1);
  const [key, ...rest] = server.keys();
  assert.deepEqual(rest, []);
  assert.equal(key!.count, 2);
  assert.equal(key!.span.count, 1);
  assert.equal(key!.span.ms, 10_000);
  assert.equal(key!.span.delays!.max, 7);
});

test("while something else waits to be sent nothing is reported, and nothing is lost by that", async () => {
  const server = createServer("s");
  const world = createWorld(server);
  world.record("s", "me", 1);
  await world.pass(10);
  server.frames.length = 0;
  server.state.isBusy = true;
  for (const ms of [2, 3, 4]) {
    world.record("s", "me", ms);
    await world.pass(10);
  }
  server.state.isBusy = false;
  await world.pass(20);
  const spans = server.keys().map(({ span }) => span);
  assert.equal(spans.reduce((sum, { count }) => sum + count, 0), 3);
  assert.equal(Math.max(...spans.map(({ delays }) => delays!.max)), 4);
});

test("who begins to listen late is told the totals, and no interval of all the past", async () => {
  const server = createServer("s");
  server.state.open = false;
  const world = createWorld(server);
  for (let i = 0; i < 5; i++) {
    world.record("s", "me", 5);
    await world.pass(20);
  }
  server.state.open = true;
  await world.pass(1);
  world.record("s", "me", 5);
  await world.pass(10);
  assert.deepEqual(server.keys().map(({ count, span }) => [count, span.count]), [[5, 0], [6, 1]]);
  assert.equal(server.keys()[1]!.span.ms, 10_000);
});

test("a thousand keys go out as one frame a second", async () => {
  const server = createServer("s");
  const world = createWorld(server);
  for (let i = 0; i < 1000; i++) world.record("s", `n${i}`, 5);
  await world.pass(1);
  assert.equal(server.frames.length, 1);
  await world.pass(1);
  assert.equal(server.frames.length, 2);
  await world.pass(30);
  assert.equal(new Set(server.keys().map(({ nodes }) => nodes[1])).size, 1000);
  assert.ok(server.frames.every(({ byteLength }) => byteLength <= 16_384));
});

test("a server that comes back is told of everything again", async () => {
  const server = createServer("s");
  const world = createWorld(server);
  world.record("s", "me", 5);
  await world.pass(1);
  server.state.open = false;
  await world.pass(5);
  server.state.open = true;
  server.frames.length = 0;
  await world.pass(1);
  assert.equal(server.keys()[0]!.count, 1);
});
