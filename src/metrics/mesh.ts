/**
 * The mesh as one program knows it: keys that it measures itself, and those that its clients
 * report, each counted once, with what they were interval by interval.
 *
 * A key's figures are its own where this program measures it; else those of the reporters that
 * ended the hop, added up (nodes of one name aggregate); else of the one that heard most of it.
 * Those who left count only where nobody else is left, until they are forgotten.
 */

import type { ReportedDifference, ReportedKey } from "../relay/report-frame.ts";
import { createBucketSum } from "./contribution.ts";
import type { KeyNews } from "./key-news.ts";
import { keyNodes, keyOfNodes } from "./keys.ts";
import {
  better,
  contributionOf,
  counted,
  jsonOf,
  type Key,
  kindOf,
  type Reporter,
  type Told,
} from "./mesh-key.ts";
import { createSeriesStore } from "./mesh-series.ts";
import type { DifferenceView, KeyView, LifeState, NodeView, Point } from "./mesh-view.ts";
import { differenceOf, ownTotals, pointOf, spanOf, totalsOf } from "./reported.ts";
import type { DifferenceSummary } from "./summary.ts";

const MOST_KEYS = 20_000;
const MOST_KEYS_OF_REPORTER = 5_000;
const MOST_DIFFERENCES_OF_REPORTER = 200;
/** What all reporters say: several may tell of one key. */
const MOST_TOLD = 2 * MOST_KEYS;
const MOST_DIFFERENCES = 20_000;
/** Reporters that left, whose keys are still shown: who comes and goes is many of them. */
const MOST_GONE = 1_000;
/** What is gone is shown for so long. */
const FORGET_MS = 300_000;
/** Nothing new for so long is stale, or for so many intervals or usual gaps. */
const STALE_MS = 15_000;
const STALE_INTERVALS = 3;
const STALE_GAPS = 4;

export interface MeshOptions {
  /** What this program is. */
  kind: "server" | "client";
  /** Unix time in ms. */
  nowMs: () => number;
  intervalMs: number;
  /** Names of this process's own: a hop that ends elsewhere it was only told of. */
  isOwnName: (name: string) => boolean;
  /** Whether messages of one of its own keys can still come. */
  isExpected: (key: Pick<KeyView, "key" | "from" | "to" | "route">) => boolean;
}

/** What changed since it was asked before. */
export interface MeshChanges {
  /** JSON texts, made as they are asked for. */
  keys: Iterable<string>;
  forgotten: number[];
}

export interface Mesh {
  /** @param name of the process; `isOwn`: this one */
  join(name: string, isOwn: boolean): Reporter;
  /** It left; what it told stays for a while. `isThere` may become true again. */
  leave(reporter: Reporter): void;
  takeOwn(reporter: Reporter, news: KeyNews): void;
  takeOwnDifferences(reporter: Reporter, differences: readonly DifferenceSummary[]): void;
  /** All of it is from outside: bounded in number, believed no further than as figures. */
  takeReport(
    reporter: Reporter,
    keys: readonly ReportedKey[],
    d: readonly ReportedDifference[],
  ): void;
  /** Once an interval: sees what became stale or gone, a key at each step, and forgets. */
  review(): Iterable<void>;
  /** Since the last call. */
  changes(): MeshChanges;
  keysJson(): Iterable<string>;
  differences(): DifferenceView[];
  /** Names, by what was known of keys at the last review; sessions are for the caller to add. */
  nodes(): Map<string, NodeView>;
  seriesJson(id: number, sinceAt: number): string | undefined;
  /** Spec of a key, and the buckets that its figures come from. */
  find(id: number): { spec: Key["spec"]; isOwn: boolean; buckets: number[] } | undefined;
  /** What the bounds kept out, in keys told of. */
  readonly omittedKeys: number;
  readonly counts: Record<LifeState, number>;
  readonly reporters: ReadonlySet<Reporter>;
}

