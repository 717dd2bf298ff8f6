/// <reference lib="dom" />
/** All keys as a table, sorted by any column: what stands behind the pictures. */

import { formatCount, formatMs } from "../../cli/numbers.ts";
import { CONDITIONS, WORDS } from "./condition.ts";
import { byId, type Column, createTable, el, setText } from "./dom.ts";
import type { ShownKey } from "./matrix.ts";
import { byName } from "./names.ts";
import { wayOf } from "./selection.ts";
import { SORT_COLUMNS } from "./view.ts";
import { describeBound, describeCondition } from "./words.ts";

const PAGE = 25;

export interface FiguresTable {
  show(keys: readonly ShownKey[], sort: string, ascending: boolean): void;
}

type SortColumn = typeof SORT_COLUMNS[number];

function sortValue({ key, figures, condition }: ShownKey, column: SortColumn): string | number {
  switch (column) {
    case "key":
      return wayOf(key.view);
    case "route":
      return key.view.route;
    case "state":
      return CONDITIONS.indexOf(condition);
    case "count":
    case "lost":
      return figures?.[column] ?? -1;
    case "error":
      return figures?.errorMs ?? Infinity;
    default:
      return figures?.delays?.[column] ?? -1;
  }
}

export function createFiguresTable(
  onSelect: (from: string, to: string) => void,
  onSort: (column: string) => void,
): FiguresTable {
  let pages = 1;
  let all: readonly ShownKey[] = [];
  const ms = (metric: "p50" | "p95" | "p99" | "max") => ({ figures }: ShownKey) =>
    formatMs(figures?.delays?.[metric] ?? NaN);
  const columns: readonly Column<ShownKey>[] = [
    {
      title: "key",
      isText: true,
      text: ({ key }) => wayOf(key.view),
      render: ({ key: { view } }) => {
        const button = el("button", { type: "button", title: view.key }, wayOf(view));
        button.addEventListener("click", () => onSelect(view.from, view.to));
        return button;
      },
    },
    {
      title: "route",
      isText: true,
      text: ({ key: { view } }) => view.echo ? `${view.route}, echo` : view.route,
    },
    {
      title: "state",
      isText: true,
      text: ({ condition }) => describeCondition(condition),
      render: ({ condition }) =>
        el(
          "span",
          { class: "state", "data-condition": condition, title: WORDS[condition].means },
          describeCondition(condition),
        ),
    },
    { title: "messages", text: ({ figures }) => formatCount(figures?.count ?? 0) },
    { title: "lost", text: ({ figures }) => formatCount(figures?.lost ?? 0) },
    { title: "P50, ms", text: ms("p50") },
    { title: "P95, ms", text: ms("p95") },
    { title: "P99, ms", text: ms("p99") },
    { title: "Max, ms", text: ms("max") },
    { title: "±, ms", text: ({ figures }) => describeBound(figures).replace("±", "") },
  ];
  const place = byId("figures-scroll");
  const table = createTable<ShownKey>(
    place,
    "All figures",
    columns,
    ({ key }) => String(key.view.id),
  );
  table.heads.forEach((head, index) => {
    const button = el("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => onSort(SORT_COLUMNS[index]!));
    head.replaceChildren(button);
  });
  const more = byId("figures-more");
  const render = (): void => {
    table.show(all.slice(0, pages * PAGE));
    more.hidden = all.length <= pages * PAGE;
    setText(
      more,
      `Show ${Math.min(PAGE, all.length - pages * PAGE)} more of ${formatCount(all.length)}`,
    );
  };
  more.addEventListener("click", () => {
    pages++;
    render();
  });

  return {
    show(keys, sort, ascending) {
      const column = SORT_COLUMNS.find((name) => name === sort) ?? "p95";
      const sign = ascending ? 1 : -1;
      all = keys.map((key) => ({ key, value: sortValue(key, column) })).sort((a, b) => {
        const by = typeof a.value === "number" && typeof b.value === "number"
          ? a.value - b.value
          : byName(String(a.value), String(b.value));
        return sign * (by || 0) || a.key.key.view.id - b.key.key.view.id;
      }).map(({ key }) => key);
      table.heads.forEach((head, index) => {
        const isSorted = SORT_COLUMNS[index] === column;
        if (isSorted) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
        const title = columns[index]!.title;
        setText(head.firstElementChild!, isSorted ? `${title} ${ascending ? "↑" : "↓"}` : title);
      });
      setText(byId("figures-about"), `${formatCount(keys.length)} keys in this view`);
      render();
    },
  };
}
