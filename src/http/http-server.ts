/** Listens for HTTP and hands requests that may be answered to the API; bounded in all ways. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createGuard, type Guard, TOKEN_COOKIE } from "./guard.ts";

const MOST_CONNECTIONS = 256;
const MOST_HEADER_BYTES = 8 * 1024;
const MOST_HEADERS = 50;
const REQUEST_MS = 10_000;
const IDLE_MS = 10_000;
/** The largest answers are some MB: who takes longer than this for one would keep others out. */
const ANSWER_MS = 60_000;
const MOST_REQUESTS_OF_SOCKET = 1_000;

/** What is answered. */
export interface Answer {
  status: number;
  type: string;
  body: string | Uint8Array;
  headers?: Readonly<Record<string, string>>;
}

/** Answers a request, or takes the response over and returns undefined. */
export type Handler = (
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
) => Answer | undefined | Promise<Answer | undefined>;

export interface HttpServer {
  readonly port: number;
  /** Requests answered, and refused by the guard. */
  readonly requests: number;
  readonly refused: number;
  close(): void;
}

export interface HttpServerOptions {
  host: string;
  port: number;
  token: string | undefined;
  handle: Handler;
  /** There is no room for a connection more. */
  isShortOfDescriptors?: (() => boolean) | undefined;
  /** A fault of ours, for the log. */
  failed: (error: Error) => void;
  /** A request that takes longer to come than this comes too slowly to be honest. */
  requestMs?: number;
  /** An answer that is not taken within this is not wanted. */
  answerMs?: number;
}

/** On every answer. Our page loads from here alone; nobody else's may show it, or read it. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

const HEALTH = new Set(["/healthz", "/readyz"]);

/** Resolves once it listens; rejects as `listen` fails. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const guard = createGuard(options.host, options.token);
  const requestMs = options.requestMs ?? REQUEST_MS;
  let requests = 0;
  let refused = 0;
  const server = createServer({
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: requestMs / 10,
    requireHostHeader: false,
    insecureHTTPParser: false,
  }, (request, response) => {
    // Nothing here takes a body: what of one comes is thrown away, and the connection with it.
    const hasBody = request.headers["content-length"] !== undefined ||
      request.headers["transfer-encoding"] !== undefined;
    if (hasBody) {
      refused++;
      refuse(response, 413, "no request here has a body");
      request.destroy();
      return;
    }
    const url = URL.canParse(request.url ?? "", "http://here")
      ? new URL(request.url!, "http://here")
      : undefined;
    if (url === undefined || !request.url!.startsWith("/")) {
      refused++;
      refuse(response, 400, "not a path");
      return;
    }
    const verdict = judge(guard, url, request);
    if (!verdict.allowed) {
      refused++;
      const headers = verdict.status === 401 ? { "www-authenticate": "Bearer" } : {};
      refuse(response, verdict.status, verdict.why, headers);
      return;
    }
    requests++;
    answer(options, guard, url, request, response).catch((error: Error) => {
      options.failed(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "a fault of this program");
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.maxHeadersCount = MOST_HEADERS;
  server.maxRequestsPerSocket = MOST_REQUESTS_OF_SOCKET;
  server.on("connection", (socket) => {
    if (!options.isShortOfDescriptors?.()) return;
    refused++;
    socket.destroy();
  });
  server.on("clientError", (_error, socket) => {
    refused++;
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", reject);
      server.on("error", options.failed);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    get refused() {
      return refused;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function judge(guard: Guard, url: URL, { method, headers }: IncomingMessage) {
  const token = url.searchParams.get("token");
  // Only the page's address may hold the token: it is exchanged at once.
  const isExchange = url.pathname === "/" && token !== null && guard.isToken(token);
  return guard.judge({
    method,
    host: headers.host,
    authorization: isExchange ? `Bearer ${token}` : headers.authorization,
    cookie: headers.cookie,
    site: headers["sec-fetch-site"] as string | undefined,
    isHealth: HEALTH.has(url.pathname),
  });
}

async function answer(
  { handle, answerMs = ANSWER_MS }: HttpServerOptions,
  guard: Guard,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = url.searchParams.get("token");
  if (url.pathname === "/" && token !== null && guard.isToken(token)) {
    // The address without the token is what stays in the browser's history.
    url.searchParams.delete("token");
    send(response, request.method, {
      status: 303,
      type: "text/plain; charset=utf-8",
      body: "",
      headers: {
        location: `/${url.search}`,
        "set-cookie": `${TOKEN_COOKIE}=${encodeURIComponent(token)}; Path=/; HttpOnly; ` +
          "SameSite=Strict; Max-Age=2592000",
      },
    });
    return;
  }
  const given = await handle(url, request, response);
  if (given === undefined) return;
  const timer = setTimeout(() => response.destroy(), answerMs);
  response.once("close", () => clearTimeout(timer));
  send(response, request.method, given);
}

function send(
  response: ServerResponse,
  method: string | undefined,
  { status, type, body, headers }: Answer,
): void {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    "content-type": type,
    "content-length": bytes.byteLength,
    ...headers,
  });
  response.end(method === "HEAD" ? undefined : bytes);
}

function refuse(
  response: ServerResponse,
  status: number,
  why: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const allow: Record<string, string> = status === 405 ? { allow: "GET, HEAD" } : {};
  send(response, undefined, {
    status,
    type: "text/plain; charset=utf-8",
    body: `${why}\n`,
    headers: { ...allow, ...headers, connection: "close" },
  });
}

/** The head of an answer that goes on: events. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    "content-type": "text/event-stream; charset=utf-8",
    // Proxies that gather would show everything late.
    "x-accel-buffering": "no",
  });
}
