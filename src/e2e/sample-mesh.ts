/** A mesh made up from a seed, for tests of the page: of any size, and with every state in it. */

import {
  bucketOf,
  bucketPercentiles,
  type DifferenceView,
  type KeyView,
  type MeshUpdate,
  type MeshView,
  type PercentilesView,
  type Point,
  type SeriesView,
} from "../metrics/mesh-view.ts";
import { hopKey } from "../metrics/keys.ts";
import { createRandom } from "../relay/simulation/random.ts";
import type { DelayFigures } from "../metrics/summary.ts";

const INTERVAL_S = 2;
const PAST_POINTS = 60;
const MESSAGES = 20;

export interface SampleOptions {
  /** Senders and receivers: each sends to each other one. */
  senders: readonly string[];
  receivers: readonly string[];
  routes: readonly string[];
}

export interface Sample {
  mesh: MeshView;
  series: SeriesView;
  percentiles: PercentilesView;
  /** One interval further: all keys have a new point. */
  next(): MeshUpdate;
}

export function createSample({ senders, receivers, routes }: SampleOptions): Sample {
  const random = createRandom(7);
  let at = Date.UTC(2026, 0, 1, 12);
  const keys: KeyView[] = [];
  const points = new Map<number, Point[]>();

  const usualOf = (id: number, route: number) => (4 + ((id * 37) % 160)) * (route === 1 ? 0.8 : 1);

  function pointAt(endAt: number, key: KeyView, isSlow: boolean, isLossy: boolean): Point {
    const usualMs = usualOf(key.id, routes.indexOf(key.route)) * (isSlow ? 1.7 : 1);
    const delays = Array.from(
      { length: MESSAGES },
      () => usualMs * (1 + 0.04 * random.next() + 0.2 * random.next() ** 12),
    );
    const counts = new Map<number, number>();
    for (const ms of delays) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
    const buckets = [...counts].sort(([a], [b]) => a - b).flat();
    const [p50, p95, p99] = bucketPercentiles([buckets], [0.5, 0.95, 0.99])!;
    const lost = isLossy && random.next() < 0.3 ? 2 : 0;
    return [endAt, MESSAGES, lost, p50!, p95!, p99!, Math.max(...delays), 0.02 * usualMs, buckets];
  }

  function figuresOf(list: readonly Point[]): DelayFigures {
    const [p50, p90, p95, p99, p999] = bucketPercentiles(
      list.map((point) => point[8]),
      [0.5, 0.9, 0.95, 0.99, 0.999],
    ) as [number, number, number, number, number];
    const max = Math.max(...list.map((point) => point[6]!));
    return { min: p50 * 0.9, mean: p50, stddev: 1, p50, p90, p95, p99, p999, max };
  }

  /** Every 11th is slow, every 13th lossy, every 17th stale, every 19th gone. */
  const isSlow = (id: number) => id % 11 === 5;
  const isLossy = (id: number) => id % 13 === 6;
  const stateOf = (id: number) => id % 17 === 8 ? "stale" : id % 19 === 9 ? "gone" : "live";

  let id = 0;
  for (const from of senders) {
    for (const to of receivers) {
      if (from === to) continue;
      for (const route of routes) {
        id++;
        const key: KeyView = {
          ...{ id, key: hopKey(from, to), from, to, route, hops: 1, echo: false },
          ...{ state: stateOf(id), changed_at: at, reporters: [to], source: "reported" as const },
          ...{ count: PAST_POINTS * MESSAGES, lost: 0, up: 0, down: 0, dropped: 0 },
          ...{ duplicates: 0, reordered: 0, uncorrected: 0, negative: 0, per_second: 10 },
        };
        const past = Array.from({ length: PAST_POINTS }, (_, i) =>
          pointAt(
            at - (PAST_POINTS - 1 - i) * INTERVAL_S * 1000,
            key,
            isSlow(id) && i >= PAST_POINTS - 15,
            isLossy(id),
          ));
        points.set(id, past);
        key.ms = figuresOf(past);
        key.error_ms = { p50: 0.01 * key.ms.p50, max: 0.02 * key.ms.p50 };
        key.lost = past.reduce((sum, point) => sum + point[2], 0);
        key.up = key.lost;
        key.last = past.at(-1)!;
        keys.push(key);
      }
    }
  }

  const [a, b] = routes;
  const differences: DifferenceView[] = a === undefined || b === undefined
    ? []
    : senders.slice(0, 4).flatMap((from, index) => {
      const to = receivers.find((name) => name !== from);
      if (to === undefined) return [];
      const medianMs = [-24.15, 3.2, 0.004, -0.9][index]!;
      const figures = (scale: number): DelayFigures => {
        const p50 = medianMs * scale;
        const [p90, p95, p99, p999] = [p50 + 1, p50 + 2, p50 + 3, p50 + 4];
        return { min: p50 - 5, mean: p50, stddev: 1, p50, p90, p95, p99, p999, max: p50 + 5 };
      };
      return [{
        ...{ a, b, from, to, pairs: 1020, error_ms: { p50: 0.01, max: 0.0121 } },
        owd_ms: figures(1),
        owd_median_ms: { low: medianMs - 0.06, high: medianMs + 0.05 },
        round_trip_ms: figures(1.6),
        round_trip_median_ms: { low: medianMs * 1.6 - 0.08, high: medianMs * 1.6 + 0.07 },
        ...{ reporter: from, state: "live" as const },
      }];
    });

  const changing = () => ({
    at,
    clock_error_ms: 0.4,
    nodes: [
      ...senders.map((name) => ({
        name,
        kind: "client" as const,
        state: "live" as const,
        sessions: 1,
      })),
      ...receivers.filter((name) => !senders.includes(name))
        .map((name) => ({ name, kind: "server" as const, state: "live" as const, sessions: 0 })),
    ],
    sessions: senders.slice(0, 12).flatMap((name, i) =>
      routes.map((route, j) => ({
        ...{ id: (i * 16 + j).toString(16).padStart(16, "0"), name, route, flow: 0 },
        ...{ peer: `198.51.100.${i}:${40_000 + j}`, transport: "tcp" as const },
        ...{ mode: "paced" as const, state: i === 3 ? "stale" as const : "live" as const },
        ...{ joined_at: at - 3_600_000, silent_s: i === 3 ? 22 : 0.4, rtt_ms: 12.3 + 9 * i + j },
        ...{ error_ms: 0.08 + 0.02 * i, backlog_bytes: i === 2 ? 2_400_000 : 0 },
        ...{ dropped: i === 2 ? 17 : 0, metered: true },
      }))
    ),
    differences,
    omitted_keys: 0,
  });

  return {
    get mesh(): MeshView {
      return {
        ...{ version: 1 as const, name: "server-sa-east-1", tool: "performance-server" as const },
        ...{ tool_version: "1.0.0", run: "sample", started_at: at - 3_600_000 },
        ...{ interval_s: INTERVAL_S, keys, ...changing() },
      };
    },
    get series(): SeriesView {
      return { at, series: [...points].map(([id, points]) => ({ id, points })) };
    },
    get percentiles(): PercentilesView {
      const quantiles = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
      return {
        at,
        curves: keys.map(({ id, count, ms }) => {
          const values = bucketPercentiles(points.get(id)!.map((point) => point[8]), quantiles)!;
          values[values.length - 1] = ms!.max;
          return { id, count, curve: quantiles.map((q, i) => [q, values[i]!]) };
        }),
      };
    },
    next() {
      at += INTERVAL_S * 1000;
      for (const key of keys) {
        if (key.state !== "live") continue;
        const point = pointAt(at, key, isSlow(key.id), isLossy(key.id));
        points.get(key.id)!.push(point);
        key.count += point[1];
        key.lost += point[2];
        key.changed_at = at;
        key.last = point;
      }
      return { ...changing(), keys: keys.filter(({ state }) => state === "live"), forgotten: [] };
    },
  };
}
