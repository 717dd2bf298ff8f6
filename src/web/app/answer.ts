/// <reference lib="dom" />
/** The answer that the whole is for: routes side by side, their difference, and what it says. */

import { formatCountOf, formatMs, formatSignedMs } from "../../cli/numbers.ts";
import type { DifferenceView, KeyView } from "../../metrics/mesh-view.ts";
import { byId, createList, el, type Item, setText } from "./dom.ts";
import type { DelayFigures } from "../../metrics/summary.ts";
import type { Palette } from "./palette.ts";
import { byName } from "./names.ts";
import { describeInterval, describeOutcome, judge, summarise, type Verdict } from "./verdict.ts";
import { formatBound } from "./words.ts";

/** Shown at first: a phone has room for few. */
const few = () => innerWidth < 600 ? 2 : 6;

/** One of the two ways to compare: its verdict, and figures of both routes where they are known. */
interface Side {
  title: "one way" | "there and back";
  verdict: Verdict;
  figures: DelayFigures;
  keys: [KeyView | undefined, KeyView | undefined];
}

interface Answer {
  id: string;
  difference: DifferenceView;
  sides: Side[];
}

export interface AnswerPanel {
  show(
    differences: readonly DifferenceView[],
    keys: Iterable<KeyView>,
    filter: string,
    palette: Palette,
  ): void;
}

/** @param none said where nothing was compared */
export function createAnswerPanel(none: string): AnswerPanel {
  let showsAll = false;
  let answers: Answer[] = [];
  let palette: Palette;
  const more = byId("answers-more");
  const showList = createList<Answer>(byId("answers"), ({ id }) => id, createCard);

  function createCard(): Item<Answer> {
    const title = el("h3");
    const verdict = el("p", { class: "verdict" });
    const about = el("p", { class: "quiet" });
    const canvas = el("canvas", { role: "img" });
    const scroll = el("div", { class: "scroll" });
    let shown = "";
    return {
      element: el("li", { class: "answer" }, title, verdict, about, canvas, scroll),
      update(answer) {
        const { difference: { a, b, from, to, pairs, state, reporter }, sides } = answer;
        const { title: way, verdict: judged } = sides[0]!;
        setText(title, way === "one way" ? `${from} → ${to}` : `${from} ⇄ ${to}`);
        const words = describeOutcome(judged);
        const isWord = judged.outcome === "faster" || judged.outcome === "slower";
        setText(verdict, `${b}${isWord ? " is" : ":"} ${words}`);
        verdict.dataset["outcome"] = judged.outcome;
        const left = state === "live" ? "" : ` · ${state}: nothing new from ${reporter}`;
        setText(about, `${way}, compared with ${a}, by ${formatCountOf(pairs, "pair")}${left}`);
        const label = sides.map(({ title, verdict }) => `${title} ${describeInterval(verdict)}`);
        canvas.setAttribute("aria-label", `${b} less ${a}: ${label.join("; ")}`);
        drawDifferences(canvas, answer.difference, sides, palette);
        const rows = rowsOf(answer);
        if (shown === JSON.stringify(rows)) return;
        shown = JSON.stringify(rows);
        scroll.replaceChildren(tableOf(rows));
      },
    };
  }

  function render(): void {
    showList(showsAll ? answers : answers.slice(0, few()));
    more.hidden = answers.length <= few();
    setText(more, showsAll ? "Show fewer" : `Show all ${answers.length}`);
  }
  more.addEventListener("click", () => {
    showsAll = !showsAll;
    render();
  });

  return {
    show(differences, keys, filter, colours) {
      palette = colours;
      const matches = (difference: DifferenceView) =>
        filter === "" ||
        filter.toLowerCase().split(/\s+/).every((word) =>
          `${difference.from} ${difference.to} ${difference.a} ${difference.b}`.toLowerCase()
            .includes(word)
        );
      const relevant = differences.filter(matches);
      const compared = new Set(relevant.flatMap(({ a, b, from }) => [a + from, b + from]));
      const byPlace = new Map<string, KeyView>();
      for (const key of keys) {
        if (compared.has(key.route + key.from)) byPlace.set(placeOf(key), key);
      }
      const found = relevant.map((each) => answerOf(each, byPlace))
        .filter(({ sides }) => sides.length > 0)
        .sort((x, y) => size(y) - size(x) || byName(x.id, y.id));
      // Ordered anew only where others have come: cards that swap places cannot be read.
      const places = new Map(answers.map(({ id }, index) => [id, index]));
      const isKnown = found.length === places.size && found.every(({ id }) => places.has(id));
      answers = isKnown ? found.sort((x, y) => places.get(x.id)! - places.get(y.id)!) : found;
      const summary = answers.length > 0
        ? sentences(answers)
        : differences.length > 0
        ? "No comparison fits the filter."
        : none;
      setText(byId("answer-summary"), summary);
      byId("answer-note").hidden = answers.length === 0;
      render();
    },
  };
}

function size({ sides }: Answer): number {
  const { outcome, medianMs = 0 } = sides[0]!.verdict;
  return outcome === "unknown" ? -1 : Math.abs(medianMs);
}

type Place = Pick<KeyView, "from" | "to" | "hops" | "route" | "echo">;

function placeOf({ from, to, hops, route, echo }: Place): string {
  return JSON.stringify([from, to, hops, route, echo]);
}

