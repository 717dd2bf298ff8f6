/// <reference lib="dom" />
/** The answer that the whole is for: routes side by side, their difference, and what it says. */

import { formatCountOf, formatMs } from "../../cli/numbers.ts";
import type { DifferenceView, KeyView } from "../../metrics/mesh-view.ts";
import { byId, createList, el, setText } from "./dom.ts";
import type { Palette } from "./palette.ts";
import { byName } from "./selection.ts";
import { describeInterval, describeOutcome, judge, summarise, type Verdict } from "./verdict.ts";

const FEW = 6;

interface Answer {
  id: string;
  difference: DifferenceView;
  what: "one way" | "there and back";
  verdict: Verdict;
  /** Figures of both routes, where the mesh has them. */
  sides: [route: string, key: KeyView | undefined][];
}

export interface AnswerPanel {
  show(
    differences: readonly DifferenceView[],
    keys: Iterable<KeyView>,
    filter: string,
    palette: Palette,
  ): void;
}

export function createAnswerPanel(): AnswerPanel {
  let showsAll = false;
  let answers: Answer[] = [];
  let palette: Palette;
  const more = byId("answers-more");
  const showList = createList<Answer>(byId("answers"), ({ id }) => id, createCard);

  function createCard(): ReturnType<Parameters<typeof createList<Answer>>[2]> {
    const title = el("h3");
    const verdict = el("p", { class: "verdict" });
    const about = el("p", { class: "quiet" });
    const canvas = el("canvas", { role: "img" });
    const body = el("tbody");
    const table = el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["route", "P50", "P95", "Max", "±"].map((name, index) =>
            el("th", { scope: "col", class: index === 0 ? "text" : undefined }, name)
          ),
        ),
      ),
      body,
    );
    const scroll = el("div", { class: "scroll" }, table);
    return {
      element: el("li", { class: "answer" }, title, verdict, about, canvas, scroll),
      update({ difference, what, verdict: judged, sides }) {
        const { a, b, from, to, pairs, error_ms } = difference;
        const way = what === "one way" ? `${from} → ${to}` : `${from} → ${to} → ${from}`;
        setText(title, `${way}, ${what}`);
        const words = judged.outcome === "unknown" || judged.outcome === "same"
          ? `${b}: ${describeOutcome(judged)}`
          : `${b} is ${describeOutcome(judged)}`;
        setText(verdict, words);
        verdict.dataset["outcome"] = judged.outcome;
        const bound = what === "one way" && error_ms
          ? `, ±${formatMs(error_ms.max)} by the clocks`
          : "";
        const state = difference.state === "live"
          ? ""
          : `; ${difference.state}: ${difference.reporter} reports no more`;
        setText(
          about,
          `than ${a}, median of ${formatCountOf(pairs, "pair")}: ${
            describeInterval(judged)
          }${bound}${state}`,
        );
        canvas.setAttribute("aria-label", `${b} less ${a}: ${describeInterval(judged)}`);
        drawDifference(canvas, difference, what, judged, palette);
        body.replaceChildren(...sides.map(([route, key]) => {
          const figures = key?.ms;
          return el(
            "tr",
            {},
            el("th", { scope: "row", class: "text" }, route),
            ...[figures?.p50, figures?.p95, figures?.max].map((ms) =>
              el("td", {}, formatMs(ms ?? NaN))
            ),
            el("td", {}, key?.error_ms === undefined ? "?" : formatMs(key.error_ms.max)),
          );
        }));
      },
    };
  }

  function render(): void {
    showList(showsAll ? answers : answers.slice(0, FEW));
    more.hidden = answers.length <= FEW;
    setText(more, showsAll ? "Show fewer" : `Show all ${answers.length}`);
  }
  more.addEventListener("click", () => {
    showsAll = !showsAll;
    render();
  });

  return {
    show(differences, keys, filter, colours) {
      palette = colours;
      const byPlace = new Map<string, KeyView>();
      for (const key of keys) byPlace.set(placeOf(key), key);
      const matches = (difference: DifferenceView) =>
        filter === "" ||
        filter.toLowerCase().split(/\s+/).every((word) =>
          `${difference.from} ${difference.to} ${difference.a} ${difference.b}`.toLowerCase()
            .includes(word)
        );
      const relevant = differences.filter(matches);
      answers = relevant.flatMap((each) => answersOf(each, byPlace)).sort((x, y) =>
        size(y) - size(x) || byName(x.id, y.id)
      );
      const summary = answers.length > 0
        ? sentences(answers)
        : differences.length > 0
        ? "No comparison fits the filter."
        : "Nothing to compare yet. A client with two routes to one server answers whether one is faster: performance-client -s direct=HOST,accelerated=HOST";
      setText(byId("answer-summary"), summary);
      byId("answer-note").hidden = answers.length === 0;
      render();
    },
  };
}

