/** What the page knows of the mesh: the newest state of each key, and its last points. */

import type {
  DifferenceView,
  KeyView,
  MeshUpdate,
  MeshView,
  NodeView,
  Point,
  SessionView,
} from "../../metrics/mesh-view.ts";
import { createWindowSum, type Figures, figuresSinceStart, type WindowSum } from "./figures.ts";

/** Points that are kept of all keys together; each key has its share, and at least a few. */
const MOST_POINTS = 200_000;
const LEAST_POINTS_OF_KEY = 30;

export interface KnownKey {
  view: KeyView;
  /** Oldest first. */
  points: Point[];
  /** Whether `points` has what the server kept of the time before this page. */
  hasHistory: boolean;
  sum: WindowSum | undefined;
}

export interface Store {
  /** Undefined until there is a snapshot. */
  readonly mesh: MeshView | undefined;
  readonly keys: ReadonlyMap<number, KnownKey>;
  readonly nodes: readonly NodeView[];
  readonly sessions: readonly SessionView[];
  readonly differences: readonly DifferenceView[];
  /** When what is known was put together, by the clock of the server. */
  readonly at: number;
  takeSnapshot(mesh: MeshView): void;
  takeUpdate(update: MeshUpdate): void;
  /** Points from before this page, or that it missed. */
  takePoints(id: number, points: readonly Point[]): void;
  /** Whether the figures of a window only need what is new. */
  isSummed(key: KnownKey, windowS: number): boolean;
  /** @param windowS seconds before `at`; 0: since the start of each reporter */
  figures(key: KnownKey, windowS: number): Figures | undefined;
}

export function createStore(): Store {
  let mesh: MeshView | undefined;
  let keys = new Map<number, KnownKey>();
  let at = 0;

  const shareOfKey = () => Math.max(LEAST_POINTS_OF_KEY, Math.floor(MOST_POINTS / keys.size));

  function takeKey(view: KeyView): void {
    const known = keys.get(view.id);
    if (known === undefined) {
      const points = view.last ? [view.last] : [];
      keys.set(view.id, { view, points, hasHistory: false, sum: undefined });
      return;
    }
    known.view = view;
    const newest = known.points.at(-1);
    if (view.last && (newest === undefined || view.last[0] > newest[0])) {
      known.points.push(view.last);
      if (known.points.length > 1.25 * shareOfKey()) {
        known.points = known.points.slice(-shareOfKey());
        known.sum = undefined;
      }
    }
  }

  return {
    get mesh() {
      return mesh;
    },
    get keys() {
      return keys;
    },
    get nodes() {
      return mesh?.nodes ?? [];
    },
    get sessions() {
      return mesh?.sessions ?? [];
    },
    get differences() {
      return mesh?.differences ?? [];
    },
    get at() {
      return at;
    },
    takeSnapshot(fresh) {
      // Another run has other ids; the same one may have gone on while the page did not listen.
      if (fresh.run !== mesh?.run) keys = new Map();
      mesh = fresh;
      at = fresh.at;
      const there = new Set(fresh.keys.map(({ id }) => id));
      for (const [id, known] of keys) {
        if (there.has(id)) known.hasHistory = false;
        else keys.delete(id);
      }
      for (const view of fresh.keys) takeKey(view);
    },
    takeUpdate(update) {
      if (mesh === undefined) return;
      mesh = { ...mesh, ...update, keys: mesh.keys };
      at = update.at;
      for (const id of update.forgotten) keys.delete(id);
      for (const view of update.keys) takeKey(view);
    },
    takePoints(id, points) {
      const known = keys.get(id);
      if (known === undefined) return;
      const all = new Map([...points, ...known.points].map((point) => [point[0], point]));
      known.points = [...all.values()].sort((a, b) => a[0] - b[0]);
      known.hasHistory = true;
      known.sum = undefined;
    },
    isSummed: (key, windowS) => windowS === 0 || key.sum?.windowS === windowS,
    figures(key, windowS) {
      if (windowS === 0) return figuresSinceStart(key.view);
      if (key.sum?.windowS !== windowS) key.sum = createWindowSum(windowS);
      return key.sum.figures(key.points, at);
    },
  };
}
