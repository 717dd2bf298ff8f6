/**
 * What each client may send; and where the connections of an address are limited, what all that come
 * from there may, one after another too. An address has as many rates as it may have connections,
 * so that whoever comes back finds what was used up before, until it has filled again.
 */
import { createRateLimit, type RateLimit, type RateLimits } from "./rate-limit.ts";

/** Rates that are kept of addresses where nobody is: the latest. */
const MAX_KEPT = 10_000;

export interface Allowances {
  /** A client of `source` begins to send. */
  take(source: string, nowUs: number): RateLimit;
  /** It sends no more. */
  release(source: string, rate: RateLimit): void;
}

interface Source {
  taken: number;
  /** Those that nobody has at the moment. */
  readonly kept: RateLimit[];
}

/** @param perSource connections of an address; Infinity: each begins anew */
export function createAllowances(
  limits: RateLimits,
  perSource: number,
  maxKept = MAX_KEPT,
): Allowances {
  const sources = new Map<string, Source>();
  /** Those where nobody is, the longest first. */
  const absent = new Set<string>();
  let keptOfAbsent = 0;

  const comes = (name: string): Source => {
    const source = sources.get(name) ?? { taken: 0, kept: [] };
    sources.set(name, source);
    if (absent.delete(name)) keptOfAbsent -= source.kept.length;
    return source;
  };

  const goes = (name: string, { kept }: Source): void => {
    absent.add(name);
    keptOfAbsent += kept.length;
    for (const longest of absent) {
      if (keptOfAbsent <= maxKept) return;
      keptOfAbsent -= sources.get(longest)!.kept.length;
      absent.delete(longest);
      sources.delete(longest);
    }
  };

  return {
    take(name, nowUs) {
      if (perSource === Infinity) return createRateLimit(limits, nowUs);
      const source = comes(name);
      const { kept } = source;
      source.taken++;
      const filled = kept.map((rate) => rate.filled(nowUs));
      const most = Math.max(...filled);
      const isNew = source.taken + kept.length <= perSource && !(most >= 1);
      return isNew ? createRateLimit(limits, nowUs) : kept.splice(filled.indexOf(most), 1)[0]!;
    },
    release(name, rate) {
      const source = sources.get(name);
      if (source === undefined) return;
      source.kept.push(rate);
      source.taken--;
      if (source.taken === 0) goes(name, source);
    },
  };
}
