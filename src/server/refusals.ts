/** Who was turned away: counted, and told in the log without drowning it. */
import type { Logger } from "../cli/log.ts";
import type { RefusalReason } from "../relay/refusal.ts";

/** Lines of one reason come no closer together. */
const LINE_MS = 10_000;

/** Strangers come by from all over the internet; they are told with `-v` only. */
const QUIET: ReadonlySet<RefusalReason> = new Set(["stranger", "left", "slow"]);

export interface Refusals {
  refused(peer: string, text: string, reason: RefusalReason): void;
  /** How many so far, by reason; those that there were. */
  counts(): Partial<Record<RefusalReason, number>>;
}

export function createRefusals(
  { log, nowMs }: { log: Pick<Logger, "warn" | "debug">; nowMs: () => number },
): Refusals {
  const all = new Map<RefusalReason, { count: number; told: number; toldMs: number }>();
  return {
    refused(peer, text, reason) {
      let entry = all.get(reason);
      if (entry === undefined) {
        all.set(reason, entry = { count: 0, told: 0, toldMs: -Infinity });
      }
      entry.count++;
      const atMs = nowMs();
      if (atMs - entry.toldMs < LINE_MS) return;
      const untold = entry.count - entry.told - 1;
      entry.told = entry.count;
      entry.toldMs = atMs;
      const fields = { peer, reason, ...(untold > 0 && { more_before: untold }) };
      if (QUIET.has(reason)) log.debug(`not a client: ${text}`, fields);
      else log.warn(`a client was turned away: ${text}`, fields);
    },
    counts: () => Object.fromEntries([...all].map(([reason, { count }]) => [reason, count])),
  };
}
