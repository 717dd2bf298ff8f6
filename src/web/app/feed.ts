/// <reference lib="dom" />
/** Keeps hearing from the server, through its restarts and losses of the connection. */

import type { MeshUpdate, MeshView } from "../../metrics/mesh-view.ts";

/** Waits before connecting again: longer each time, as the server may be down for long. */
const RETRY_MS = [500, 1000, 2000, 4000, 8000] as const;
/** Silence of so many intervals and this much more is a connection that is no more. */
const PATIENCE_INTERVALS = 2;
const PATIENCE_MS = 5_000;

export type FeedState = "connecting" | "live" | "lost";

export interface Feed {
  /** Listens no more; the server forgets about this page. */
  close(): void;
}

export interface FeedEvents {
  snapshot(mesh: MeshView): void;
  update(update: MeshUpdate): void;
  state(state: FeedState): void;
}

export function openFeed(url: string, events: FeedEvents): Feed {
  let source: EventSource | undefined;
  let failures = 0;
  let intervalMs = 10_000;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const wait = (ms: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  };
  const heard = (): void => {
    wait(PATIENCE_INTERVALS * intervalMs + PATIENCE_MS, retry);
  };

  function connect(): void {
    source = new EventSource(url);
    source.addEventListener("snapshot", ({ data }) => {
      const mesh: MeshView = JSON.parse(data);
      failures = 0;
      intervalMs = mesh.interval_s * 1000;
      heard();
      events.snapshot(mesh);
      events.state("live");
    });
    source.addEventListener("update", ({ data }) => {
      heard();
      events.update(JSON.parse(data));
    });
    // The browser's own way to connect again gives up on some errors, for good: ours does not.
    source.addEventListener("error", retry);
    heard();
  }

  function retry(): void {
    source?.close();
    events.state("lost");
    wait(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]!, connect);
  }

  events.state("connecting");
  connect();
  return {
    close() {
      clearTimeout(timer);
      source?.close();
    },
  };
}
