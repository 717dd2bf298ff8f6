import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asked, createGuard, isLoopback, TOKEN_COOKIE } from "./guard.ts";

const TOKEN = "a-token-of-some-length";
const asked = (more: Partial<Asked> = {}): Asked => ({
  method: "GET",
  host: "127.0.0.1:8081",
  authorization: undefined,
  cookie: undefined,
  site: undefined,
  isHealth: false,
  ...more,
});
const status = (host: string, token: string | undefined, more: Partial<Asked> = {}) => {
  const verdict = createGuard(host, token).judge(asked(more));
  return verdict.allowed ? 200 : verdict.status;
};

test("on loopback without a token, whoever names this machine is answered", () => {
  for (const host of ["127.0.0.1:8081", "localhost:8081", "localhost", "[::1]:8081", "127.1.2.3"]) {
    assert.equal(status("127.0.0.1", undefined, { host }), 200, host);
  }
});

test("a foreign name that was made to lead to loopback is refused, with a token as well", () => {
  for (
    const host of [
      "evil.example:8081",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
      "",
    ]
  ) {
    assert.equal(status("127.0.0.1", undefined, { host }), 403, host);
    assert.equal(status("127.0.0.1", TOKEN, { host, authorization: `Bearer ${TOKEN}` }), 403, host);
  }
  assert.equal(status("127.0.0.1", undefined, { host: undefined }), 400);
});

test("with a token only its bearer is answered", () => {
  const own = { host: "relay.example:8081" };
  assert.equal(status("0.0.0.0", TOKEN, own), 401);
  assert.equal(status("0.0.0.0", TOKEN, { ...own, authorization: `Bearer ${TOKEN}` }), 200);
  for (const authorization of [`Bearer ${TOKEN}x`, "Bearer ", `Basic ${TOKEN}`, TOKEN, "Bearer"]) {
    assert.equal(status("0.0.0.0", TOKEN, { ...own, authorization }), 401, authorization);
  }
});

test("the cookie stands for the token, but not on behalf of another site", () => {
  const cookie = `other=1; ${TOKEN_COOKIE}=${encodeURIComponent(TOKEN)}`;
  const own = { host: "relay.example", cookie };
  assert.equal(status("0.0.0.0", TOKEN, own), 200);
  assert.equal(status("0.0.0.0", TOKEN, { ...own, site: "same-origin" }), 200);
  for (const site of ["cross-site", "same-site"]) {
    assert.equal(status("0.0.0.0", TOKEN, { ...own, site }), 401, site);
  }
  assert.equal(status("0.0.0.0", TOKEN, { ...own, cookie: `${TOKEN_COOKIE}=%E0%A4%A` }), 401);
});

test("health is for everyone, and nothing is for writing", () => {
  assert.equal(status("0.0.0.0", TOKEN, { isHealth: true, host: "balancer" }), 200);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", undefined]) {
    assert.equal(status("127.0.0.1", undefined, { method }), 405, method);
  }
  assert.equal(status("127.0.0.1", undefined, { method: "HEAD" }), 200);
});

test("loopback is what only this machine can reach", () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]) {
    assert.ok(isLoopback(host), host);
  }
  for (
    const host of ["0.0.0.0", "::", "10.0.0.1", "relay.example", "127.example", "::ffff:10.0.0.1"]
  ) {
    assert.ok(!isLoopback(host), host);
  }
});
