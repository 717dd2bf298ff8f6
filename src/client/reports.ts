/**
 * What this client measured, told to the servers that it is connected to and that take reports:
 * each hears of all keys, those of the other servers too, but for the hops that it measures itself.
 *
 * A report goes out as one frame a second at most, and only where nothing else waits to be sent,
 * so that it delays no message by more than its own 16 KiB take on the line.
 */
import { type FigureSet, tellsSomething } from "../metrics/figure-set.ts";
import type { Figures } from "../metrics/figures.ts";
import { createKeyNews, inStretches } from "../metrics/key-news.ts";
import { joinSpans, reportedDifference, reportedKey, spanOf } from "../metrics/reported.ts";
import type { DifferenceSummary, KeySummary } from "../metrics/summary.ts";
import { REPORT_PERIOD_US, type ReportedSpan, writeReports } from "../relay/report-frame.ts";
import type { ClientSession } from "./session.ts";

/** Keys that are put into frames at once: mostly a frame or two. */
const KEYS_AT_ONCE = 100;
const PERIOD_MS = REPORT_PERIOD_US / 1000;
const NOTHING: ReportedSpan = { ms: 0, count: 0, lost: 0 };

export interface ReportsOptions {
  figures: FigureSet;
  differences: () => readonly DifferenceSummary[];
  /** Open sessions, in the order of the routes. */
  sessions: () => readonly ClientSession[];
  intervalMs: number;
  nowMs: () => number;
}

export interface Reports {
  /** Does what is due; to be called each `REPORT_PERIOD_US`. Resolves when done. */
  tick(): Promise<void>;
}

/** What one server has still to be told. */
interface Destination {
  pending: Map<Figures, { summary: KeySummary; span: ReportedSpan }>;
  differences: readonly DifferenceSummary[];
  frames: Uint8Array[];
}

export function createReports(options: ReportsOptions): Reports {
  const { figures, nowMs } = options;
  const keyNews = createKeyNews(figures);
  /** By the server's process id. */
  const destinations = new Map<string, Destination>();
  let collectedMs = nowMs();
  /** Nobody listened: what came meanwhile is nobody's interval. */
  let isBehind = true;
  let busy = false;

  /** The first session to each server: one of them reports. */
  function reporting(): Map<string, ClientSession> {
    const first = new Map<string, ClientSession>();
    for (const session of options.sessions()) {
      if (session.state !== "open" || session.welcome?.takesReports !== true) continue;
      const { processId } = session.pair!;
      if (!first.has(processId)) first.set(processId, session);
    }
    return first;
  }

  /** One that hears of this client for the first time, or again, is told of everything. */
  function welcome(): Destination {
    const pending: Destination["pending"] = new Map();
    for (const figure of figures.all()) {
      const summary = figure.summarise(0, false);
      if (tellsSomething(summary)) pending.set(figure, { summary, span: NOTHING });
    }
    return { pending, differences: options.differences(), frames: [] };
  }

  async function collect(): Promise<void> {
    const spanMs = nowMs() - collectedMs;
    collectedMs = nowMs();
    isBehind = destinations.size === 0;
    if (isBehind) return;
    await inStretches(keyNews(spanMs), ({ figures, summary, interval }) => {
      const span = spanOf(interval, spanMs);
      for (const { pending } of destinations.values()) {
        const before = pending.get(figures)?.span;
        pending.set(figures, { summary, span: before ? joinSpans(before, span) : span });
      }
    });
    const differences = options.differences();
    for (const destination of destinations.values()) destination.differences = differences;
  }

  function fill(destination: Destination, session: ClientSession): void {
    const { pending, differences } = destination;
    const names = new Set(options.sessions().map(({ hello }) => hello.name));
    const server = session.welcome!.name;
    const keys = [];
    for (const [figure, { summary, span }] of pending) {
      pending.delete(figure);
      const { hops, to } = figure.spec;
      // What ends at it a server measures better itself.
      if (hops === 1 && to === server) continue;
      keys.push(reportedKey(summary, span, !names.has(to)));
      if (keys.length === KEYS_AT_ONCE) break;
    }
    destination.differences = [];
    destination.frames = writeReports({ keys, differences: differences.map(reportedDifference) });
  }

  return {
    async tick() {
      // Slept, or many keys: the next tick does it.
      if (busy) return;
      busy = true;
      try {
        const sessions = reporting();
        for (const id of destinations.keys()) if (!sessions.has(id)) destinations.delete(id);
        if (nowMs() - collectedMs >= options.intervalMs - PERIOD_MS / 2) await collect();
        if (isBehind && sessions.size > 0) {
          isBehind = false;
          collectedMs = nowMs();
          await inStretches(keyNews(1), () => {});
        }
        for (const [id, session] of sessions) {
          let destination = destinations.get(id);
          if (destination === undefined) destinations.set(id, destination = welcome());
          if (destination.frames.length === 0) fill(destination, session);
          const [frame] = destination.frames;
          if (frame !== undefined && session.report(frame)) destination.frames.shift();
        }
      } finally {
        busy = false;
      }
    },
  };
}
