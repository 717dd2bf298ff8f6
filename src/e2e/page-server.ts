/** Serves the page with a made-up mesh, as the server does with its own. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import { loadPage } from "../web/page.ts";
import type { Owner } from "./processes.ts";
import type { Sample } from "./sample-mesh.ts";

/** As strict as the server's. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface PageServer {
  url: string;
  /** Sends the sample's next interval to all pages. */
  update(): void;
}

export async function startPageServer(t: Owner, sample: Sample): Promise<PageServer> {
  const page = await loadPage();
  const listeners = new Set<http.ServerResponse>();
  const idsOf = (url: URL) => new Set((url.searchParams.get("keys") ?? "").split(",").map(Number));
  const answers: Record<string, (url: URL) => [type: string, text: string]> = {
    "/": () => ["text/html", page.html],
    "/page.js": () => ["text/javascript", page.script],
    "/page.css": () => ["text/css", page.style],
    "/api/v1/series": (url) => {
      const { at, series } = sample.series;
      const wanted = idsOf(url);
      const found = { at, series: series.filter(({ id }) => wanted.has(id)) };
      return ["application/json", JSON.stringify(found)];
    },
    "/api/v1/percentiles": (url) => {
      const { at, curves } = sample.percentiles;
      const wanted = idsOf(url);
      const found = { at, curves: curves.filter(({ id }) => wanted.has(id)) };
      return ["application/json", JSON.stringify(found)];
    },
  };
  const send = (response: http.ServerResponse, event: string, data: unknown): void => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://host");
    if (url.pathname === "/api/v1/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      send(response, "snapshot", sample.mesh);
      listeners.add(response);
      response.on("close", () => listeners.delete(response));
      return;
    }
    const answer = answers[url.pathname]?.(url);
    if (answer === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": `${answer[0]}; charset=utf-8`,
      "content-security-policy": POLICY,
    }).end(answer[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    update() {
      const update = sample.next();
      for (const response of listeners) send(response, "update", update);
    },
  };
}
