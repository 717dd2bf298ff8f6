/**
 * Characters that a terminal obeys instead of showing (C0, C1, line separators), that show nothing
 * or reorder their neighbours (format and bidi controls, fillers, variation selectors, tags), and
 * halves of surrogate pairs.
 */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Makes a text of another's making safe to print on one line of a terminal: what cannot be seen is
 * written as its escape (`\u001b`, `\u{e0041}`), all else stays as it is.
 */
export function printable(text: string): string {
  return text.replace(UNSHOWABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`;
  });
}

/**
 * A copy of plain data whose strings are all `printable`. Applied to a whole summary before
 * anything is drawn, so that no table can forget a name.
 */
export function printableStrings<Data>(data: Data): Data {
  return copy(data) as Data;
}

function copy(data: unknown): unknown {
  if (typeof data === "string") return printable(data);
  if (Array.isArray(data)) return data.map(copy);
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, copy(value)]),
  );
}
