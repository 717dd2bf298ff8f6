/** Which keys the reader has asked for, and how keys are called. */

import { keyNodes } from "../../metrics/keys.ts";
import type { KeyView } from "../../metrics/mesh-view.ts";
import type { Condition } from "./condition.ts";
import { type ShownKey, worstOf } from "./matrix.ts";
import type { Shown } from "./view.ts";

/** What of a path is shown under which choice. */
export function isShown({ hops, echo }: Pick<KeyView, "hops" | "echo">, shown: Shown): boolean {
  if (hops === 1) return shown === "hops";
  return shown === (echo ? "echoes" : "paths");
}

export type Matcher = (key: KeyView, condition: Condition) => boolean;

/** Reads a filter: words that must all be in names, route or state; `-word` must not. */
export function createMatcher(filter: string): Matcher {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word.length > 0);
  const wanted = words.filter((word) => !word.startsWith("-"));
  const unwanted = words.filter((word) => word.length > 1 && word.startsWith("-"))
    .map((word) => word.slice(1));
  if (words.length === 0) return () => true;
  return ({ key, route }, condition) => {
    const text = `${key} ${route} ${condition}`.toLowerCase();
    return wanted.every((word) => text.includes(word)) &&
      !unwanted.some((word) => text.includes(word));
  };
}

/**
 * Hops that messages of both kinds take over the same route: those of echoes beside those that go
 * on to others. Both are delayed alike, so pictures have the one that was measured more.
 *
 * @returns a choice of them, each with the worse condition of both
 */
export function withoutTwins(shown: readonly ShownKey[]): ShownKey[] {
  const chosen = new Map<string, ShownKey>();
  for (const each of shown) {
    const { key, route, hops, echo } = each.key.view;
    // Whole paths of both kinds are different ones.
    const id = JSON.stringify([key, route, hops > 1 && echo]);
    const twin = chosen.get(id);
    if (twin === undefined) {
      chosen.set(id, each);
      continue;
    }
    const more = (each.figures?.count ?? 0) > (twin.figures?.count ?? 0) ? each : twin;
    chosen.set(id, { ...more, condition: worstOf([each.condition, twin.condition]) });
  }
  return [...chosen.values()];
}

/** The names along the way, as a reader sees them. */
export function wayOf({ key }: Pick<KeyView, "key">): string {
  return keyNodes(key).join(" → ");
}
