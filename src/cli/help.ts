/** The help text of a program, from its table of options; at most 80 columns wide. */

import { type AnyTable, callOf, type Option, type Options, variableOf } from "./option.ts";

const WIDTH = 80;
/** Where the text of an option begins. */
const TEXT_COLUMN = 26;

/** The whole help; `colour`: with bold headings and switches. */
export function helpText(table: AnyTable, { colour }: { colour: boolean }): string {
  const bold = (text: string) => colour ? `\x1b[1m${text}\x1b[22m` : text;
  const operands = table.operands === undefined ? "" : ` ${table.operands}`;
  const lines = [
    `${bold("Usage:")} ${callOf(table)} [OPTIONS]${operands}`,
    "",
    ...wrap(table.about, WIDTH),
    "",
    bold("Examples:"),
  ];
  for (const { says, command } of table.examples) {
    lines.push(`  ${says}`, ...command.split("\n").map((line) => bold(`    ${line}`)));
  }
  for (const group of table.groups) {
    lines.push("", bold(`${group}:`));
    for (const [name, option] of Object.entries(table.options as Options)) {
      if (option.group === group) lines.push(...optionLines(table, name, option, bold));
    }
  }
  for (const { title, text } of table.notes) {
    lines.push("", bold(`${title}:`), ...wrap(text, WIDTH - 2).map((line) => `  ${line}`));
  }
  return `${lines.join("\n")}\n`;
}

function optionLines(
  table: AnyTable,
  name: string,
  option: Option<unknown>,
  bold: (text: string) => string,
): string[] {
  const written = spelling(name, option);
  const texts = wrap(option.help, WIDTH - TEXT_COLUMN);
  const variable = variableOf(table, name);
  const facts = [
    ...(shownDefault(option) === undefined ? [] : [`default: ${shownDefault(option)}`]),
    ...(variable === undefined ? [] : [variable]),
  ];
  if (facts.length > 0) {
    const shown = `[${facts.join("; ")}]`;
    const last = texts.at(-1) ?? "";
    if (last.length + 1 + shown.length <= WIDTH - TEXT_COLUMN) {
      texts.splice(-1, 1, `${last} ${shown}`);
    } else texts.push(...wrap(shown, WIDTH - TEXT_COLUMN));
  }
  const head = `  ${option.short === undefined ? "    " : `-${option.short}, `}${written}`;
  const indent = " ".repeat(TEXT_COLUMN);
  const rest = texts.map((line) => `${indent}${line}`);
  // Two spaces at least between a switch and its text, or the text begins a line below.
  if (head.length > TEXT_COLUMN - 2) return [bold(head), ...rest];
  const [first = "", ...others] = rest;
  return [`${bold(head)}${first.slice(head.length)}`, ...others];
}

/** `--port PORT`, `--[no-]echo`, `--verbose`. */
export function spelling(name: string, option: Option<unknown>): string {
  if (option.kind === "value") return `--${name} ${option.placeholder}`;
  return option.negatable ? `--[no-]${name}` : `--${name}`;
}

/** The default as help and README show it, where there is one. */
export function shownDefault(option: Option<unknown>): string | undefined {
  return option.defaultText === "" ? undefined : option.defaultText;
}

/** Lines of at most `width` characters, broken at spaces; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
