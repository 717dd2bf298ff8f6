/// <reference lib="dom" />
/** The controls: they show the view and change it. */

import { byId, setText } from "./dom.ts";
import {
  DEFAULT_VIEW,
  METRICS,
  SHOWN,
  THEMES,
  type View,
  viewFromHash,
  viewToHash,
  WINDOWS_S,
} from "./view.ts";

export interface Toolbar {
  readonly view: View;
  /** Changes the view, its controls and the address. */
  change(part: Partial<View>): void;
}

export interface ToolbarEvents {
  changed(view: View): void;
  freeze(isFrozen: boolean): void;
  exported(kind: "png" | "csv" | "json"): void;
}

export function createToolbar(events: ToolbarEvents): Toolbar {
  let view: View = { ...DEFAULT_VIEW };
  const filter = byId<HTMLInputElement>("filter");
  const windows = byId<HTMLSelectElement>("window");
  const theme = byId<HTMLSelectElement>("theme");
  const freeze = byId<HTMLButtonElement>("freeze");
  const link = byId<HTMLButtonElement>("link");
  const radios = (
    name: string,
  ) => [...document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)];
  const known = <T>(list: readonly T[], value: string): T =>
    list.find((each) => String(each) === value) ?? list[0]!;

  function showControls(): void {
    if (filter.value !== view.filter) filter.value = view.filter;
    windows.value = String(view.windowS);
    theme.value = view.theme;
    for (const radio of radios("shown")) radio.checked = radio.value === view.shown;
    for (const radio of radios("metric")) radio.checked = radio.value === view.metric;
  }

  function change(part: Partial<View>): void {
    view = { ...view, ...part };
    // The last slash of a report's address must stay as it is: only the part behind # changes.
    history.replaceState(null, "", `${location.pathname}${location.search}#${viewToHash(view)}`);
    showControls();
    events.changed(view);
  }

  filter.addEventListener("input", () => change({ filter: filter.value }));
  windows.addEventListener("change", () => change({ windowS: known(WINDOWS_S, windows.value) }));
  theme.addEventListener("change", () => change({ theme: known(THEMES, theme.value) }));
  for (const radio of radios("shown")) {
    radio.addEventListener("change", () => change({ shown: known(SHOWN, radio.value) }));
  }
  for (const radio of radios("metric")) {
    radio.addEventListener("change", () => change({ metric: known(METRICS, radio.value) }));
  }
  byId("toolbar").addEventListener("submit", (event) => event.preventDefault());
  freeze.addEventListener("click", () => {
    const isFrozen = freeze.getAttribute("aria-pressed") !== "true";
    freeze.setAttribute("aria-pressed", String(isFrozen));
    setText(freeze, isFrozen ? "Go on" : "Freeze");
    events.freeze(isFrozen);
  });
  link.addEventListener("click", async () => {
    const isCopied = await navigator.clipboard?.writeText(location.href)
      .then(() => true, () => false) ?? false;
    // Pages that are not served safely may not copy: the address bar has the same link.
    setText(link, isCopied ? "Copied" : "See address bar");
    setTimeout(() => setText(link, "Copy link"), 2000);
  });
  for (const button of document.querySelectorAll<HTMLElement>("[data-export]")) {
    button.addEventListener(
      "click",
      () => events.exported(button.dataset["export"] as "png" | "csv" | "json"),
    );
  }
  addEventListener("hashchange", () => {
    view = viewFromHash(location.hash);
    showControls();
    events.changed(view);
  });
  view = viewFromHash(location.hash);
  showControls();
  return {
    get view() {
      return view;
    },
    change,
  };
}
