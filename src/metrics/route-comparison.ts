/** Distributions of what each route has beyond each earlier one, between two places, one way. */

import { RELATIVE_RATE_LIMIT } from "../relay/clock-window.ts";
import { boundFigures, delayFigures, medianInterval } from "./delays.ts";
import { Histogram } from "./histogram.ts";
import { createSignedHistogram } from "./signed-histogram.ts";
import type { DifferenceSummary } from "./summary.ts";

export interface RouteComparison {
  /**
   * A pair's one-way delays were compared.
   *
   * @param differenceUs Delay on `route` − delay on `other`, by the same two clocks.
   * @param gapUs Time between the two receptions, of either sign.
   */
  oneWay(route: number, other: number, differenceUs: number, gapUs: number): void;
  /** As `oneWay`, of round trips, which one clock measures. */
  roundTrip(route: number, other: number, differenceUs: number): void;
  /** All that had a pair, in the order of the routes. */
  summarise(): DifferenceSummary[];
}

/** @param routes Labels; differences are those of a later one − an earlier one. */
export function createRouteComparison(
  routes: readonly string[],
  from: string,
  to: string,
): RouteComparison {
  const pairs = routes.flatMap((a, i) =>
    routes.slice(i + 1).map((b) => createPair(a, b, from, to))
  );
  /** The pair of two routes, whichever is named first. */
  const pairOf = (route: number, other: number): Pair => {
    const a = Math.min(route, other);
    const before = a * routes.length - (a * (a + 1)) / 2;
    return pairs[before + Math.max(route, other) - a - 1]!;
  };

  return {
    oneWay(route, other, differenceUs, gapUs) {
      const pair = pairOf(route, other);
      pair.oneWay.record(route > other ? differenceUs : -differenceUs);
      pair.error.record(RELATIVE_RATE_LIMIT * Math.abs(gapUs));
    },
    roundTrip(route, other, differenceUs) {
      pairOf(route, other).roundTrip.record(route > other ? differenceUs : -differenceUs);
    },
    summarise: () => pairs.map(summaryOf).filter((summary) => summary.pairs > 0),
  };
}

type Pair = ReturnType<typeof createPair>;

function createPair(a: string, b: string, from: string, to: string) {
  return {
    labels: { a, b, from, to },
    oneWay: createSignedHistogram(3),
    error: new Histogram(2),
    roundTrip: createSignedHistogram(3),
  };
}

function summaryOf({ labels, oneWay, error, roundTrip }: Pair): DifferenceSummary {
  const owd = delayFigures(oneWay);
  const bound = boundFigures(error);
  const owdMedian = medianInterval(oneWay);
  const both = delayFigures(roundTrip);
  const bothMedian = medianInterval(roundTrip);
  return {
    ...labels,
    pairs: Math.max(oneWay.count, roundTrip.count),
    ...(owd && { owd_ms: owd }),
    ...(owdMedian && { owd_median_ms: owdMedian }),
    ...(bound && { error_ms: bound }),
    ...(both && { round_trip_ms: both }),
    ...(bothMedian && { round_trip_median_ms: bothMedian }),
  };
}