function size({ verdict }: Answer): number {
  return verdict.outcome === "unknown" ? -1 : Math.abs(verdict.medianMs ?? 0);
}

function placeOf(
  { from, to, hops, route, echo }: Pick<KeyView, "from" | "to" | "hops" | "route" | "echo">,
) {
  return JSON.stringify([from, to, hops, route, echo]);
}

function answersOf(difference: DifferenceView, keys: ReadonlyMap<string, KeyView>): Answer[] {
  const { a, b, from, to, owd_ms, owd_median_ms, error_ms } = difference;
  const id = JSON.stringify([a, b, from, to, difference.reporter]);
  const answers: Answer[] = [];
  if (owd_ms !== undefined) {
    const side = (
      route: string,
    ): [string, KeyView | undefined] => [
      route,
      keys.get(placeOf({ from, to, hops: 1, route, echo: false })) ??
        keys.get(placeOf({ from, to, hops: 1, route, echo: true })),
    ];
    const verdict = judge(owd_ms, owd_median_ms, error_ms?.max);
    answers.push({
      id: `${id} one way`,
      difference,
      what: "one way",
      verdict,
      sides: [side(a), side(b)],
    });
  }
  if (difference.round_trip_ms !== undefined) {
    const side = (
      route: string,
    ): [string, KeyView | undefined] => [
      route,
      keys.get(placeOf({ from, to: from, hops: 2, route, echo: true })),
    ];
    const verdict = judge(difference.round_trip_ms, difference.round_trip_median_ms);
    answers.push({
      id: `${id} back`,
      difference,
      what: "there and back",
      verdict,
      sides: [side(a), side(b)],
    });
  }
  return answers;
}

/** One for each pair of routes: one way, as that is what each of them is chosen by. */
function sentences(answers: readonly Answer[]): string {
  const oneWay = answers.filter(({ what }) => what === "one way");
  const groups = Map.groupBy(
    oneWay.length > 0 ? oneWay : answers,
    ({ difference: { a, b } }) => JSON.stringify([a, b]),
  );
  return [...groups.values()].map((group) => {
    const { a, b } = group[0]!.difference;
    return summarise(
      a,
      b,
      group.map(({ verdict, difference: { from, to } }) => ({ verdict, from, to })),
    );
  }).join(" ");
}

/** The difference on a line around zero: the range of all pairs, the median's interval on it. */
function drawDifference(
  canvas: HTMLCanvasElement,
  difference: DifferenceView,
  what: Answer["what"],
  { medianMs, interval }: Verdict,
  palette: Palette,
): void {
  const figures = what === "one way" ? difference.owd_ms! : difference.round_trip_ms!;
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth || 360;
  const height = 34;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const reach = 1.3 * Math.max(
    ...[figures.p95, figures.p50, interval?.low ?? 0, interval?.high ?? 0, 1e-4].map(Math.abs),
  );
  const at = (ms: number) =>
    width / 2 + (Math.max(-reach, Math.min(reach, ms)) / reach) * (width / 2 - 4);
  context.font = '11px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  context.textBaseline = "middle";
  context.fillStyle = palette.quiet;
  context.textAlign = "left";
  context.fillText(`← ${difference.b} faster`, 0, 28);
  context.textAlign = "right";
  context.fillText(`${difference.a} faster →`, width, 28);
  context.textAlign = "center";
  context.fillText("0", width / 2, 28);
  context.strokeStyle = palette.line;
  context.beginPath();
  context.moveTo(0, 11);
  context.lineTo(width, 11);
  context.stroke();
  context.strokeStyle = palette.quiet;
  context.beginPath();
  context.moveTo(width / 2, 1);
  context.lineTo(width / 2, 21);
  context.stroke();
  // All pairs: what lies beyond the picture ends at its edge.
  context.fillStyle = palette.ramp(0.3).fill;
  context.fillRect(at(figures.min), 7, Math.max(2, at(figures.max) - at(figures.min)), 8);
  if (interval === undefined || medianMs === undefined) return;
  context.fillStyle = palette.accent;
  context.fillRect(at(interval.low), 3, Math.max(3, at(interval.high) - at(interval.low)), 16);
}
