import type {
  FlowSummary,
  RouteSummary,
  RunSummary,
  SessionSummary,
  SinkSummary,
} from "../metrics/summary.ts";
import type { Cell, Column, Table } from "./columns.ts";
import { line } from "./lines.ts";
import { formatAge, formatCount, formatCountOf, formatMs } from "./numbers.ts";

/** Sessions listed at most: those that need attention come first. */
const MAX_SESSIONS = 20;

type ColumnOf<Entry> = Column & { cell(entry: Entry): Cell };

const ROUTE_COLUMNS: readonly ColumnOf<RouteSummary>[] = [
  { heading: "sent", rank: 1, cell: ({ sent }) => count(sent) },
  { heading: "unsent", rank: 4, cell: ({ unsent }) => bad(unsent) },
  { heading: "unconfirmed", rank: 5, cell: ({ unconfirmed }) => bad(unconfirmed) },
  { heading: "reconnects", rank: 3, cell: ({ reconnects }) => bad(reconnects) },
  { heading: "RTT p50", rank: 0, cell: ({ rtt_ms }) => ms(rtt_ms?.p50) },
  { heading: "p90", rank: 11, cell: ({ rtt_ms }) => ms(rtt_ms?.p90) },
  { heading: "p99", rank: 10, cell: ({ rtt_ms }) => ms(rtt_ms?.p99) },
  { heading: "max", rank: 2, cell: ({ rtt_ms }) => ms(rtt_ms?.max) },
];

/** A client's routes: their state, what they sent, and the RTT of their clock exchanges. */
export function routesTable({ routes }: RunSummary): Table {
  const rows = (routes ?? []).map((route) => ({
    texts: [[route.route], route.server === route.route ? [""] : [route.server], [stateOf(route)]],
    cells: ROUTE_COLUMNS.map((column) => column.cell(route)),
  }));
  return { columns: ROUTE_COLUMNS, sections: [{ title: "Routes, ms", rows }] };
}

const FLOW_COLUMNS: readonly ColumnOf<FlowSummary>[] = [
  { heading: "sent", rank: 3, cell: ({ sent }) => count(sent) },
  { heading: "lost up", rank: 1, cell: ({ up }) => bad(up) },
  { heading: "down", rank: 2, cell: ({ down }) => bad(down) },
  { heading: "RTT p50", rank: 4, cell: ({ rtt_ms }) => ms(rtt_ms?.p50) },
  { heading: "there and back p50", rank: 0, cell: ({ round_trip_ms }) => ms(round_trip_ms?.p50) },
  { heading: "p95", rank: 11, cell: ({ round_trip_ms }) => ms(round_trip_ms?.p95) },
  { heading: "p99", rank: 10, cell: ({ round_trip_ms }) => ms(round_trip_ms?.p99) },
  { heading: "max", rank: 5, cell: ({ round_trip_ms }) => ms(round_trip_ms?.max) },
];

/** The flows of routes that have several. */
export function flowsTable({ routes = [] }: RunSummary): Table {
  const rows = routes.flatMap(({ route, flows = [] }) =>
    flows.map((flow) => ({
      texts: [[route], [`flow ${flow.flow}`]],
      cells: FLOW_COLUMNS.map((column) => column.cell(flow)),
    }))
  );
  return { columns: FLOW_COLUMNS, sections: [{ title: "Flows, ms", rows }], grouped: true };
}

/** How far the flows of each route lie apart. */
export function flowSpreads({ routes = [] }: RunSummary): string[] {
  return routes.flatMap(({ route, flow_spread: spread }) => {
    if (spread === undefined) return [];
    const { fastest, slowest, by } = spread;
    const of = by === "rtt_ms" ? "the clock exchange" : "messages";
    return [
      `${route}: flow ${slowest} is the slowest, ${formatMs(spread.ms)} ms behind flow ` +
      `${fastest}, the fastest (medians of the round trips of ${of})`,
    ];
  });
}

