/** The README's table of options, from the same declarations as parser and help. */

import { shownDefault, spelling } from "./help.ts";
import { type AnyTable, type Options, variableOf } from "./option.ts";

/** A Markdown table of all options, ordered by group. Ends with a newline. */
export function optionsMarkdown(table: AnyTable): string {
  const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;
  const rows = [
    "| | switch | variable | default | what it does |",
    "| --- | --- | --- | --- | --- |",
  ];
  for (const group of table.groups) {
    let heading = group;
    for (const [name, option] of Object.entries(table.options as Options)) {
      if (option.group !== group) continue;
      const short = option.short === undefined ? "" : `${code(`-${option.short}`)}, `;
      const variable = variableOf(table, name);
      const initial = shownDefault(option);
      // A default in words is prose; one that a user could write is code.
      const isWords = option.negatable === true;
      const cells = [
        heading,
        `${short}${code(spelling(name, option))}`,
        variable === undefined ? "" : code(variable),
        initial === undefined ? "" : isWords ? initial : code(initial),
        option.help.replaceAll("|", "\\|"),
      ];
      rows.push(`|${cells.map((cell) => cell === "" ? " " : ` ${cell} `).join("|")}|`);
      heading = "";
    }
  }
  return `${rows.join("\n")}\n`;
}
