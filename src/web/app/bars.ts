/// <reference lib="dom" />
/** Sorted bars, one a key, as many as there are: only those in sight exist. */

import { formatMs } from "../../cli/numbers.ts";
import { byId, createList, el, setText } from "./dom.ts";
import type { ShownKey } from "./matrix.ts";
import { wayOf } from "./selection.ts";
import { hideTip, showTip } from "./tip.ts";
import type { Metric } from "./view.ts";
import { WORDS } from "./condition.ts";
import { describeBound, describeKey } from "./words.ts";

const ROW_HEIGHT = 44;
/** Rows beyond those in sight, so that focus can move on. */
const SPARE_ROWS = 6;

export interface Bars {
  show(
    keys: readonly ShownKey[],
    routes: readonly string[],
    selected: { from: string; to: string } | undefined,
  ): void;
}

interface Row extends ShownKey {
  index: number;
  of: number;
  barMs: number;
  /** The longest of all, with its bound. */
  fullMs: number;
  colour: string;
  isSelected: boolean;
}

export function createBars(
  id: string,
  metric: Metric,
  onSelect: (from: string, to: string) => void,
): Bars {
  const space = el("ul", { class: "bar-space" });
  const list = el("div", { class: "bar-list", tabindex: "0", role: "group" }, space);
  list.setAttribute("aria-labelledby", `${id}-title`);
  const empty = el("p", { class: "empty" }, "No key has a figure in this view.");
  byId(id).append(list, empty);
  let rows: Row[] = [];

  const showRows = createList<Row>(space, ({ key }) => String(key.view.id), (first) => {
    const [label, fill, bound, value] = [
      el("span", { class: "bar-label" }),
      el("span", { class: "bar-fill" }),
      el("span", { class: "bar-bound" }),
      el("span", { class: "bar-value" }),
    ];
    const track = el("span", { class: "bar-track", "aria-hidden": "true" }, fill, bound);
    const button = el("button", { type: "button" }, label, value, track);
    const element = el("li", { class: "bar" }, button);
    let row = first;
    button.addEventListener("click", () => onSelect(row.key.view.from, row.key.view.to));
    button.addEventListener("pointermove", (event) => {
      showTip(describeKey(row), event.clientX, event.clientY);
    });
    button.addEventListener("pointerleave", hideTip);
    label.append(el("span"), " ", el("small"));
    return {
      element,
      update(data) {
        row = data;
        const { key, figures, condition, barMs, fullMs, index, of } = data;
        setText(label.firstElementChild!, wayOf(key.view));
        setText(label.lastElementChild!, key.view.route);
        const mark = WORDS[condition].mark;
        setText(value, `${mark}${mark && " "}${formatMs(barMs)} ${describeBound(figures)}`);
        if (condition !== "ok") value.setAttribute("aria-description", WORDS[condition].word);
        else value.removeAttribute("aria-description");
        const percent = (ms: number) => `${(Math.max(0, ms) / fullMs) * 100}%`;
        fill.style.width = percent(barMs);
        fill.style.backgroundColor = data.colour;
        const errorMs = figures?.errorMs;
        bound.hidden = errorMs === undefined;
        if (errorMs !== undefined) {
          bound.style.left = percent(barMs - errorMs);
          bound.style.width = percent(Math.min(barMs, errorMs) + errorMs);
        }
        element.style.top = `${index * ROW_HEIGHT}px`;
        element.dataset["condition"] = condition;
        element.dataset["selected"] = String(data.isSelected);
        element.setAttribute("aria-posinset", String(index + 1));
        element.setAttribute("aria-setsize", String(of));
      },
    };
  });

  function showInSight(): void {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const count = Math.ceil((list.clientHeight || 400) / ROW_HEIGHT) + 2 * SPARE_ROWS;
    showRows(rows.slice(first, first + count));
  }
  list.addEventListener("scroll", showInSight, { passive: true });

  return {
    show(keys, routes, selected) {
      const found = keys.flatMap((each) => {
        const barMs = each.figures?.delays?.[metric];
        return barMs === undefined ? [] : [{ each, barMs }];
      }).sort((a, b) => b.barMs - a.barMs);
      const fullMs = found.reduce(
        (most, { each, barMs }) => Math.max(most, barMs + (each.figures?.errorMs ?? 0)),
        0.0001,
      );
      rows = found.map(({ each, barMs }, index) => ({
        ...each,
        index,
        of: found.length,
        barMs,
        fullMs,
        colour: `var(--route-${Math.max(0, routes.indexOf(each.key.view.route)) % 6})`,
        isSelected: each.key.view.from === selected?.from && each.key.view.to === selected.to,
      }));
      space.style.height = `${rows.length * ROW_HEIGHT}px`;
      list.hidden = rows.length === 0;
      empty.hidden = rows.length > 0;
      list.style.height = `${Math.min(10, Math.max(1, rows.length)) * ROW_HEIGHT}px`;
      showInSight();
    },
  };
}
