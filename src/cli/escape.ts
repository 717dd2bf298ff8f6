/**
 * Text that others chose (names of peers, addresses, bytes of strangers), made safe to print.
 */

/**
 * C0 and C1 controls, DEL, line and paragraph separators, and the marks that reverse the direction
 * of what follows: all that could forge a second line, or move a terminal's cursor.
 */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- these are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text with every unprintable character as `\uXXXX`, which is also how JSON writes it. */
export function escapeControls(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Whether the text holds a character that `escapeControls` would escape. */
export function hasControls(text: string): boolean {
  return text.search(UNPRINTABLE) >= 0;
}

/** The text between double quotes, escaped, and cut when it is too long for a message. */
export function quote(text: string): string {
  const characters = [...text];
  const shown = characters.length > 60 ? `${characters.slice(0, 57).join("")}...` : text;
  return `"${escapeControls(shown)}"`;
}