export function createMesh(options: MeshOptions): Mesh {
  const { nowMs, intervalMs } = options;
  const keys = new Map<string, Key>();
  const byId = new Map<number, Key>();
  const reporters = new Set<Reporter>();
  const store = createSeriesStore();
  const changed = new Set<Key>();
  let nodes = new Map<string, NodeView>();
  /** By others than this program, about keys. */
  let told = 0;
  let reportedDifferences = 0;
  let omittedKeys = 0;
  let forgotten: number[] = [];
  let lastId = 0;

  function keyFor(reporter: Reporter, spec: Key["spec"], nodes: readonly string[]) {
    const id = JSON.stringify([spec.key, spec.route, spec.echo]);
    let key = keys.get(id);
    if (key?.told.has(reporter)) return key;
    const isFull = !reporter.isOwn &&
      (reporter.keys >= MOST_KEYS_OF_REPORTER || told >= MOST_TOLD ||
        (key === undefined && keys.size >= MOST_KEYS));
    if (isFull) {
      omittedKeys++;
      return undefined;
    }
    reporter.keys++;
    if (!reporter.isOwn) told++;
    if (key === undefined) {
      key = {
        id: ++lastId,
        spec,
        nodes,
        told: new Map(),
        series: store.create(),
        last: undefined,
        state: "live",
        changedAt: nowMs(),
        gapMs: 0,
        json: undefined,
      };
      keys.set(id, key);
      byId.set(key.id, key);
    }
    return key;
  }

  function addPoint(key: Key, told: Told, point: Point): void {
    const now = nowMs();
    if (key.last !== undefined) {
      key.gapMs = Math.max(now - key.changedAt, key.gapMs * 0.9);
    }
    key.changedAt = now;
    told.buckets.add(point[8]);
    if (!counted(key).includes(told)) return;
    key.last = point;
    key.series.add(point);
  }

  function touch(key: Key): void {
    key.json = undefined;
    changed.add(key);
  }

  function stateOf(key: Key): LifeState {
    const from = counted(key);
    const isThere = from.some(({ reporter }) =>
      reporter.isThere && (!reporter.isOwn || options.isExpected(key.spec))
    );
    if (!isThere) return "gone";
    const patienceMs = Math.max(STALE_MS, STALE_INTERVALS * intervalMs, STALE_GAPS * key.gapMs);
    return nowMs() - key.changedAt > patienceMs ? "stale" : "live";
  }

  function forget(id: string, key: Key): void {
    keys.delete(id);
    byId.delete(key.id);
    changed.delete(key);
    store.release();
    forgotten.push(key.id);
  }

  /** Those that left long ago, or before many others did. */
  function takeOutOld(): Set<Reporter> {
    const beforeAt = nowMs() - FORGET_MS;
    const gone = [...reporters].filter(({ isThere }) => !isThere)
      .sort((a, b) => a.goneAt - b.goneAt);
    const tooMany = gone.length - MOST_GONE;
    const old = new Set(gone.filter(({ goneAt }, i) => goneAt <= beforeAt || i < tooMany));
    for (const reporter of old) {
      reporters.delete(reporter);
      reportedDifferences -= reporter.differences.size;
      told -= reporter.keys;
    }
    return old;
  }

  /** Own keys stay as long as the process: their figures do, too. */
  function forgetOld(): void {
    const old = takeOutOld();
    if (old.size === 0) return;
    for (const [id, key] of keys) {
      const before = key.told.size;
      for (const reporter of key.told.keys()) if (old.has(reporter)) key.told.delete(reporter);
      if (key.told.size === 0) forget(id, key);
      else if (key.told.size < before) touch(key);
    }
  }

  function addNodes(found: Map<string, NodeView>, key: Key): void {
    key.nodes.forEach((name, i) => {
      const node = found.get(name);
      if (node === undefined) {
        found.set(name, {
          name,
          kind: kindOf(key, i, options.kind),
          state: key.state,
          sessions: 0,
        });
      } else node.state = better(node.state, key.state);
    });
  }

  function* jsonOfEach(list: readonly Key[]): Generator<string> {
    for (const key of list) yield jsonOf(key);
  }

  return {
    get omittedKeys() {
      return omittedKeys;
    },
    reporters,
    join(name, isOwn) {
      const reporter: Reporter = {
        name,
        isOwn,
        isThere: true,
        goneAt: Infinity,
        keys: 0,
        differences: new Map(),
      };
      reporters.add(reporter);
      return reporter;
    },
    leave(reporter) {
      reporter.isThere = false;
      reporter.goneAt = nowMs();
    },
    takeOwn(reporter, { summary, interval, spanMs }) {
      const { key: name, from, to, route, hops, echo } = summary;
      const spec = { key: name, from, to, route, hops, echo };
      const key = keyFor(reporter, spec, keyNodes(name));
      if (key === undefined) return;
      const told = contributionOf(key, reporter, !options.isOwnName(to));
      told.totals = ownTotals(summary);
      addPoint(key, told, pointOf(nowMs(), spanOf(interval, spanMs)));
      touch(key);
    },
    takeOwnDifferences(reporter, differences) {
      for (const one of differences) {
        reporter.differences.set(JSON.stringify([one.a, one.b, one.from, one.to]), one);
      }
    },
    takeReport(reporter, reported, differences) {
      for (const one of reported) {
        const { nodes, route, echo, span } = one;
        const spec = {
          key: keyOfNodes(nodes),
          from: nodes[0]!,
          to: nodes.at(-1)!,
          route,
          hops: nodes.length - 1,
          echo,
        };
        const key = keyFor(reporter, spec, nodes);
        if (key === undefined) continue;
        const told = contributionOf(key, reporter, one.told);
        told.totals = totalsOf(one);
        if (span.count > 0 || span.lost !== 0) addPoint(key, told, pointOf(nowMs(), span));
        touch(key);
      }
      for (const one of differences) {
        const id = JSON.stringify([one.a, one.b, one.from, one.to]);
        const { size } = reporter.differences;
        if (!reporter.differences.has(id)) {
          const isFull = reportedDifferences >= MOST_DIFFERENCES;
          if (isFull || size >= MOST_DIFFERENCES_OF_REPORTER) continue;
          reportedDifferences++;
        }
        reporter.differences.set(id, differenceOf(one));
      }
    },
    *review() {
      forgetOld();
      const found = new Map<string, NodeView>();
      for (const key of keys.values()) {
        const state = stateOf(key);
        if (state !== key.state) {
          key.state = state;
          touch(key);
        }
        addNodes(found, key);
        yield;
      }
      nodes = found;
    },
    changes() {
      const news = { keys: jsonOfEach([...changed]), forgotten };
      changed.clear();
      forgotten = [];
      return news;
    },
    keysJson: () => jsonOfEach([...keys.values()]),
    differences: () =>
      [...reporters].flatMap(({ name, isThere, differences }) =>
        [...differences.values()].map((one) => ({
          ...one,
          reporter: name,
          state: isThere ? "live" as const : "gone" as const,
        }))
      ),
    nodes: () => new Map([...nodes].map(([name, node]) => [name, { ...node }])),
    seriesJson: (id, sinceAt) => byId.get(id)?.series.json(sinceAt),
    find(id) {
      const key = byId.get(id);
      if (key === undefined) return undefined;
      const from = counted(key);
      const sum = createBucketSum();
      for (const { buckets } of from) sum.add(buckets.list());
      return { spec: key.spec, isOwn: from[0]!.reporter.isOwn, buckets: sum.list() };
    },
    get counts() {
      const counts = { live: 0, stale: 0, gone: 0 };
      for (const { state } of keys.values()) counts[state]++;
      return counts;
    },
  };
}
