/** A key of the mesh, and what several say of it. */

import { addUp, type Contribution, createBucketSum } from "./contribution.ts";
import type { Series } from "./mesh-series.ts";
import type { KeyView, LifeState, NodeView, Point } from "./mesh-view.ts";
import type { DifferenceSummary } from "./summary.ts";

/** A process that reports, this one included. */
export interface Reporter {
  readonly name: string;
  /** Whether it is connected, or this very process. */
  isThere: boolean;
  /** When it left. */
  goneAt: number;
  readonly isOwn: boolean;
  keys: number;
  readonly differences: Map<string, DifferenceSummary>;
}

/** What one reporter says of a key. */
export interface Told extends Contribution {
  reporter: Reporter;
  /** It did not end this hop. */
  told: boolean;
}

export interface Key {
  readonly id: number;
  readonly spec: Pick<KeyView, "key" | "from" | "to" | "route" | "hops" | "echo">;
  readonly nodes: readonly string[];
  readonly told: Map<Reporter, Told>;
  readonly series: Series;
  last: Point | undefined;
  state: LifeState;
  changedAt: number;
  /** Usual time between two changes, ms. */
  gapMs: number;
  /** JSON of its view, until something changes. */
  json: string | undefined;
}

/** Those whose figures are the key's. */
export function counted(key: Key): Told[] {
  const all = [...key.told.values()];
  const own = all.filter(({ reporter }) => reporter.isOwn);
  if (own.length > 0) return own;
  const there = all.filter(({ reporter }) => reporter.isThere);
  const some = there.length > 0 ? there : all;
  const ended = some.filter(({ told }) => !told);
  if (ended.length > 0) return ended;
  return some.length < 2 ? some : [
    some.reduce((most, one) => one.totals.count > most.totals.count ? one : most),
  ];
}

/** What a reporter says of a key; nothing yet where it is new. */
export function contributionOf(key: Key, reporter: Reporter, told: boolean): Told {
  const existing = key.told.get(reporter);
  if (existing !== undefined) return existing;
  const totals = {
    count: 0,
    lost: 0,
    up: 0,
    down: 0,
    dropped: 0,
    duplicates: 0,
    reordered: 0,
    negative: 0,
    uncorrected: 0,
    per_second: 0,
  };
  const fresh: Told = { reporter, told, totals, buckets: createBucketSum() };
  key.told.set(reporter, fresh);
  return fresh;
}

/** Within a path all are servers; a single hop ends at one, unless a client ended it. */
export function kindOf(
  { nodes, told }: Key,
  index: number,
  program: NodeView["kind"],
): NodeView["kind"] {
  if (index > 0 && index < nodes.length - 1) return "server";
  if (nodes.length > 2) return "client";
  const endsAtServer = [...told.values()].some(({ told, reporter }) =>
    told || (reporter.isOwn && program === "server")
  );
  return (index === 1) === endsAtServer ? "server" : "client";
}

/** JSON of its view. */
export function jsonOf(key: Key): string {
  if (key.json !== undefined) return key.json;
  const from = counted(key);
  const view: KeyView = {
    id: key.id,
    ...key.spec,
    state: key.state,
    changed_at: Math.round(key.changedAt),
    reporters: [...new Set(from.map(({ reporter }) => reporter.name))],
    source: from[0]!.reporter.isOwn ? "own" : "reported",
    ...addUp(from),
    ...(key.last && { last: key.last }),
  };
  return key.json = JSON.stringify(view);
}

const RANK: Readonly<Record<LifeState, number>> = { live: 0, stale: 1, gone: 2 };

/** The better of two states. */
export function better(a: LifeState, b: LifeState): LifeState {
  return RANK[a] <= RANK[b] ? a : b;
}
