/** Which side of a comparison a record is on. */

import type { HopSpec } from "./hop-values.ts";
import { matchesPattern } from "./key-pattern.ts";

export interface Side {
  side: 0 | 1;
  /** Places, with the compared one named by both patterns. */
  from: string;
  to: string;
  /** Where routes are not what is compared. */
  route?: string;
}

export type SideOf = (spec: HopSpec) => Side | undefined;

/** By the route's label. */
export function sidesByRoute(patterns: readonly [string, string]): SideOf {
  return ({ route, from, to }) => {
    const side = sideOf(patterns, route);
    return side === undefined ? undefined : { side, from, to };
  };
}

/** By the name of either end; that one is replaced by what it is compared to. */
export function sidesByName(patterns: readonly [string, string]): SideOf {
  const both = patterns.join(" | ");
  return ({ from, to, route }) => {
    const ofFrom = sideOf(patterns, from);
    if (ofFrom !== undefined) return { side: ofFrom, from: both, to, route };
    const ofTo = sideOf(patterns, to);
    return ofTo === undefined ? undefined : { side: ofTo, from, to: both, route };
  };
}

/** By where the record was read. */
export function sidesByInput(current: () => 0 | 1): SideOf {
  return ({ from, to, route }) => ({ side: current(), from, to, route });
}

function sideOf(patterns: readonly [string, string], text: string): 0 | 1 | undefined {
  if (matchesPattern(patterns[0], text)) return 0;
  return matchesPattern(patterns[1], text) ? 1 : undefined;
}
