/** How names are put in order. */

/** Names in their natural order: `client-2` before `client-10`. */
export const byName = new Intl.Collator("en", { numeric: true }).compare;
