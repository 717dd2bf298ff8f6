/**
 * Server-sent events to a bounded number of listeners. All get the same text; one that does not
 * take it in time is let go, and comes back by itself with a fresh snapshot.
 */
import type { ServerResponse } from "node:http";

const MOST_LISTENERS = 64;
const HEARTBEAT_MS = 15_000;
/** What may wait for a listener, beyond which it is too slow. Snapshots of large meshes fit. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;
/** One that has not caught up for so long is too slow: a snapshot takes its time on a thin line. */
const MOST_BEHIND_MS = 60_000;

export interface EventStream {
  /** Takes over a response whose head is written; false: there are too many, nothing was done. */
  listen(response: ServerResponse, snapshot: Uint8Array): boolean;
  send(event: string, json: Uint8Array): void;
  close(): void;
  readonly listeners: number;
  /** Listeners let go because they were too slow. */
  readonly dropped: number;
  readonly isFull: boolean;
}

/** @param nowMs a clock that does not go back */
export function createEventStream(nowMs: () => number = () => performance.now()): EventStream {
  /** Since when each has something waiting; NaN: it has taken all. */
  const listeners = new Map<ServerResponse, number>();
  let dropped = 0;

  const write = (response: ServerResponse, ...parts: (string | Uint8Array)[]): void => {
    const before = listeners.get(response)!;
    const sinceMs = !response.writableNeedDrain ? NaN : Number.isNaN(before) ? nowMs() : before;
    if (nowMs() - sinceMs > MOST_BEHIND_MS || response.writableLength > MOST_WAITING_BYTES) {
      dropped++;
      listeners.delete(response);
      response.destroy();
      return;
    }
    listeners.set(response, sinceMs);
    for (const part of parts) response.write(part);
  };
  const heartbeat = setInterval(() => {
    for (const response of [...listeners.keys()]) write(response, ":\n\n");
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    listen(response, snapshot) {
      if (listeners.size >= MOST_LISTENERS) return false;
      listeners.set(response, NaN);
      const forget = () => void listeners.delete(response);
      response.on("close", forget);
      response.on("error", forget);
      // Comes back after 2 s, not at once.
      write(response, "retry: 2000\n\nevent: snapshot\ndata: ", snapshot, "\n\n");
      return true;
    },
    send(event, json) {
      // JSON has no line ends of its own, so one line of data holds it.
      for (const response of [...listeners.keys()]) {
        write(response, `event: ${event}\ndata: `, json, "\n\n");
      }
    },
    close() {
      clearInterval(heartbeat);
      for (const response of listeners.keys()) response.end();
      listeners.clear();
    },
    get listeners() {
      return listeners.size;
    },
    get dropped() {
      return dropped;
    },
    get isFull() {
      return listeners.size >= MOST_LISTENERS;
    },
  };
}
