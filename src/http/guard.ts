/**
 * Who may ask what: pure rules over a request's headers.
 *
 * - Beyond loopback a token is needed, or the operator's word that none is (`--http-open`).
 * - On loopback without a token, the Host header must name loopback: a page of somebody else, whose
 *   name was made to lead here (DNS rebinding), gives itself away by that header.
 * - No answer ever allows other origins to read it.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";

/** The cookie that holds the token once the page's address has given it. */
export const TOKEN_COOKIE = "performance_token";

export type Verdict =
  | { allowed: true }
  /** `status` and why, for people. */
  | { allowed: false; status: 400 | 401 | 403 | 405; why: string };

export interface Asked {
  method: string | undefined;
  host: string | undefined;
  authorization: string | undefined;
  cookie: string | undefined;
  /** `Sec-Fetch-Site`, which browsers send. */
  site: string | undefined;
  /** Health is for everyone. */
  isHealth: boolean;
}

export interface Guard {
  judge(asked: Asked): Verdict;
  /** Whether a text is the token. */
  isToken(text: string): boolean;
}

/** Whether only this machine can reach an address to listen on. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127.")) ||
    /^::ffff:127\./.test(bare);
}

/** @param host that the program listens on; @param token undefined: none is asked for */
export function createGuard(host: string, token: string | undefined): Guard {
  const expected = token === undefined ? undefined : digest(token);
  const mustNameLoopback = isLoopback(host);

  const isToken = (text: string): boolean =>
    // Of equal length whatever the text is, so that the time tells nothing.
    expected !== undefined && timingSafeEqual(digest(text), expected);

  return {
    isToken,
    judge({ method, host: named, authorization, cookie, site, isHealth }) {
      if (method !== "GET" && method !== "HEAD") {
        return { allowed: false, status: 405, why: "only GET and HEAD" };
      }
      if (named === undefined) return { allowed: false, status: 400, why: "no Host" };
      if (isHealth) return { allowed: true };
      if (mustNameLoopback && !isLoopback(hostOf(named))) {
        return { allowed: false, status: 403, why: "the Host header does not name this machine" };
      }
      if (expected === undefined) return { allowed: true };
      const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
      if (bearer !== undefined && isToken(bearer)) return { allowed: true };
      // The cookie is Strict; a browser that ignores that still says where a request comes from.
      const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
      const fromCookie = isForeign ? undefined : cookieOf(cookie);
      if (fromCookie !== undefined && isToken(fromCookie)) return { allowed: true };
      return { allowed: false, status: 401, why: "a token is needed" };
    },
  };
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/** The name in a Host header, without its port. */
function hostOf(header: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(header);
  return bracketed?.[1] ?? header.replace(/:\d*$/, "");
}

function cookieOf(header: string | undefined): string | undefined {
  for (const part of (header ?? "").split(";")) {
    const [name, ...value] = part.trim().split("=");
    if (name === TOKEN_COOKIE) return decode(value.join("="));
  }
  return undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
