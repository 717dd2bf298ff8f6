import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReportedKey } from "../relay/report-frame.ts";
import { createFigureSet } from "./figure-set.ts";
import { createKeyNews } from "./key-news.ts";
import { createMesh, type Mesh } from "./mesh.ts";
import type { Reporter } from "./mesh-key.ts";
import { bucketOf, type KeyView } from "./mesh-view.ts";

/** A mesh on a server named `relay`, and the time. */
function createWorld() {
  let now = 1_000_000;
  const expected = { own: true };
  const mesh = createMesh({
    kind: "server",
    nowMs: () => now,
    intervalMs: 1000,
    isOwnName: (name) => name === "relay",
    isExpected: () => expected.own,
  });
  return {
    mesh,
    expected,
    pass: (ms: number) => now += ms,
    view: () => {
      for (const _ of mesh.review());
      return [...mesh.keysJson()].map((json) => JSON.parse(json) as KeyView);
    },
  };
}

const reported = (
  nodes: string[],
  count: number,
  more: Partial<ReportedKey> = {},
): ReportedKey => ({
  nodes,
  route: "r",
  echo: false,
  told: false,
  count,
  up: 0,
  down: 0,
  dropped: 0,
  duplicates: 0,
  reordered: 0,
  negative: 0,
  uncorrected: 0,
  delays: [1, 2, 0, 2, 2, 2, 2, 2, 2],
  errorMs: { p50: 0.5, max: 1 },
  span: {
    ms: 1000,
    count,
    lost: 0,
    delays: { p50: 2, p95: 2, p99: 2, max: 2, buckets: [bucketOf(2), count] },
  },
  ...more,
});

const tell = (mesh: Mesh, reporter: Reporter, ...keys: ReportedKey[]) =>
  mesh.takeReport(reporter, keys, []);

test("a key that several heard of is counted once: by the one that heard most", () => {
  const { mesh, view } = createWorld();
  const [a, b] = [mesh.join("a", false), mesh.join("b", false)];
  tell(mesh, a, reported(["x", "other"], 10, { told: true }));
  tell(mesh, b, reported(["x", "other"], 12, { told: true }));
  const [key, ...rest] = view();
  assert.deepEqual(rest, []);
  assert.equal(key!.count, 12);
  assert.deepEqual(key!.reporters, ["b"]);
  assert.equal(key!.source, "reported");
});

test("who ended a hop knows better than who was told of it", () => {
  const { mesh, view } = createWorld();
  tell(mesh, mesh.join("a", false), reported(["s", "x"], 99, { told: true }));
  tell(mesh, mesh.join("x", false), reported(["s", "x"], 10));
  assert.equal(view()[0]!.count, 10);
});

test("nodes of one name are added up, and their percentiles come from all delays", () => {
  const { mesh, view } = createWorld();
  const slow = reported(["s", "x"], 30, {
    delays: [7, 8, 0, 8, 8, 8, 8, 8, 8],
    up: 1,
    down: 2,
    span: {
      ms: 1000,
      count: 30,
      lost: 3,
      delays: { p50: 8, p95: 8, p99: 8, max: 8, buckets: [bucketOf(8), 30] },
    },
  });
  tell(mesh, mesh.join("x", false), reported(["s", "x"], 70));
  tell(mesh, mesh.join("x", false), slow);
  const [key] = view();
  assert.equal(key!.count, 100);
  assert.equal(key!.lost, 3);
  assert.equal(key!.merged, true);
  assert.deepEqual(key!.reporters, ["x"]);
  const { min, mean, p50, p90, max } = key!.ms!;
  assert.deepEqual([min, max], [1, 8]);
  assert.ok(Math.abs(mean - 3.8) < 1e-9, `${mean}`);
  assert.ok(Math.abs(p50 - 2) < 0.04, `${p50}`);
  assert.ok(Math.abs(p90 - 8) < 0.13, `${p90}`);
});

test("what this program measures itself stands above all reports", () => {
  const { mesh, view } = createWorld();
  const figures = createFigureSet();
  const spec = { key: "x::~::relay", from: "x", to: "relay", route: "r", hops: 1, echo: false };
  const stream = figures.get(spec).open();
  for (let i = 1; i <= 5; i++) stream.record(i, 10, 1000, 1000, 100, NaN);
  const own = mesh.join("relay", true);
  tell(mesh, mesh.join("x", false), reported(["x", "relay"], 9999, { told: true }));
  for (const news of createKeyNews(figures)(1000)) mesh.takeOwn(own, news);
  const [key, ...rest] = view();
  assert.deepEqual(rest, []);
  assert.equal(key!.count, 5);
  assert.equal(key!.source, "own");
  assert.equal(key!.last![1], 5);
});

