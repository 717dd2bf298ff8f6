/** What the reader has chosen to see. It stands in the address behind `#`, so a link keeps it. */

export const METRICS = ["p50", "p95", "p99", "max"] as const;
export type Metric = typeof METRICS[number];

export const SHOWN = ["hops", "paths", "echoes"] as const;
/** Single hops; whole paths between two clients; paths that come back to their origin. */
export type Shown = typeof SHOWN[number];

/** Seconds before now; 0: since the start. */
export const WINDOWS_S = [0, 60, 300, 900, 3600] as const;
export type WindowS = typeof WINDOWS_S[number];

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = typeof THEMES[number];

export const SORT_COLUMNS = [
  ...["key", "route", "state", "count", "lost", "p50", "p95", "p99", "max", "error"],
] as const;

export interface View {
  /** Words that a key's names, route or state must contain, each; `-word`: must not. */
  filter: string;
  shown: Shown;
  metric: Metric;
  windowS: WindowS;
  theme: Theme;
  /** The pair of places whose course is drawn; undefined: the page chooses. */
  selected: { from: string; to: string } | undefined;
  /** Column of the table of figures, and its direction. */
  sort: string;
  ascending: boolean;
}

export const DEFAULT_VIEW: Readonly<View> = {
  filter: "",
  shown: "hops",
  metric: "p95",
  windowS: 0,
  theme: "auto",
  selected: undefined,
  sort: "p95",
  ascending: false,
};

/** The view as the part of an address behind `#`; what is as by default is left out. */
export function viewToHash(view: View): string {
  const params = new URLSearchParams();
  const put = (name: string, value: string, byDefault: string): void => {
    if (value !== byDefault) params.set(name, value);
  };
  put("filter", view.filter, DEFAULT_VIEW.filter);
  put("show", view.shown, DEFAULT_VIEW.shown);
  put("metric", view.metric, DEFAULT_VIEW.metric);
  put("window", String(view.windowS), String(DEFAULT_VIEW.windowS));
  put("theme", view.theme, DEFAULT_VIEW.theme);
  if (view.selected !== undefined) {
    params.set("from", view.selected.from);
    params.set("to", view.selected.to);
  }
  put("sort", view.sort, DEFAULT_VIEW.sort);
  put("order", view.ascending ? "up" : "down", DEFAULT_VIEW.ascending ? "up" : "down");
  return params.toString();
}

/** Reads what `viewToHash` wrote. Whatever is not known is as by default: links may be old. */
export function viewFromHash(hash: string): View {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  const one = <T>(name: string, known: readonly T[], byDefault: T): T =>
    known.find((value) => String(value) === params.get(name)) ?? byDefault;
  const from = params.get("from");
  const to = params.get("to");
  return {
    filter: params.get("filter") ?? DEFAULT_VIEW.filter,
    shown: one("show", SHOWN, DEFAULT_VIEW.shown),
    metric: one("metric", METRICS, DEFAULT_VIEW.metric),
    windowS: one("window", WINDOWS_S, DEFAULT_VIEW.windowS),
    theme: one("theme", THEMES, DEFAULT_VIEW.theme),
    selected: from !== null && to !== null ? { from, to } : undefined,
    sort: one("sort", SORT_COLUMNS, DEFAULT_VIEW.sort),
    ascending: params.get("order") === "up",
  };
}
