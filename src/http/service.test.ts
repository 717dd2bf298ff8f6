import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test, type TestContext } from "node:test";
import { createFigureSet } from "../metrics/figure-set.ts";
import type { MeshView, PercentilesView, SeriesView, SessionView } from "../metrics/mesh-view.ts";
import type { RunSummary } from "../metrics/summary.ts";
import { Failure } from "../platform/failure.ts";
import { openHttpService, type ServedProgram } from "./service.ts";

const TOKEN = "a-token-of-some-length";
const SESSION: SessionView = {
  id: "0123456789abcdef",
  name: "paris",
  route: "direct",
  flow: 0,
  peer: "192.0.2.1:5",
  transport: "tcp",
  mode: "paced",
  state: "live",
  joined_at: 1,
  silent_s: 0,
  rtt_ms: 4,
  backlog_bytes: 0,
  dropped: 0,
  metered: true,
};

async function serve(
  t: TestContext,
  { token, host = "127.0.0.1", messages = 100, page }: {
    token?: string;
    host?: string;
    messages?: number;
    page?: NonNullable<ServedProgram["page"]>;
  } = {},
) {
  const figures = createFigureSet();
  const spec = {
    key: 'pa"ris::~::relay',
    from: 'pa"ris',
    to: "relay",
    route: "direct",
    hops: 1,
    echo: false,
  };
  const stream = figures.get(spec).open();
  for (let i = 1; i <= messages; i++) stream.record(i, 100, i * 1000, (i - 0.5) * 1000, 200, NaN);
  const state = { ready: true, sessions: [SESSION], summaries: 0 };
  const service = await openHttpService(
    { http: { host, port: 0 }, httpOpen: true, stats: 1000 },
    token,
    {
      tool: "performance-server",
      kind: "server",
      name: "<relay>",
      run: "0badf00d",
      figures,
      isOwnName: (name) => name === "relay",
      isExpected: () => true,
      isReady: () => state.ready,
      sessions: () => state.sessions,
      differences: () => [],
      clockErrorMs: () => 2,
      summarise() {
        state.summaries++;
        return { version: 1, keys: [] } as unknown as RunSummary;
      },
      processFigures: () => ({ sent: 7, received: 100, warmup: 1, sinks: [], udp: undefined }),
      ...(page && { page }),
    },
  );
  t.after(() => service.close());
  const at = `http://127.0.0.1:${service.port}`;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${at}${path}`, { headers, redirect: "manual" });
  const json = async <T>(path: string): Promise<T> => await (await get(path)).json() as T;
  return { port: service.port, get, json, state };
}

test("the mesh has keys, nodes and connections, with their figures", async (t) => {
  const { json } = await serve(t);
  const mesh = await json<MeshView>("/api/v1/mesh");
  assert.equal(mesh.name, "<relay>");
  assert.equal(mesh.clock_error_ms, 2);
  assert.equal(mesh.interval_s, 1);
  assert.deepEqual(mesh.sessions, [SESSION]);
  const [key] = mesh.keys;
  assert.equal(key!.count, 100);
  assert.equal(key!.ms!.max, 99.5);
  assert.equal(key!.last![1], 100);
  assert.deepEqual(
    mesh.nodes.map(({ name, kind }) => `${name} ${kind}`).sort(),
    ["<relay> server", 'pa"ris client', "paris client", "relay server"],
  );
});

test("series and percentiles are those of the keys asked for", async (t) => {
  const { get, json } = await serve(t);
  const { keys: [key] } = await json<MeshView>("/api/v1/mesh");
  const { series } = await json<SeriesView>(`/api/v1/series?keys=${key!.id},777`);
  assert.deepEqual(series.map(({ id }) => id), [key!.id]);
  assert.deepEqual(series[0]!.points, [key!.last]);
  const { curves } = await json<PercentilesView>(`/api/v1/percentiles?keys=${key!.id}`);
  const { count, curve, hdr } = curves[0]!;
  assert.equal(count, 100);
  assert.deepEqual(curve.at(-1), [1, 99.5]);
  assert.ok(curve.some(([quantile, ms]) => quantile === 0.5 && Math.abs(ms - 49.5) < 0.05));
  assert.match(hdr!, /^HISTFAAA/);
  for (const wrong of ["series", "series?keys=a", "series?keys=1&since=x", "percentiles?keys=-1"]) {
    assert.equal((await get(`/api/v1/${wrong}`)).status, 400, wrong);
  }
  const many = Array.from({ length: 101 }, (_, i) => i).join();
  assert.equal((await get(`/api/v1/series?keys=${many}`)).status, 400);
});

test("metrics come in the format that is asked for, labels escaped", async (t) => {
  const { get } = await serve(t);
  const plain = await get("/metrics");
  assert.match(plain.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const text = await plain.text();
  assert.ok(
    text.includes('performance_messages_total{from="pa\\"ris",to="relay",route="direct"} 100\n'),
  );
  assert.ok(
    text.includes(
      'performance_delay_seconds_bucket{from="pa\\"ris",to="relay",route="direct",le="0.05"} 50\n',
    ),
    text,
  );
  assert.ok(text.includes("performance_clock_error_bound_seconds 0.002\n"));
  const open = await get("/metrics", { accept: "application/openmetrics-text; version=1.0.0" });
  assert.match(open.headers.get("content-type")!, /^application\/openmetrics-text/);
  assert.ok((await open.text()).endsWith("# EOF\n"));
});

test("the summary is made once an interval, whoever asks how often", async (t) => {
  const { get, state } = await serve(t);
  await Promise.all(Array.from({ length: 20 }, () => get("/api/v1/summary")));
  assert.ok(state.summaries <= 2, `${state.summaries}`);
});

test("events begin with the mesh, and tell what changes", async (t) => {
  const { get, state } = await serve(t);
  const response = await get("/api/v1/events");
  assert.match(response.headers.get("content-type")!, /^text\/event-stream/);
  const events = eventsOf(response);
  const first = (await events.next()).value!;
  assert.equal(first.event, "snapshot");
  assert.equal(first.data.keys.length, 1);
  state.sessions = [];
  let update = (await events.next()).value!;
  assert.equal(update.event, "update");
  while (update.data.sessions[0]!.state !== "gone") update = (await events.next()).value!;
  assert.deepEqual(update.data.keys, [], "no key changed");
  await events.return(undefined);
});

test("every answer forbids foreign code, frames and guesses, and is read by nobody else", async (t) => {
  const { get } = await serve(t);
  for (const path of ["/", "/healthz", "/metrics", "/api/v1/mesh", "/nothing"]) {
    const { headers } = await get(path, { origin: "http://evil.example" });
    assert.match(
      headers.get("content-security-policy")!,
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("access-control-allow-origin"), null);
    assert.equal(headers.get("cache-control"), "no-store");
  }
});

test("the index is honest where there is no dashboard, and names are no markup", async (t) => {
  const { get } = await serve(t);
  const index = await (await get("/")).text();
  assert.ok(index.includes("/api/v1/events"));
  assert.ok(!index.includes("<relay>"));
  assert.equal((await get("/page.js")).status, 404);
});

test("the dashboard is served in its parts", async (t) => {
  const { get } = await serve(t, {
    page: () => Promise.resolve({ html: "<html>", script: "1;", style: "a{}" }),
  });
  assert.equal(await (await get("/")).text(), "<html>");
  assert.match((await get("/page.js")).headers.get("content-type")!, /^text\/javascript/);
  assert.equal(await (await get("/page.css")).text(), "a{}");
});

test("ready is told apart from alive", async (t) => {
  const { get, state } = await serve(t);
  assert.equal((await get("/readyz")).status, 200);
  state.ready = false;
  assert.equal((await get("/readyz")).status, 503);
  assert.equal((await get("/healthz")).status, 200);
});

test("a token is exchanged into a cookie that scripts and other sites do not get", async (t) => {
  const { get } = await serve(t, { token: TOKEN });
  assert.equal((await get("/")).status, 401);
  assert.equal((await get("/metrics?token=" + TOKEN)).status, 401, "only the page's address");
  assert.equal((await get("/?token=wrong-token-of-length")).status, 401);
  assert.equal((await get("/healthz")).status, 200);
  const exchanged = await get(`/?view=x&token=${TOKEN}`);
  assert.equal(exchanged.status, 303);
  assert.equal(exchanged.headers.get("location"), "/?view=x");
  const cookie = exchanged.headers.get("set-cookie")!;
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  assert.equal((await get("/metrics", { cookie: cookie.split(";")[0]! })).status, 200);
  assert.equal((await get("/metrics", { authorization: `Bearer ${TOKEN}` })).status, 200);
});

test("other machines are served with a token, or on the operator's word, or not at all", async () => {
  await assert.rejects(
    openHttpService(
      { http: { host: "0.0.0.0", port: 0 }, httpOpen: false, stats: 0 },
      undefined,
      {} as ServedProgram,
    ),
    (error) => error instanceof Failure && /--http-token-file.*--http-open/.test(error.message),
  );
});

test("listeners beyond a bound are told to come later", async (t) => {
  const { port, get } = await serve(t);
  const listeners = await Promise.all(Array.from({ length: 64 }, async () => {
    const asked = request({ port, host: "127.0.0.1", path: "/api/v1/events", agent: false }).end();
    const [response] = await once(asked, "response");
    return () => {
      response.destroy();
      asked.destroy();
    };
  }));
  assert.equal((await get("/api/v1/events")).status, 503);
  for (const end of listeners) end();
});

interface MeshEvent {
  event: string;
  data: Pick<MeshView, "keys" | "sessions">;
}

async function* eventsOf(response: Response): AsyncGenerator<MeshEvent, void, undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const found = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end));
      if (found) yield { event: found[1]!, data: JSON.parse(found[2]!) };
    }
  }
}
