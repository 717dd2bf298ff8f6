/**
 * Cookies: a server's proof to itself that somebody receives at the address that he sends from,
 * for which it keeps nothing but its own secret.
 *
 *     | given at (f64, µs since 2020) | HMAC-SHA-256, its first 16 bytes |
 *
 * The HMAC is over: given at, nonce, port (u16), address (as text). A cookie holds for 10 s, for
 * the address, port and nonce that asked for it, and under the secret of its time or the one before.
 */
import { COOKIE_BYTES, type Endpoint, NONCE_BYTES } from "./datagram.ts";
import { areEqual } from "./proof.ts";
import type { NowUs } from "./time.ts";

/** HMAC-SHA-256. */
export type Mac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

/** A cookie is good for so long: several attempts over the longest ways. */
export const COOKIE_LIFE_US = 10_000_000;
const SECRET_LIFE_US = 60_000_000;
const SECRET_BYTES = 32;
const GIVEN_BYTES = 8;

const utf8 = new TextEncoder();

export interface Cookies {
  give(to: Endpoint, nonce: Uint8Array): Uint8Array;
  holds(cookie: Uint8Array, from: Endpoint, nonce: Uint8Array): boolean;
}

export function createCookies(
  { mac, randomBytes, nowUs }: {
    mac: Mac;
    randomBytes: (count: number) => Uint8Array;
    nowUs: NowUs;
  },
): Cookies {
  let secret = randomBytes(SECRET_BYTES);
  let before = secret;
  let changeUs = nowUs() + SECRET_LIFE_US;

  const rotate = (atUs: number): void => {
    if (atUs < changeUs) return;
    before = secret;
    secret = randomBytes(SECRET_BYTES);
    changeUs = atUs + SECRET_LIFE_US;
  };

  const write = (key: Uint8Array, givenUs: number, to: Endpoint, nonce: Uint8Array) => {
    const host = utf8.encode(to.address);
    const data = new Uint8Array(GIVEN_BYTES + NONCE_BYTES + 2 + host.byteLength);
    const view = new DataView(data.buffer);
    view.setFloat64(0, givenUs, true);
    data.set(nonce, GIVEN_BYTES);
    view.setUint16(GIVEN_BYTES + NONCE_BYTES, to.port, true);
    data.set(host, GIVEN_BYTES + NONCE_BYTES + 2);
    const cookie = new Uint8Array(COOKIE_BYTES);
    cookie.set(data.subarray(0, GIVEN_BYTES));
    cookie.set(mac(key, data).subarray(0, COOKIE_BYTES - GIVEN_BYTES), GIVEN_BYTES);
    return cookie;
  };

  return {
    give(to, nonce) {
      const atUs = nowUs();
      rotate(atUs);
      return write(secret, atUs, to, nonce);
    },
    holds(cookie, from, nonce) {
      const atUs = nowUs();
      rotate(atUs);
      const view = new DataView(cookie.buffer, cookie.byteOffset, cookie.byteLength);
      const givenUs = view.getFloat64(0, true);
      const isTimely = givenUs <= atUs && atUs - givenUs <= COOKIE_LIFE_US;
      if (!isTimely) return false;
      return areEqual(write(secret, givenUs, from, nonce), cookie) ||
        areEqual(write(before, givenUs, from, nonce), cookie);
    },
  };
}
