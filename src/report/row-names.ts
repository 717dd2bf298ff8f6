/** How rows are called on a terminal. */

import { namesOf } from "../cli/key-table.ts";
import type { Row } from "./rows.ts";

/**
 * `a → b → a (echo) · direct`; the route only where there are several. Of a group (`--by`) whether
 * it is of paths: those of its hops have the same name.
 */
export function rowName({ key, route, echo, hops }: Row, hasRoutes: boolean): string {
  const names = namesOf(key);
  const kinds = [
    ...(names.length === 1 && hops > 1 ? [`${hops} hops`] : []),
    ...(echo ? ["echo"] : []),
  ];
  const kind = kinds.length > 0 ? ` (${kinds.join(", ")})` : "";
  return `${names.join(" → ")}${kind}${hasRoutes && route !== key ? ` · ${route}` : ""}`;
}

/** Whether rows are of more than one route. */
export function haveRoutes(rows: readonly Row[]): boolean {
  return new Set(rows.map(({ route }) => route)).size > 1;
}
