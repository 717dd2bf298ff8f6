/// <reference lib="dom" />
/** What the page says of itself and of the mesh as a whole. */

import { formatAge, formatCount, formatCountOf } from "../../cli/numbers.ts";
import type { MeshView } from "../../metrics/mesh-view.ts";
import { type Condition, CONDITIONS } from "./condition.ts";
import { byId, setText } from "./dom.ts";
import type { FeedState } from "./feed.ts";
import type { ShownKey } from "./matrix.ts";
import type { Store } from "./store.ts";

export type PageState = FeedState | "frozen" | "report";

/** Who is seen, by whom, and what is wrong. */
export function showNames(mesh: MeshView, shown: readonly ShownKey[]): void {
  setText(byId("name"), mesh.name);
  document.title = `${mesh.name} · network time`;
  const servers = mesh.nodes.filter(({ kind }) => kind === "server").length;
  const clients = mesh.nodes.length - servers;
  const counts = new Map<Condition, number>();
  for (const { condition } of shown) counts.set(condition, (counts.get(condition) ?? 0) + 1);
  const troubles = CONDITIONS.filter((each) => each !== "ok" && counts.has(each))
    .map((each) => `${counts.get(each)} ${each}`);
  const omitted = mesh.omitted_keys > 0
    ? [`${formatCount(mesh.omitted_keys)} reports of further keys left out`]
    : [];
  setText(
    byId("summary"),
    [
      formatCountOf(servers, "server"),
      formatCountOf(clients, "client"),
      `${formatCountOf(shown.length, "key")} in this view`,
      ...(troubles.length > 0 ? troubles : shown.length > 0 ? ["all well"] : []),
      ...omitted,
    ].join(" · "),
  );
  setText(
    byId("footer"),
    `${mesh.tool} ${mesh.tool_version} · started ${
      new Date(mesh.started_at).toLocaleString("en-GB")
    } · ` +
      `intervals of ${mesh.interval_s} s` +
      (mesh.clock_error_ms === undefined
        ? ""
        : ` · its clock is right within ${mesh.clock_error_ms} ms`),
  );
}

/**
 * @param silentMs since the last news
 * @param isCut so long that nothing that is shown counts as live
 */
export function showStatus(state: PageState, store: Store, silentMs: number, isCut: boolean): void {
  const status = byId("status");
  const notice = byId("notice");
  const texts: Record<PageState, string> = {
    report: `Report up to ${new Date(store.at).toLocaleString("en-GB")}`,
    frozen: `Frozen at ${new Date(store.at).toLocaleTimeString("en-GB")}`,
    live: "Live",
    lost: "Connection lost, trying again",
    connecting: "Connecting…",
  };
  status.dataset["state"] = state;
  setText(status, texts[state]);
  const text = noticeOf(state, store, isCut ? silentMs : undefined);
  notice.hidden = text === "";
  notice.dataset["state"] = state;
  setText(notice, text);
}

/** @param cutMs how long nothing was heard, where that is too long */
function noticeOf(state: PageState, store: Store, cutMs: number | undefined): string {
  if (state === "connecting" && store.mesh === undefined) {
    return "Connecting to the server; figures follow at once.";
  }
  if (state === "lost" && store.mesh === undefined) {
    return "The server does not answer. This page tries again every few seconds.";
  }
  if (state === "lost") {
    return cutMs !== undefined
      ? `The server has not been heard of for ${
        formatAge(cutMs / 1000)
      }: all that is shown is from before, and counts as stale.`
      : "The connection to the server is lost; this page is connecting again.";
  }
  if (store.mesh !== undefined && store.keys.size === 0) {
    return "No message has been measured yet. Clients leave out the first ten of each connection (--warmup); with the default interval that is some 40 s.";
  }
  return "";
}
