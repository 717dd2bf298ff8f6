import assert from "node:assert/strict";
import { test } from "node:test";
import { createFigureSet } from "./figure-set.ts";
import type { FigureSpec } from "./figures.ts";
import { hopKey, pathKey, pathRoute } from "./keys.ts";
import { noLoss } from "./loss.ts";

function hop(from: string, to: string, route = "direct", echo = false): FigureSpec {
  return { key: hopKey(from, to), from, to, route, hops: 1, echo };
}

function path(from: string, to: string, route = "direct", echo = false): FigureSpec {
  const key = pathKey([hopKey(from, "server"), hopKey("server", to)]);
  return { key, from, to, route, hops: 2, echo };
}

test("keys are written as the original wrote them", () => {
  assert.equal(hopKey("client-a", "server-b"), "client-a::~::server-b");
  assert.equal(pathKey([hopKey("a", "s"), hopKey("s", "b")]), "a::~::s<~>s::~::b");
  assert.equal(pathRoute("direct", "direct"), "direct");
  assert.equal(pathRoute("direct", "accelerated"), "direct>accelerated");
});

test("equal specs share their figures; another route or echo has its own", () => {
  const set = createFigureSet();
  const figures = set.get(hop("a", "b"));
  assert.equal(set.get(hop("a", "b")), figures);
  assert.notEqual(set.get(hop("a", "b", "accelerated")), figures);
  assert.notEqual(set.get(hop("a", "b", "direct", true)), figures);
});

test("summaries come hops first, then by names with their numbers, route, and echo last", () => {
  const set = createFigureSet();
  const specs = [
    path("client-2", "client-10", "direct", true),
    path("client-2", "client-10"),
    path("client-2", "client-10", "accelerated"),
    path("client-10", "client-2"),
    hop("server", "client-10"),
    hop("server", "client-2"),
    hop("client-10", "server"),
  ];
  for (const spec of specs) set.get(spec).open().record(0, 1, 1, 1, 1, 1);
  const order = (summaries: { from: string; to: string; route: string; echo: boolean }[]) =>
    summaries.map(({ from, to, route, echo }) => `${from} ${to} ${route}${echo ? " echo" : ""}`);
  const expected = [
    "client-10 server direct",
    "server client-2 direct",
    "server client-10 direct",
    "client-2 client-10 accelerated",
    "client-2 client-10 direct",
    "client-2 client-10 direct echo",
    "client-10 client-2 direct",
  ];
  assert.deepEqual(order(set.summarise(1)), expected);
  set.get(hop("client-1", "server")).open().record(0, 1, 1, 1, 1, 1);
  assert.deepEqual(order(set.summarise(1)), ["client-1 server direct", ...expected]);
});

test("a rotation tells only of keys that had a message or a loss in the interval", () => {
  const set = createFigureSet();
  let lost = 0;
  const busy = set.get(hop("busy", "server")).open();
  set.get(hop("losing", "server")).open(() => ({ ...noLoss(), lost, up: lost }));
  set.get(hop("idle", "server")).open();
  busy.record(0, 1, 1, 1, 1, 1);
  assert.deepEqual(set.rotate(1).map(({ from }) => from), ["busy"]);
  lost = 3;
  assert.deepEqual(set.rotate(1).map(({ from, lost }) => [from, lost]), [["losing", 3]]);
  assert.deepEqual(set.rotate(1), []);
  assert.deepEqual(set.summarise(1).map(({ from }) => from), ["busy", "losing"]);
});

test("beyond the most keys all others share one, so that names without end fill no memory", () => {
  const set = createFigureSet(3);
  const specOf = (name: string) => ({
    key: `${name}::~::server`,
    from: name,
    to: "server",
    route: "direct",
    hops: 1,
    echo: false,
  });
  const known = ["a", "b", "c"].map((name) => set.get(specOf(name)));
  const beyond = set.get(specOf("d"));
  assert.equal(beyond, set.get(specOf("e")));
  assert.equal(beyond.spec.key, "other");
  assert.equal(set.get(specOf("a")), known[0]);
  assert.equal([...set.all()].length, 4);
});