function stateOf({ state, warmed_up }: RouteSummary): string {
  if (state !== "warming-up") return state;
  return warmed_up === undefined ? "warming up" : `warming up ${warmed_up.sent}/${warmed_up.of}`;
}

const SESSION_COLUMNS: readonly ColumnOf<SessionSummary>[] = [
  { heading: "RTT", rank: 0, cell: ({ rtt_ms }) => ms(rtt_ms) },
  { heading: "±", rank: 1, cell: ({ error_ms }) => ms(error_ms) },
  { heading: "backlog B", rank: 3, cell: ({ backlog_bytes }) => count(backlog_bytes) },
  { heading: "dropped", rank: 2, cell: ({ dropped }) => bad(dropped) },
];

/** The sessions connected to a server, those that fall behind first, at most 20. */
export function sessionsTable({ sessions = [] }: RunSummary): Table {
  const urgent = [...sessions].sort((a, b) =>
    b.dropped - a.dropped || b.backlog_bytes - a.backlog_bytes
  );
  const rows = urgent.slice(0, MAX_SESSIONS).map((session) => ({
    texts: [[session.name], [session.route], [session.peer]],
    cells: SESSION_COLUMNS.map((column) => column.cell(session)),
  }));
  const more = sessions.length - rows.length;
  const last = rows.at(-1);
  if (more > 0 && last !== undefined) {
    rows[rows.length - 1] = Object.assign(last, { details: [line(`… ${formatCount(more)} more`)] });
  }
  return { columns: SESSION_COLUMNS, sections: [{ title: "Sessions, ms", rows }] };
}

const SINK_COLUMNS: readonly ColumnOf<SinkSummary>[] = [
  { heading: "accepted", rank: 4, cell: ({ accepted }) => count(accepted) },
  { heading: "recovered", rank: 6, cell: ({ recovered }) => recovered ? count(recovered) : none },
  { heading: "queued", rank: 3, cell: ({ queued }) => count(queued) },
  { heading: "sent", rank: 0, cell: ({ sent }) => count(sent) },
  { heading: "retried", rank: 11, cell: ({ retried }) => count(retried) },
  { heading: "failed", rank: 1, cell: ({ failed }) => bad(failed) },
  { heading: "dropped", rank: 2, cell: ({ dropped }) => bad(dropped) },
  {
    heading: "oldest waiting",
    rank: 5,
    cell: (sink) => sink.queued > 0 ? { text: formatAge(sink.oldest_waiting_s) } : none,
  },
];

/** Where the records went. */
export function sinksTable({ sinks }: RunSummary): Table {
  const rows = sinks.map((sink) => ({
    texts: [[sink.sink]],
    cells: SINK_COLUMNS.map((column) => column.cell(sink)),
  }));
  return { columns: SINK_COLUMNS, sections: [{ title: "Records", rows }] };
}

/** The records' way on one line of a log; what did not happen is left out. */
export function sinkLine(sink: SinkSummary): string {
  const { accepted, recovered = 0, queued, sent, retried, failed, dropped } = sink;
  const parts = [
    `${formatCountOf(accepted, "record")} accepted`,
    ...(recovered > 0 ? [`${formatCount(recovered)} recovered`] : []),
    `${formatCount(sent)} sent`,
    ...(queued > 0
      ? [`${formatCount(queued)} queued (the oldest for ${formatAge(sink.oldest_waiting_s)})`]
      : []),
    ...(retried > 0 ? [`${formatCount(retried)} retried`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(dropped > 0 ? [`${formatCount(dropped)} dropped`] : []),
  ];
  return `${sink.sink}: ${parts.join(", ")}`;
}

const none: Cell = undefined;

function ms(value: number | undefined): Cell {
  return value === undefined ? undefined : { text: formatMs(value) };
}

function count(value: number): Cell {
  return { text: formatCount(value) };
}

/** A count that should be zero. */
function bad(value: number): Cell {
  return value > 0 ? { text: formatCount(value), tone: "red" } : { text: "0" };
}