test("what has no key of its own is one key", () => {
  const { mesh, view } = createWorld();
  const figures = createFigureSet(1);
  for (const from of ["x", "y", "z"]) {
    const spec = { key: `${from}::~::relay`, from, to: "relay", route: "r", hops: 1, echo: false };
    figures.get(spec).open().record(1, 10, 1000, 1000, 100, NaN);
  }
  const own = mesh.join("relay", true);
  for (const news of createKeyNews(figures)(1000)) mesh.takeOwn(own, news);
  const shown = view().map(({ key, count }) => [key, count]);
  assert.deepEqual(shown, [["x::~::relay", 1], ["other", 2]]);
});

test("a key goes stale when nothing new comes, and is live again when it does", () => {
  const { mesh, pass, view } = createWorld();
  const x = mesh.join("x", false);
  tell(mesh, x, reported(["s", "x"], 1));
  pass(14_000);
  assert.equal(view()[0]!.state, "live");
  pass(2_000);
  assert.equal(view()[0]!.state, "stale");
  tell(mesh, x, reported(["s", "x"], 2));
  assert.equal(view()[0]!.state, "live");
});

test("a key that comes seldom is given the time that it usually takes", () => {
  const { mesh, pass, view } = createWorld();
  const x = mesh.join("x", false);
  for (let i = 1; i <= 5; i++) {
    tell(mesh, x, reported(["s", "x"], i));
    pass(60_000);
  }
  pass(120_000);
  assert.equal(view()[0]!.state, "live");
  pass(120_000);
  assert.equal(view()[0]!.state, "stale");
});

test("what a dead reporter told is gone, never live, and forgotten after five minutes", () => {
  const { mesh, pass, view } = createWorld();
  const x = mesh.join("x", false);
  tell(mesh, x, reported(["s", "x"], 1));
  const [{ id }] = view() as [KeyView];
  mesh.leave(x);
  assert.equal(view()[0]!.state, "gone");
  mesh.changes();
  pass(301_000);
  assert.deepEqual(view(), []);
  assert.deepEqual(mesh.changes().forgotten, [id]);
  assert.equal(mesh.seriesJson(id, 0), undefined);
});

test("a successor takes the place of the one that died", () => {
  const { mesh, view } = createWorld();
  const first = mesh.join("x", false);
  tell(mesh, first, reported(["s", "x"], 100));
  mesh.leave(first);
  tell(mesh, mesh.join("x", false), reported(["s", "x"], 3));
  const [key] = view();
  assert.equal(key!.state, "live");
  assert.equal(key!.count, 3);
});

test("an own key is gone when nobody is there to send", () => {
  const { mesh, expected, view } = createWorld();
  const figures = createFigureSet();
  const spec = { key: "x::~::relay", from: "x", to: "relay", route: "r", hops: 1, echo: false };
  figures.get(spec).open().record(1, 10, 1000, 1000, 100, NaN);
  const own = mesh.join("relay", true);
  for (const news of createKeyNews(figures)(1000)) mesh.takeOwn(own, news);
  assert.equal(view()[0]!.state, "live");
  expected.own = false;
  assert.equal(view()[0]!.state, "gone");
});

test("a reporter of ever new keys is bounded, and does not keep others out", () => {
  const { mesh, view } = createWorld();
  const hostile = mesh.join("h", false);
  for (let i = 0; i < 60; i++) {
    tell(mesh, hostile, ...Array.from({ length: 100 }, (_, j) => reported([`${i}-${j}`, "h"], 1)));
  }
  assert.equal(view().length, 5_000);
  assert.equal(mesh.omittedKeys, 1_000);
  tell(mesh, mesh.join("x", false), reported(["s", "x"], 1));
  assert.equal(view().length, 5_001);
  mesh.leave(hostile);
});

test("all reporters together are bounded", () => {
  const { mesh, view } = createWorld();
  for (let r = 0; r < 6; r++) {
    const reporter = mesh.join(`h${r}`, false);
    for (let i = 0; i < 45; i++) {
      tell(
        mesh,
        reporter,
        ...Array.from({ length: 100 }, (_, j) => reported([`${r}-${i}-${j}`, "h"], 1)),
      );
    }
  }
  assert.equal(view().length, 20_000);
});

