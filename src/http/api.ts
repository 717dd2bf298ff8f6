/** The endpoints: what each answers. Texts are put together once an interval and shared. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  acceptedFormat,
  CONTENT_TYPES,
  type ExpositionFormat,
  lastLine,
} from "../metrics/exposition.ts";
import type { KeyMetrics } from "../metrics/key-metrics.ts";
import { inStretches } from "../metrics/key-news.ts";
import type { Mesh } from "../metrics/mesh.ts";
import { processMetrics } from "../metrics/process-metrics.ts";
import { curveOf } from "./curve.ts";
import type { EventStream } from "./event-stream.ts";
import { type Answer, beginEvents, type HttpServer } from "./http-server.ts";
import { indexPage } from "./index-page.ts";
import type { Page, ServedProgram } from "./service.ts";
import type { SessionViews } from "./session-views.ts";

const MOST_SERIES = 100;
const MOST_CURVES = 20;
const JSON_TYPE = "application/json; charset=utf-8";
const TEXT_TYPE = "text/plain; charset=utf-8";

export interface ApiOptions {
  program: ServedProgram;
  mesh: Mesh;
  keyMetrics: KeyMetrics;
  sessions: SessionViews;
  events: EventStream;
  intervalMs: number;
  startedAt: number;
  version: string;
  /** The part of view and update that is made anew each time. */
  view: () => object;
  server: () => HttpServer;
}

