/** Asking the services that tell a process about its place: they may be missing, or silent. */

/** The part of `fetch` that is used here. */
export type Fetch = (
  url: string,
  init: {
    method?: string;
    headers?: Record<string, string>;
    redirect: "error";
    signal: AbortSignal;
  },
) => Promise<{ ok: boolean; text(): Promise<string> }>;

/** Asks for a text; undefined for anything but a success in time. */
export type Ask = (
  url: string,
  init?: { method?: string; headers?: Record<string, string> },
) => Promise<string | undefined>;

/** Everything asked with it shares one signal. */
export function createAsk(fetch: Fetch, signal: AbortSignal): Ask {
  return async (url, init = {}) => {
    try {
      const response = await fetch(url, { ...init, redirect: "error", signal });
      const text = await response.text();
      return response.ok ? text : undefined;
    } catch {
      return undefined;
    }
  };
}
