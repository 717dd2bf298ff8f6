/** How much room a text takes on a terminal, and how to make it take less. */

const ZERO_WIDTH = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u;

/** East Asian Wide and Fullwidth (Unicode UAX #11), and emoji that are pictures by themselves. */
const DOUBLE_WIDTH = new RegExp(
  "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97c\\uac00-\\ud7a3\\uf900-\\ufaff" +
    "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18dff}" +
    "\\u{1aff0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}\\p{Emoji_Presentation}]",
  "u",
);

const ELLIPSIS = "…";

/** Columns that a printable text takes on a terminal. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (character <= "~") return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return DOUBLE_WIDTH.test(character) ? 2 : 1;
}

/** The longest beginning of `text` that takes at most `width` columns, marks kept with their base. */
export function cut(text: string, width: number): string {
  let used = 0;
  let kept = "";
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return kept;
}

/** The longest end of `text` that takes at most `width` columns and does not begin with a mark. */
function cutStart(text: string, width: number): string {
  const characters = Array.from(text);
  let used = 0;
  let kept = "";
  let pending = "";
  for (const character of characters.reverse()) {
    const own = characterWidth(character);
    pending = character + pending;
    if (own === 0) continue;
    used += own;
    if (used > width) break;
    kept = pending + kept;
    pending = "";
  }
  return kept;
}

/**
 * Shortens `text` to at most `width` columns: its middle becomes `…`, both ends stay, since names
 * of one run often share their beginning (`client-eu-…`) or their end (`…:8080`).
 */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 1) return cut(ELLIPSIS, width);
  const end = Math.floor((width - 1) / 2);
  return cut(text, width - 1 - end) + ELLIPSIS + cutStart(text, end);
}

/**
 * Shortens the longest of several names, and only as far as needed, until all of them together take
 * at most `width` columns.
 */
export function shortenEach(names: readonly string[], width: number): string[] {
  const widths = names.map(textWidth);
  let limit = Math.max(0, ...widths);
  const total = () => widths.reduce((sum, own) => sum + Math.min(own, limit), 0);
  while (limit > 1 && total() > width) limit--;
  return names.map((name) => shorten(name, limit));
}

/**
 * Breaks a text between words into lines of at most `width` columns, those after the first indented
 * by `hanging`. Longer words are shortened.
 */
export function wrap(text: string, width: number, hanging = 0): string[] {
  const margin = " ".repeat(hanging);
  const lines: string[] = [];
  let current = "";
  for (const whole of text.split(" ")) {
    const word = shorten(whole, width - hanging);
    const longer = current === "" ? word : `${current} ${word}`;
    if (current !== "" && textWidth(longer) > width) {
      lines.push(current);
      current = margin + word;
    } else {
      current = longer;
    }
  }
  lines.push(current);
  return lines;
}
