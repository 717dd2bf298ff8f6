/// <reference lib="dom" />
/** The page: hears of the mesh, and draws what the reader chose of it. */

import type { ReportData } from "../page.ts";
import { createAnswerPanel } from "./answer.ts";
import { createBars } from "./bars.ts";
import { createClientsPanel } from "./clients-table.ts";
import { conditionOf } from "./condition.ts";
import { createCourse, MOST_LINES } from "./course.ts";
import { byId } from "./dom.ts";
import { download, toCsv, toJson, toPicture } from "./export.ts";
import { type Feed, type FeedState, openFeed } from "./feed.ts";
import { createFiguresTable } from "./figures-table.ts";
import { createFrames } from "./frames.ts";
import { createFixedHistory, createHistory, type History } from "./history.ts";
import { createMatrix, type ShownKey, valueOf } from "./matrix.ts";
import { createMeshPanel } from "./mesh-panel.ts";
import { readPalette } from "./palette.ts";
import { byName } from "./names.ts";
import { createMatcher, isShown, withoutTwins } from "./selection.ts";
import { showNames, showStatus } from "./status.ts";
import { createStore } from "./store.ts";
import { createToolbar } from "./toolbar.ts";
import type { View } from "./view.ts";
import { describeWindow, METRIC_NAMES } from "./words.ts";

/** So long after the last news, nothing that is shown counts as live. */
const CUT_MS = 15_000;

/** Time for adding up windows within a frame. */
const SUMS_MS = 20;
/** Keys whose past is fetched even where no window asks for it. */
const MOST_PASTS = 2_000;
/** A mesh with more columns needs the whole width. */
const MOST_BESIDE_BARS = 16;

const store = createStore();
const report = readReport();
let feed: Feed | undefined;
let feedState: FeedState = "connecting";
let isFrozen = false;
let palette = readPalette();
/** When the last news came, by this browser's monotonic clock. */
let heardMs = 0;
/** The pair whose course is drawn where the reader has chosen none. */
let byDefault: View["selected"];
/** What is on the page. */
let shown: readonly ShownKey[] = [];

const renderSoon = createFrames(render);
const select = (from: string, to: string): void => toolbar.change({ selected: { from, to } });
const answerPanel = createAnswerPanel(
  report === undefined
    ? "Nothing to compare yet. A client with two routes to one server answers whether one is faster: performance-client -s direct=HOST,accelerated=HOST"
    : "Nothing was compared. Whether one of two routes is faster, a report tells that is asked for it: performance-client report FILE --compare direct accelerated --html FILE",
);
const meshPanel = createMeshPanel(select);
const barsP95 = createBars("bars-p95", "p95", select);
const barsMax = createBars("bars-max", "max", select);
const course = createCourse();
const clientsPanel = createClientsPanel();
const figuresTable = createFiguresTable(select, (sort) => {
  const { sort: before, ascending } = toolbar.view;
  const isText = sort === "key" || sort === "route";
  toolbar.change({ sort, ascending: sort === before ? !ascending : isText });
});
const history: History = report === undefined
  ? createHistory("", store, renderSoon)
  : createFixedHistory(report.percentiles);
const toolbar = createToolbar({
  changed(view) {
    applyTheme(view);
    renderSoon();
  },
  freeze(frozen) {
    isFrozen = frozen;
    if (!frozen) listen();
    else feed?.close();
    renderSoon();
  },
  exported,
});

function readReport(): ReportData | undefined {
  const text = document.getElementById("report-data")?.textContent;
  return text ? JSON.parse(text) : undefined;
}

function listen(): void {
  feed?.close();
  feed = openFeed("api/v1/events", {
    snapshot(mesh) {
      if (mesh.run !== store.mesh?.run) history.forget();
      store.takeSnapshot(mesh);
      heard();
    },
    update(update) {
      store.takeUpdate(update);
      heard();
    },
    state(state) {
      feedState = state;
      renderSoon();
    },
  });
}

function heard(): void {
  heardMs = performance.now();
  renderSoon();
}

