/** Metrics of a client's routes and of sinks. */

import type { Family, Labels } from "./exposition.ts";
import type { DifferenceSummary, RouteSummary, SinkSummary } from "./summary.ts";

const MOST_DIFFERENCES = 200;

/** One value without labels of its own, or several. */
export type Samples = number | undefined | readonly (readonly [labels: Labels, value: number])[];

/** Text of a metric of one type; empty where there are no samples. */
export type Metric = (
  name: string,
  help: string,
  samples: Samples,
  unit?: Family["unit"],
) => string;

export function* routeMetrics(
  routes: readonly RouteSummary[],
  gauge: Metric,
  counter: Metric,
): Iterable<string> {
  const each = (of: (route: RouteSummary) => number): Samples =>
    routes.map((route) => [{ route: route.route, server: route.server }, of(route)]);
  yield gauge(
    "performance_route_up",
    "1 while the route has a connection.",
    each(({ state }) => state === "measuring" || state === "warming-up" ? 1 : 0),
  );
  yield counter("performance_route_sent", "Messages sent.", each(({ sent }) => sent));
  yield counter(
    "performance_route_unsent",
    "Messages whose time came while there was no connection.",
    each(({ unsent }) => unsent),
  );
  yield gauge(
    "performance_route_unconfirmed",
    "Messages of broken connections whose arrival nobody has told so far.",
    each(({ unconfirmed }) => unconfirmed),
  );
  yield counter(
    "performance_route_reconnects",
    "Times that a connection was made again.",
    each(({ reconnects }) => reconnects),
  );
}

export function* differenceMetrics(
  all: readonly DifferenceSummary[],
  gauge: Metric,
  counter: Metric,
): Iterable<string> {
  const shown = all.slice(0, MOST_DIFFERENCES);
  const labelsOf = ({ a, b, from, to }: DifferenceSummary): Labels => ({ a, b, from, to });
  yield counter(
    "performance_route_pairs",
    "Pairs of messages of one instant on two routes.",
    shown.map((one) => [labelsOf(one), one.pairs]),
  );
  for (const figure of ["owd_ms", "round_trip_ms"] as const) {
    yield gauge(
      figure === "owd_ms"
        ? "performance_route_difference_seconds"
        : "performance_route_round_trip_difference_seconds",
      `Route b less route a, pair by pair, ${
        figure === "owd_ms" ? "one way" : "there and back"
      }: ` +
        "negative where b is faster.",
      shown.flatMap((one) => {
        const delays = one[figure];
        return delays === undefined
          ? []
          : (["p50", "p95"] as const).map((figure) =>
            [{ ...labelsOf(one), figure }, delays[figure] / 1000] as const
          );
      }),
      "seconds",
    );
  }
}

export function* sinkMetrics(
  sinks: readonly SinkSummary[],
  gauge: Metric,
  counter: Metric,
): Iterable<string> {
  const each = (of: (sink: SinkSummary) => number): Samples =>
    sinks.map((sink) => [{ sink: sink.sink }, of(sink)]);
  yield counter("performance_records_accepted", "Records taken.", each((sink) => sink.accepted));
  yield counter(
    "performance_records_sent",
    "Records written or acknowledged.",
    each((s) => s.sent),
  );
  yield counter("performance_records_retried", "Records sent again.", each((s) => s.retried));
  yield counter(
    "performance_records_failed",
    "Records given up on failure.",
    each((s) => s.failed),
  );
  yield counter(
    "performance_records_dropped",
    "Records given up for want of room.",
    each((sink) => sink.dropped),
  );
  yield gauge("performance_records_queued", "Records that wait.", each((sink) => sink.queued));
  yield gauge(
    "performance_records_oldest_seconds",
    "For how long the oldest record has waited.",
    each((sink) => sink.oldest_waiting_s),
    "seconds",
  );
}
