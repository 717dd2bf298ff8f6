/** What is due on a connection, by the time. */
import type { Connection } from "./session.ts";

/** Heartbeats keep idle connections known to load balancers (the shortest idle limit is 30 s). */
export const HEARTBEAT_MS = 10_000;
/** A connection that says no hello for this long is closed. */
const GREETING_US = 5_000_000;
/** A client that is not heard for three heartbeats is gone. */
const SILENT_US = 3 * HEARTBEAT_MS * 1000;
/** A receiver that lost messages and took nothing for this long is disconnected. */
const STALLED_US = 5_000_000;

/** no-hello, silent, stalled: to be closed · unheard-bye: to be dropped · heartbeat: to be sent */
export type Due = "no-hello" | "unheard-bye" | "stalled" | "silent" | "heartbeat";

export function dueAt(
  connection: Connection,
  nowUs: number,
  maxBacklogBytes: number,
): Due | undefined {
  const { state, session, outbox, heardUs, closingUs } = connection;
  const tookNothing = nowUs - outbox.progressUs > STALLED_US;
  if (state === "greeting") return nowUs - heardUs > GREETING_US ? "no-hello" : undefined;
  if (state === "closing") {
    // Its bye has had its time; a receiver that still takes may have more.
    return tookNothing && nowUs - closingUs > STALLED_US ? "unheard-bye" : undefined;
  }
  if (state === "closed" || session === undefined) return undefined;
  const isBehind = session.overflowed || outbox.backlogBytes > maxBacklogBytes;
  if (isBehind && tookNothing) return "stalled";
  // A flood that is held up is not read, so it is not heard.
  if (nowUs - heardUs > SILENT_US && !session.held) return "silent";
  return nowUs >= session.heartbeatDueUs ? "heartbeat" : undefined;
}
