/// <reference lib="dom" />
/** Who is connected, and how well. */

import { formatAge, formatCount, formatCountOf, formatMs } from "../../cli/numbers.ts";
import type { NodeView, SessionView } from "../../metrics/mesh-view.ts";
import { byId, type Column, createTable, el, setText } from "./dom.ts";
import { WORDS } from "./condition.ts";
import { describeCondition, formatBound } from "./words.ts";
import { byName } from "./names.ts";

interface Row extends SessionView {
  at: number;
}

const conditionOf = ({ state }: SessionView) =>
  state === "live" ? "ok" : state === "stale" ? "stale" : "dead";

const COLUMNS: readonly Column<Row>[] = [
  { title: "name", isText: true, text: ({ name }) => name },
  {
    title: "state",
    isText: true,
    text: (row) => `${describeCondition(conditionOf(row))}${row.reason ? `: ${row.reason}` : ""}`,
    render: (row) => {
      const condition = conditionOf(row);
      const text = `${describeCondition(condition)}${row.reason ? `: ${row.reason}` : ""}`;
      return el("span", {
        class: "state",
        "data-condition": condition,
        title: WORDS[condition].means,
      }, text);
    },
  },
  {
    title: "route",
    isText: true,
    text: ({ route, flow }) => flow > 0 ? `${route} flow ${flow}` : route,
  },
  { title: "RTT, ms", text: ({ rtt_ms }) => formatMs(rtt_ms ?? NaN) },
  {
    title: "clock ±, ms",
    text: ({ error_ms }) => formatBound(error_ms),
  },
  { title: "backlog", text: ({ backlog_bytes }) => formatBytes(backlog_bytes) },
  { title: "dropped", text: ({ dropped }) => formatCount(dropped) },
  { title: "heard", text: ({ silent_s }) => silent_s < 1 ? "now" : `${formatAge(silent_s)} ago` },
  { title: "connected for", text: ({ at, joined_at }) => formatAge((at - joined_at) / 1000) },
  {
    title: "over",
    isText: true,
    text: ({ transport, mode, metered }) =>
      `${transport}, ${mode}${metered ? "" : ", not metered"}`,
  },
  { title: "address", isText: true, text: ({ peer }) => peer },
];

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

export interface ClientsPanel {
  show(
    sessions: readonly SessionView[],
    nodes: readonly NodeView[],
    at: number,
    filter: string,
  ): void;
}

export function createClientsPanel(): ClientsPanel {
  const parent = byId("clients-scroll");
  const place = el("div");
  const empty = el(
    "p",
    { class: "empty" },
    "No client is connected. Start one: performance-client -s HOST",
  );
  parent.replaceChildren(place, empty);
  const table = createTable<Row>(place, "Connected clients", COLUMNS, ({ id }) => id);
  return {
    show(sessions, nodes, at, filter) {
      const words = filter.toLowerCase().split(/\s+/).filter((word) =>
        word !== "" && !word.startsWith("-")
      );
      const shown = sessions.filter(({ name, route }) =>
        words.every((word) => `${name} ${route}`.toLowerCase().includes(word))
      );
      const chosen = shown.length > 0 ? shown : sessions;
      table.show(
        chosen.map((session) => ({ ...session, at })).sort((a, b) =>
          byName(a.name, b.name) || byName(a.route, b.route) || a.flow - b.flow ||
          byName(a.id, b.id)
        ),
      );
      place.hidden = sessions.length === 0;
      empty.hidden = sessions.length > 0;
      const elsewhere = nodes.filter((node) => node.sessions === 0).length;
      setText(
        byId("clients-about"),
        `${formatCountOf(sessions.length, "connection")} here; ${
          formatCountOf(elsewhere, "other name")
        } known by report`,
      );
    },
  };
}