export interface Api {
  handle(
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer | undefined>;
  /** An interval has ended: tells the listeners, and lets the texts of the last one go. */
  publish(): Promise<void>;
}

export function createApi(options: ApiOptions): Api {
  const { program, mesh, events, intervalMs, startedAt, version } = options;
  /** Texts of this interval, by what they are. */
  const texts = new Map<string, Promise<Uint8Array>>();
  /** Grows with each update that was sent. */
  let updates = 0;

  const shared = (what: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    let text = texts.get(what);
    if (text === undefined) {
      texts.set(what, text = make());
      // A failure is not kept.
      text.catch(() => texts.delete(what));
    }
    return text;
  };

  async function snapshot(): Promise<Uint8Array> {
    const head = JSON.stringify({
      version: 1,
      name: program.name,
      tool: program.tool,
      tool_version: version,
      run: program.run,
      started_at: startedAt,
      interval_s: intervalMs / 1000,
      ...options.view(),
    });
    return await encoded(withKeys(head, mesh.keysJson()));
  }

  async function metrics(format: ExpositionFormat): Promise<Uint8Array> {
    await inStretches(options.keyMetrics.refresh(), () => {});
    return await encoded(metricLines(format));
  }

  function* metricLines(format: ExpositionFormat): Iterable<string> {
    yield* processMetrics(processFigures(), format);
    yield* options.keyMetrics.write(format);
    yield lastLine(format);
  }

  function processFigures() {
    const { requests, refused } = options.server();
    const clockErrorMs = program.clockErrorMs();
    const { user, system } = process.cpuUsage();
    const reporters: Record<"live" | "gone", number> = { live: 0, gone: 0 };
    for (const { isOwn, isThere } of mesh.reporters) {
      if (!isOwn) reporters[isThere ? "live" : "gone"]++;
    }
    return {
      tool: program.tool,
      version,
      name: program.name,
      startedAtS: startedAt / 1000,
      clockErrorS: Number.isFinite(clockErrorMs) ? clockErrorMs / 1000 : undefined,
      sessions: options.sessions.list(),
      keys: mesh.counts,
      reporters,
      omittedKeys: mesh.omittedKeys,
      http: {
        requests,
        refused,
        listeners: events.listeners,
        droppedListeners: events.dropped,
      },
      cpuS: (user + system) / 1e6,
      memoryBytes: process.memoryUsage.rss(),
      ...program.processFigures(),
    };
  }

  async function listen(request: IncomingMessage, response: ServerResponse) {
    if (events.isFull) return busy("too many listeners");
    if (request.method === "HEAD") return { status: 200, type: "text/event-stream", body: "" };
    // An update that was sent while the snapshot was put together may be missing in it.
    let before: number;
    let text: Uint8Array;
    do {
      before = updates;
      text = await shared("mesh", snapshot);
    } while (before !== updates);
    if (response.destroyed) return undefined;
    beginEvents(response);
    if (!events.listen(response, text)) response.end();
    return undefined;
  }

  function series(url: URL): Answer {
    const since = Number(url.searchParams.get("since") ?? 0);
    const ids = idsOf(url, MOST_SERIES);
    if (ids === undefined || !Number.isFinite(since)) {
      return wrong(`?keys=ID,… with up to ${MOST_SERIES} ids of /api/v1/mesh, and since=MS`);
    }
    const found = ids.flatMap((id) => {
      const points = mesh.seriesJson(id, since);
      return points === undefined ? [] : [`{"id":${id},"points":${points}}`];
    });
    return json(`{"at":${Date.now()},"series":[${found.join()}]}`);
  }

  function percentiles(url: URL): Answer {
    const ids = idsOf(url, MOST_CURVES);
    if (ids === undefined) {
      return wrong(`?keys=ID,… with up to ${MOST_CURVES} ids of /api/v1/mesh`);
    }
    const curves = ids.flatMap((id) => {
      const found = mesh.find(id);
      return found === undefined ? [] : [{ id, ...curveOf(found, program.figures) }];
    });
    return json(JSON.stringify({ at: Date.now(), curves }));
  }

  /** Part of the dashboard; undefined where this program has none. */
  async function page(part: keyof Page, type: string): Promise<Answer | undefined> {
    const body = (await program.page?.())?.[part];
    return body === undefined ? undefined : { status: 200, type: `${type}; charset=utf-8`, body };
  }

  async function answer(url: URL, request: IncomingMessage, response: ServerResponse) {
    switch (url.pathname) {
      case "/healthz":
        return { status: 200, type: TEXT_TYPE, body: "ok\n" };
      case "/readyz":
        return program.isReady()
          ? { status: 200, type: TEXT_TYPE, body: "ready\n" }
          : busy("not ready");
      case "/metrics": {
        const format = acceptedFormat(request.headers.accept);
        const body = await shared(format, () => metrics(format));
        return { status: 200, type: CONTENT_TYPES[format], body };
      }
      case "/api/v1/mesh":
        return json(await shared("mesh", snapshot));
      case "/api/v1/summary":
        return json(
          await shared("summary", () => encoded([JSON.stringify(program.summarise())])),
        );
      case "/api/v1/series":
        return series(url);
      case "/api/v1/percentiles":
        return percentiles(url);
      case "/api/v1/events":
        return await listen(request, response);
      case "/":
        return await page("html", "text/html") ??
          { status: 200, type: "text/html; charset=utf-8", body: indexPage(program) };
      case "/page.js":
        return await page("script", "text/javascript") ?? NOTHING;
      case "/page.css":
        return await page("style", "text/css") ?? NOTHING;
      default:
        return NOTHING;
    }
  }

  return {
    handle: answer,
    async publish() {
      texts.clear();
      const { keys, forgotten } = mesh.changes();
      // Also without listeners: texts of keys are made here, and not when somebody waits.
      const head = JSON.stringify({ ...options.view(), forgotten });
      const update = await encoded(withKeys(head, keys));
      updates++;
      events.send("update", update);
    },
  };
}

/** The ids of `?keys=`, or undefined where it is not a list of at most so many. */
function idsOf(url: URL, most: number): number[] | undefined {
  const parts = (url.searchParams.get("keys") ?? "").split(",");
  if (parts.length > most || !parts.every((part) => /^\d{1,12}$/.test(part))) return undefined;
  return [...new Set(parts.map(Number))];
}

/** An object's JSON with a list of keys that are JSON already. */
function* withKeys(head: string, keys: Iterable<string>): Iterable<string> {
  yield `${head.slice(0, -1)},"keys":[`;
  let isFirst = true;
  for (const key of keys) {
    yield isFirst ? key : `,${key}`;
    isFirst = false;
  }
  yield "]}";
}

/** Characters that are encoded at once. */
const PIECE = 64 * 1024;

/** A long text as UTF-8, made while messages pass. */
async function encoded(parts: Iterable<string>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let waiting = "";
  await inStretches(parts, (part) => {
    waiting += part;
    if (waiting.length < PIECE) return;
    pieces.push(Buffer.from(waiting));
    waiting = "";
  });
  return Buffer.concat([...pieces, Buffer.from(waiting)]);
}

const NOTHING: Answer = { status: 404, type: TEXT_TYPE, body: "nothing here: see /\n" };
const json = (body: string | Uint8Array): Answer => ({ status: 200, type: JSON_TYPE, body });
const wrong = (why: string): Answer => ({ status: 400, type: TEXT_TYPE, body: `${why}\n` });
const busy = (why: string): Answer => ({
  status: 503,
  type: TEXT_TYPE,
  body: `${why}\n`,
  headers: { "retry-after": "5" },
});