test("who comes and goes without end is bounded, and so is what it told", () => {
  const { mesh, view, pass } = createWorld();
  const stays = mesh.join("stays", false);
  tell(mesh, stays, reported(["a", "b"], 1));
  const difference = { a: "x", b: "y", from: "a", to: "b", pairs: 1 };
  for (let i = 0; i < 3000; i++) {
    const reporter = mesh.join(`one ${i}`, false);
    mesh.takeReport(reporter, [reported(["a", "b"], 1), reported([`${i}`, "b"], 1)], [difference]);
    pass(1);
    mesh.leave(reporter);
  }
  assert.equal(view().length, 1001);
  assert.equal(mesh.reporters.size, 1001);
  assert.equal(mesh.differences().length, 1000);
  assert.equal(mesh.differences().at(-1)!.reporter, "one 2999");
});

test("what all say of the same keys, and of differences, is bounded", () => {
  const { mesh, pass, view } = createWorld();
  const reports = Array.from({ length: 5000 }, (_, i) => reported([`${i}`, "b"], 1));
  const differences = Array.from(
    { length: 200 },
    (_, i) => ({ a: "x", b: `${i}`, from: "a", to: "b", pairs: 1 }),
  );
  const fill = (): void => {
    const all = Array.from({ length: 101 }, (_, i) => mesh.join(`${i}`, false));
    for (const reporter of all.slice(0, 9)) tell(mesh, reporter, ...reports);
    for (const reporter of all) mesh.takeReport(reporter, [], differences);
    for (const reporter of all) mesh.leave(reporter);
  };
  fill();
  assert.equal(mesh.omittedKeys, 5000);
  assert.equal(mesh.differences().length, 20_000);
  pass(300_001);
  assert.deepEqual(view(), []);
  fill();
  assert.equal(mesh.omittedKeys, 10_000);
  assert.equal(mesh.differences().length, 20_000);
});

test("changes tell each key that changed once, and what follows only when something does", () => {
  const { mesh, view } = createWorld();
  const x = mesh.join("x", false);
  tell(mesh, x, reported(["s", "x"], 1), reported(["s", "y"], 1));
  view();
  assert.equal([...mesh.changes().keys].length, 2);
  assert.equal([...mesh.changes().keys].length, 0);
  tell(mesh, x, reported(["s", "y"], 2));
  const [change, ...rest] = [...mesh.changes().keys].map((json) => JSON.parse(json));
  assert.deepEqual(rest, []);
  assert.equal(change.to, "y");
  assert.equal(change.count, 2);
});

test("a series has the points of those that are counted, from a time on", () => {
  const { mesh, pass, view } = createWorld();
  const x = mesh.join("x", false);
  for (let i = 1; i <= 3; i++) {
    pass(1000);
    tell(mesh, x, reported(["s", "x"], i));
  }
  const [{ id }] = view() as [KeyView];
  const points = JSON.parse(mesh.seriesJson(id, 0)!);
  assert.deepEqual(points.map(([endAt]: [number]) => endAt), [1_001_000, 1_002_000, 1_003_000]);
  assert.equal(JSON.parse(mesh.seriesJson(id, 1_002_000)!).length, 1);
  assert.deepEqual(mesh.find(id)!.buckets, [bucketOf(2), 6]);
});

test("nodes are told apart by where hops end", () => {
  const { mesh, view } = createWorld();
  const x = mesh.join("x", false);
  tell(
    mesh,
    x,
    reported(["far", "other"], 1, { told: true }),
    reported(["other", "x"], 1),
    reported(["far", "other", "x"], 1),
  );
  view();
  const kinds = Object.fromEntries(
    [...mesh.nodes().values()].map(({ name, kind }) => [name, kind]),
  );
  assert.deepEqual(kinds, { far: "client", other: "server", x: "client" });
});

test("differences of routes come with who tells them", () => {
  const { mesh } = createWorld();
  const x = mesh.join("x", false);
  const difference = { a: "direct", b: "fast", from: "x", to: "s", pairs: 10 };
  mesh.takeReport(x, [], [difference]);
  mesh.takeReport(x, [], [{ ...difference, pairs: 20 }]);
  assert.deepEqual(mesh.differences(), [{
    ...difference,
    pairs: 20,
    reporter: "x",
    state: "live",
  }]);
  mesh.leave(x);
  assert.equal(mesh.differences()[0]!.state, "gone");
});
