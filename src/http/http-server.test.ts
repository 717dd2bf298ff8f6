import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import { createHttpServer, type HttpServerOptions } from "./http-server.ts";

const ASKED = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n";
/** More than the kernel holds on the way. */
const MUCH_BYTES = 64 << 20;

async function serve(t: TestContext, changes: Partial<HttpServerOptions> = {}) {
  const server = await createHttpServer({
    host: "127.0.0.1",
    port: 0,
    token: undefined,
    handle: () => ({ status: 200, type: "text/plain", body: "" }),
    failed: assert.fail,
    ...changes,
  });
  t.after(() => server.close());
  return server;
}

/** What a connection gets for these bytes, until the server closes it. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (more: string) => answer += more);
  socket.on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return answer;
}

test("bodies, long headers and garbage are refused, and the connection ended", async (t) => {
  const { port } = await serve(t);
  const head = (line: string): string => `${ASKED}${line}\r\n`;
  assert.match(await raw(port, head("Content-Length: 5\r\n") + "hello"), /^HTTP\/1.1 413/);
  assert.match(await raw(port, head(`X: ${"a".repeat(9000)}\r\n`)), /^HTTP\/1.1 4/);
  assert.match(await raw(port, "\x16\x03\x01 no request\r\n\r\n"), /^HTTP\/1.1 400/);
  assert.match(
    await raw(port, "GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    /^HTTP\/1.1 400/,
  );
});

test("where there are no descriptors for it, a connection is closed at once", async (t) => {
  let isShort = true;
  const server = await serve(t, { isShortOfDescriptors: () => isShort });
  const asked = `${ASKED}Connection: close\r\n\r\n`;
  assert.equal(await raw(server.port, asked), "");
  assert.equal(server.refused, 1);
  isShort = false;
  assert.match(await raw(server.port, asked), /^HTTP\/1.1 200/);
});

test("a request that comes in drips is ended", async (t) => {
  const { port } = await serve(t, { requestMs: 200 });
  assert.match(await raw(port, `${ASKED}X: `), /^(HTTP\/1.1 4|$)/);
});

test("who asks for much and reads none of it is let go", async (t) => {
  let gone: Promise<unknown> | undefined;
  const { port } = await serve(t, {
    handle(_url, _request, response) {
      gone = once(response, "close");
      return { status: 200, type: "text/plain", body: new Uint8Array(MUCH_BYTES) };
    },
    answerMs: 100,
  });
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(`${ASKED}\r\n`);
  await once(socket, "readable");
  await gone;
  assert.ok(socket.bytesRead < MUCH_BYTES);
});
