/**
 * How many files and sockets this process may have open. Neither Node nor Deno tell when there are
 * none left: the one closes whoever comes, the other never listens again (2.9), and files cannot be
 * opened. So the last ones are kept for files, and the server knows why it takes nobody.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Kept for what is no client: files of records, names that are looked up, the HTTP service. */
const RESERVE = 16;
/**
 * Of them, those that the HTTP service does not get either: few enough that it can be asked while the
 * relay tells some whom it turns away why.
 */
const FILES_SHARE = 0.25;
/** Deno takes all that wait in the system's queue (511) before any of them can be closed. */
const RESERVE_ON_DENO = 640;
/**
 * Counting takes longer the more there are: it comes no sooner again than this, for each of them.
 * A few per cent of the time at most; where few are open, connections that come and go in no time
 * are not taken for many that stay.
 */
const SOONEST_MS = 0.02;
/** Connections may have gone, other things have come: what was counted is believed so long. */
const LATEST_MS = 1_000;

export interface Descriptors {
  /** Clients that there is room for by now. */
  readonly room: number;
  /** Whether there is none left for one more client, which is counted where there is. */
  isShort(): boolean;
  /** The same for a connection of the HTTP service. */
  isShortForHttp(): boolean;
}

export interface DescriptorSources {
  limit: number;
  /** Of them, those that no client gets. */
  reserve: number;
  /** Those that are open now; throws where there is none left to find out. */
  countOpen: () => number;
  nowMs: () => number;
}

export function createDescriptors(
  { limit, reserve, countOpen, nowMs }: DescriptorSources,
): Descriptors {
  let open = 0;
  /** Those that there were when they were counted. */
  let counted = 0;
  let countedMs = -Infinity;

  const count = (): void => {
    countedMs = nowMs();
    try {
      open = countOpen();
    } catch {
      open = limit;
    }
    counted = open;
  };
  count();

  const isShortOf = (most: number): boolean => {
    if (open * 2 >= most) {
      const ageMs = nowMs() - countedMs;
      if (ageMs >= LATEST_MS || (open >= most && ageMs >= SOONEST_MS * counted)) count();
    }
    if (open >= most) return true;
    open++;
    return false;
  };

  return {
    get room() {
      return Math.max(0, limit - reserve - open);
    },
    isShort: () => isShortOf(limit - reserve),
    isShortForHttp: () => isShortOf(limit - reserve * FILES_SHARE),
  };
}

/**
 * Those of this process; undefined where the system does not say, or sets no limit. Warns where
 * they do not suffice for `connections`.
 */
export function findDescriptors(
  connections: number,
  warn: (message: string) => void,
): Descriptors | undefined {
  let limit: number | undefined;
  try {
    limit = descriptorLimit(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    // Only Linux has it.
  }
  if (limit === undefined) return undefined;
  const countOpen = (): number => readdirSync("/proc/self/fd").length;
  const wanted = "Deno" in globalThis ? RESERVE_ON_DENO : RESERVE;
  const reserve = Math.min(wanted, Math.floor(limit / 2));
  const nowMs = (): number => performance.now();
  const descriptors = createDescriptors({ limit, reserve, countOpen, nowMs });
  const { room } = descriptors;
  if (room < connections) {
    warn(`there is room for ${room} clients: this process may have ${limit} files (ulimit -n)`);
  }
  return descriptors;
}

/** What `/proc/self/limits` says of open files; undefined: as many as one likes. */
export function descriptorLimit(limits: string): number | undefined {
  const found = /^Max open files\s+(\d+)/m.exec(limits);
  return found ? Number(found[1]) : undefined;
}
