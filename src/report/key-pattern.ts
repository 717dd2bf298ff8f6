/** Patterns of names: `*` is any text, `?` any one character; all else is itself. */

/**
 * Whether a text is what a pattern says, from its beginning to its end. Takes time in proportion to
 * both lengths, whatever the pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern);
  const given = Array.from(text);
  let at = 0;
  let next = 0;
  /** Where the last star stood, and up to where it has swallowed text. */
  let star = -1;
  let swallowed = 0;
  while (next < given.length) {
    if (at < wanted.length && wanted[at] === "*") {
      star = at++;
      swallowed = next;
    } else if (at < wanted.length && (wanted[at] === "?" || wanted[at] === given[next])) {
      at++;
      next++;
    } else if (star >= 0) {
      at = star + 1;
      next = ++swallowed;
    } else return false;
  }
  while (wanted[at] === "*") at++;
  return at === wanted.length;
}

/** Whether a key is asked for: by a pattern of the whole of it, or by a part of it. */
export function wantsKey(pattern: string | undefined): (key: string) => boolean {
  if (pattern === undefined) return () => true;
  const isPattern = /[*?]/.test(pattern);
  return (key) => isPattern ? matchesPattern(pattern, key) : key.includes(pattern);
}