function applyTheme({ theme }: View): void {
  const isDark = theme === "dark" ||
    (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  palette = readPalette();
}

const silentMs = () => performance.now() - heardMs;
const isCut = () =>
  report === undefined && !isFrozen && feedState !== "live" && silentMs() > CUT_MS;

/** Finds what is to be shown; returns the drawing of it, panel by panel. */
function render(): (() => void)[] {
  const cut = isCut();
  showStatus(report ? "report" : isFrozen ? "frozen" : feedState, store, silentMs(), cut);
  const { mesh } = store;
  const { view } = toolbar;
  byId("main").setAttribute("aria-busy", String(mesh === undefined || history.isBusy));
  if (mesh === undefined) return [];
  const matches = createMatcher(view.filter);
  const endMs = performance.now() + SUMS_MS;
  let isPartial = false;
  shown = [...store.keys.values()].flatMap((key) => {
    if (!isShown(key.view, view.shown)) return [];
    const condition = conditionOf(key, store.at, cut);
    if (!matches(key.view, condition)) return [];
    // Windows of many keys take their time, once: what is not ready yet follows in later frames.
    const isReady = store.isSummed(key, view.windowS) || performance.now() < endMs;
    if (!isReady) isPartial = true;
    const figures = isReady ? store.figures(key, view.windowS) : undefined;
    return [{ key, figures, condition, value: valueOf(figures, view.metric) }];
  });
  if (isPartial) renderSoon();
  const routes = [...new Set([...store.keys.values()].map(({ view }) => view.route))].sort(byRoute);
  const selected = selectionOf(view);
  const pictured = withoutTwins(shown);
  const chosen = pictured.filter(({ key }) =>
    key.view.from === selected?.from && key.view.to === selected.to
  )
    .sort((a, b) => routes.indexOf(a.key.view.route) - routes.indexOf(b.key.view.route));
  const chosenKeys = chosen.map(({ key }) => key);
  // States look back, too; of very many keys only what the page hears itself.
  const others = view.windowS === 0 ? shown.slice(0, MOST_PASTS) : shown;
  history.wantPoints([...chosenKeys, ...others.map(({ key }) => key)]);
  history.wantCurves(chosenKeys.slice(0, MOST_LINES));

  const about = `${METRIC_NAMES[view.metric]} in ms ${
    describeWindow(view.windowS)
  }, from rows to columns`;
  const input = {
    ...{ keys: chosen, routes, metric: view.metric, windowS: view.windowS },
    ...{ at: store.at, palette },
  };
  return [
    () => showNames(mesh, shown),
    () => {
      const views = [...store.keys.values()].map(({ view }) => view);
      answerPanel.show(store.differences, views, view.filter, palette);
    },
    () => {
      const matrix = createMatrix(pictured, routes);
      byId("main").classList.toggle("large", matrix.columns.length > MOST_BESIDE_BARS);
      meshPanel.select(selected);
      meshPanel.show(matrix, about, routes, palette);
    },
    () => barsP95.show(pictured, routes, selected),
    () => barsMax.show(pictured, routes, selected),
    () => course.showTime(input),
    () => course.showPercentiles(input, history.curves),
    () => clientsPanel.show(store.sessions, store.nodes, store.at, view.filter),
    () => figuresTable.show(shown, view.sort, view.ascending),
  ];
}

/** As the routes were given to their clients, where differences tell: a before b. */
function byRoute(a: string, b: string): number {
  const rank = (route: string) => {
    // Of paths whose ends have different ones: after all that have a name of their own.
    if (route.includes(">")) return 3;
    const found = store.differences.find((each) => each.a === route || each.b === route);
    return found === undefined ? 2 : found.a === route ? 0 : 1;
  };
  return rank(a) - rank(b) || byName(a, b);
}

/** What the reader chose; else where routes differ most; else what is slowest. */
function selectionOf({ selected }: View): View["selected"] {
  const isThere = (pair: { from: string; to: string }) =>
    shown.some(({ key }) => key.view.from === pair.from && key.view.to === pair.to);
  if (selected !== undefined && isThere(selected)) return selected;
  // Once chosen by default, it stays: the one that leads may be another one each second.
  if (byDefault !== undefined && isThere(byDefault)) return byDefault;
  const size = (difference: typeof store.differences[number]) =>
    Math.abs(difference.owd_ms?.p50 ?? difference.round_trip_ms?.p50 ?? 0);
  const compared = store.differences.filter(isThere).sort((a, b) => size(b) - size(a))[0];
  if (compared !== undefined) return byDefault = { from: compared.from, to: compared.to };
  const slowest = shown.reduce<ShownKey | undefined>(
    (most, each) => (each.value ?? -1) > (most?.value ?? -1) ? each : most,
    undefined,
  );
  return slowest && { from: slowest.key.view.from, to: slowest.key.view.to };
}

async function exported(kind: "png" | "csv" | "json"): Promise<void> {
  const { mesh } = store;
  if (mesh === undefined) return;
  const { view } = toolbar;
  const time = new Date(store.at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const name = `performance-${time}.${kind}`;
  if (kind === "csv") {
    return download(name, new Blob([toCsv(shown, view.windowS)], { type: "text/csv" }));
  }
  if (kind === "json") {
    const text = toJson(mesh, shown, view, store.at);
    return download(name, new Blob([text], { type: "application/json" }));
  }
  const title = (id: string) => byId(id).textContent ?? "";
  const [time0, curve] = course.canvases;
  const parts = [
    { title: `${title("mesh-title")}: ${title("mesh-about")}`, canvas: meshPanel.canvas },
    ...(time0 ? [{ title: title("course-title"), canvas: time0 }] : []),
    ...(curve ? [{ title: title("percentiles-title"), canvas: curve }] : []),
  ];
  const filter = view.filter === "" ? "" : ` · filter: ${view.filter}`;
  const caption = `${mesh.name} · ${new Date(store.at).toISOString()}${filter}`;
  download(name, await toPicture(parts, caption, palette));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  applyTheme(toolbar.view);
  renderSoon();
});
applyTheme(toolbar.view);
if (report === undefined) {
  listen();
  // Only what grows old by itself: everything else is drawn when it comes.
  setInterval(() => {
    if (feedState !== "live" && !isFrozen) renderSoon();
  }, 2000);
} else {
  for (const id of ["clients", "freeze"]) byId(id).hidden = true;
  store.takeSnapshot(report.mesh);
  for (const { id, points } of report.series.series) store.takePoints(id, points);
}
renderSoon();
