import { test } from "node:test";
import assert from "node:assert/strict";
import { helpText, wrap } from "./help.ts";
import { type AnyTable, eitherFlag, question, value } from "./option.ts";
import { optionsMarkdown } from "./options-markdown.ts";
import { oneOf, wholeNumber } from "./values.ts";

const table: AnyTable = {
  tool: "performance-server",
  prefix: "SERVER",
  about: "Serves.",
  groups: ["First", "Second"],
  options: {
    late: value(oneOf("a", "b"), { group: "Second", default: "a", help: "One of two." }),
    "max-clients": value(wholeNumber({ least: 1, most: 9 }), {
      group: "First",
      short: "m",
      default: "3",
      help: "A help that is long enough to need a second line beside its switch, or a third one.",
    }),
    echo: eitherFlag({ group: "First", defaultText: "on at night", help: "Echoes." }),
    help: question({ group: "Second", short: "h", help: "Shows this help." }),
  },
  examples: [{ says: "So:", command: "performance-server -m 4" }],
  notes: [{ title: "Note", text: "Mind this." }],
  finish: (config) => ({ value: { config, warnings: [] } }),
};

test("help shows usage, examples, options by group, then notes", () => {
  assert.equal(
    helpText(table, { colour: false }),
    `Usage: performance-server [OPTIONS]

Serves.

Examples:
  So:
    performance-server -m 4

First:
  -m, --max-clients N     A help that is long enough to need a second line
                          beside its switch, or a third one.
                          [default: 3; SERVER_MAX_CLIENTS]
      --[no-]echo         Echoes. [default: on at night; SERVER_ECHO]

Second:
      --late a|b          One of two. [default: a; SERVER_LATE]
  -h, --help              Shows this help.

Note:
  Mind this.
`,
  );
});

test("colour changes nothing but the colour", () => {
  const coloured = helpText(table, { colour: true });
  assert.ok(coloured.includes("\x1b[1mFirst:\x1b[22m"));
  assert.equal(
    coloured.replaceAll("\x1b[1m", "").replaceAll("\x1b[22m", ""),
    helpText(table, { colour: false }),
  );
});

test("lines break at spaces, and a word that is too long stands alone", () => {
  assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrap("a toolongword b", 5), ["a", "toolongword", "b"]);
});

test("the README's table has a row for each option, in the order of the groups", () => {
  assert.equal(
    optionsMarkdown(table),
    [
      "| | switch | variable | default | what it does |",
      "| --- | --- | --- | --- | --- |",
      "| First | `-m`, `--max-clients N` | `SERVER_MAX_CLIENTS` | `3` | A help that is long " +
      "enough to need a second line beside its switch, or a third one. |",
      "| | `--[no-]echo` | `SERVER_ECHO` | on at night | Echoes. |",
      "| Second | `--late a\\|b` | `SERVER_LATE` | `a` | One of two. |",
      "| | `-h`, `--help` | | | Shows this help. |",
      "",
    ].join("\n"),
  );
});