function answerOf(difference: DifferenceView, keys: ReadonlyMap<string, KeyView>): Answer {
  const { a, b, from, to, owd_ms, round_trip_ms } = difference;
  const keyOf = (place: Place) => keys.get(placeOf(place));
  const sides: Side[] = [];
  if (owd_ms !== undefined) {
    const hop = (route: string) => {
      const place = { from, to, hops: 1, route };
      return keyOf({ ...place, echo: false }) ?? keyOf({ ...place, echo: true });
    };
    sides.push({
      title: "one way",
      verdict: judge(owd_ms, difference.owd_median_ms, difference.error_ms?.max),
      figures: owd_ms,
      keys: [hop(a), hop(b)],
    });
  }
  if (round_trip_ms !== undefined) {
    const echo = (route: string) => keyOf({ from, to: from, hops: 2, route, echo: true });
    sides.push({
      title: "there and back",
      verdict: judge(round_trip_ms, difference.round_trip_median_ms),
      figures: round_trip_ms,
      keys: [echo(a), echo(b)],
    });
  }
  return { id: JSON.stringify([a, b, from, to, difference.reporter]), difference, sides };
}

/** One sentence for each pair of routes. */
function sentences(answers: readonly Answer[]): string {
  const groups = Map.groupBy(answers, ({ difference: { a, b } }) => JSON.stringify([a, b]));
  return [...groups.values()].map((group) => {
    const { a, b } = group[0]!.difference;
    const verdicts = group.map(({ sides, difference: { from, to } }) => ({
      verdict: sides[0]!.verdict,
      from,
      to,
    }));
    return summarise(a, b, verdicts);
  }).join(" ");
}

/** For each side its title and interval, then both routes and their difference. */
function rowsOf({ difference: { a, b }, sides }: Answer): string[][] {
  const ms = (value: number | undefined) => formatMs(value ?? NaN);
  const route = (label: string, key: KeyView | undefined) => [
    label,
    ms(key?.ms?.p50),
    ms(key?.ms?.p95),
    formatBound(key?.error_ms?.max),
  ];
  return sides.flatMap(({ title, verdict, figures, keys }) => [
    [title, `median ${describeInterval(verdict)}`],
    route(a, keys[0]),
    route(b, keys[1]),
    [
      "difference",
      formatSignedMs(figures.p50),
      formatSignedMs(figures.p95),
      verdict.boundMs > 0 ? formatBound(verdict.boundMs) : "",
    ],
  ]);
}

function tableOf(rows: readonly string[][]): HTMLTableElement {
  const head = ["ms", "P50", "P95", "±"].map((text, index) =>
    el("th", { scope: "col", class: index === 0 ? "text" : undefined }, text)
  );
  const body = rows.map(([name, ...figures]) => {
    const isTitle = figures.length === 1;
    return el(
      "tr",
      { class: isTitle ? "group" : name === "difference" ? "strong" : undefined },
      el("th", { scope: "row", class: "text" }, name!),
      ...figures.map((text) => el("td", { colspan: isTitle ? "3" : undefined }, text)),
    );
  });
  return el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
}

const STRIP = 20;
const STRIP_TITLE = 54;

/** Differences on a line around zero: the range of all pairs, and on it where the median lies. */
function drawDifferences(
  canvas: HTMLCanvasElement,
  { a, b }: DifferenceView,
  sides: readonly Side[],
  palette: Palette,
): void {
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth || 360;
  const height = sides.length * STRIP + 16;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const middle = (width + STRIP_TITLE) / 2;
  const reach = 1.3 * Math.max(
    1e-4,
    ...sides.flatMap(({ figures, verdict: { interval } }) =>
      [figures.p95, figures.p50, interval?.low ?? 0, interval?.high ?? 0].map(Math.abs)
    ),
  );
  const at = (ms: number) =>
    middle + (Math.max(-reach, Math.min(reach, ms)) / reach) * (width - middle);
  context.font = '11px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  context.textBaseline = "middle";
  context.fillStyle = palette.quiet;
  const bottom = height - 7;
  context.textAlign = "left";
  context.fillText(`← ${b} faster`, STRIP_TITLE, bottom);
  context.textAlign = "right";
  context.fillText(`${a} faster →`, width, bottom);
  context.textAlign = "center";
  context.fillText("0", middle, bottom);
  context.fillRect(middle - 0.5, 0, 1, sides.length * STRIP);
  context.textAlign = "left";
  sides.forEach(({ title, figures, verdict: { interval } }, index) => {
    const y = (index + 0.5) * STRIP;
    context.fillStyle = palette.quiet;
    context.fillText(title === "one way" ? title : "and back", 0, y);
    context.fillStyle = palette.line;
    context.fillRect(STRIP_TITLE, y - 0.5, width - STRIP_TITLE, 1);
    // All pairs: what lies beyond the picture ends at its edge.
    context.fillStyle = palette.ramp(0.3).fill;
    context.fillRect(at(figures.min), y - 3, Math.max(2, at(figures.max) - at(figures.min)), 6);
    if (interval === undefined) return;
    context.fillStyle = palette.accent;
    const left = at(interval.low);
    context.fillRect(left - 1.5, y - 7, Math.max(3, at(interval.high) - left + 3), 14);
  });
}
