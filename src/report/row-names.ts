/** How rows are called on a terminal. */

import { namesOf } from "../cli/key-table.ts";
import type { Row } from "./rows.ts";

/** `a → b → a (echo) · direct`; the route only where there are several. */
export function rowName({ key, route, echo }: Row, hasRoutes: boolean): string {
  const names = namesOf(key).join(" → ");
  return `${names}${echo ? " (echo)" : ""}${hasRoutes && route !== key ? ` · ${route}` : ""}`;
}

/** Whether rows are of more than one route. */
export function haveRoutes(rows: readonly Row[]): boolean {
  return new Set(rows.map(({ route }) => route)).size > 1;
}
