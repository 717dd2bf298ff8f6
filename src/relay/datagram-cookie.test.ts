import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { createCookies } from "./datagram-cookie.ts";

const mac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(data).digest();
const here = { address: "192.0.2.1", port: 50_000 };
const nonce = new Uint8Array(16).fill(7);
const SECOND = 1_000_000;

function createTest() {
  let atUs = 1_000 * SECOND;
  let drawn = 0;
  const cookies = createCookies({
    mac,
    randomBytes: (count) => new Uint8Array(count).fill(++drawn),
    nowUs: () => atUs,
  });
  return { cookies, pass: (seconds: number) => atUs += seconds * SECOND };
}

test("a cookie holds for whom it was given to, for ten seconds", () => {
  const { cookies, pass } = createTest();
  const cookie = cookies.give(here, nonce);
  assert.ok(cookies.holds(cookie, here, nonce));
  assert.ok(!cookies.holds(cookie, { ...here, port: 50_001 }, nonce));
  assert.ok(!cookies.holds(cookie, { ...here, address: "192.0.2.2" }, nonce));
  assert.ok(!cookies.holds(cookie, here, nonce.with(15, 8)));
  pass(10);
  assert.ok(cookies.holds(cookie, here, nonce));
  pass(0.1);
  assert.ok(!cookies.holds(cookie, here, nonce));
});

test("no byte of a cookie can be another, its time included", () => {
  const { cookies } = createTest();
  const cookie = cookies.give(here, nonce);
  for (let at = 0; at < cookie.byteLength; at++) {
    assert.ok(!cookies.holds(cookie.with(at, cookie[at]! ^ 1), here, nonce), `byte ${at}`);
  }
});

test("a cookie outlives the secret that it was given under, but not the next one", () => {
  const { cookies, pass } = createTest();
  pass(55);
  const cookie = cookies.give(here, nonce);
  pass(8);
  // Another secret since.
  cookies.give(here, nonce);
  assert.ok(cookies.holds(cookie, here, nonce));
});

test("a cookie of another server holds nothing", () => {
  const one = createTest();
  const cookie = one.cookies.give(here, nonce);
  const stranger = createCookies({
    mac,
    randomBytes: (count) => new Uint8Array(count).fill(99),
    nowUs: () => 1_000 * SECOND,
  });
  assert.ok(!stranger.holds(cookie, here, nonce));
});
