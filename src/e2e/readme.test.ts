// The README's tables are the programs' own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { optionsMarkdown } from "../cli/options-markdown.ts";
import { clientOptions } from "../client/options.ts";
import { reportOptions } from "../report/options.ts";
import { serverOptions } from "../server/options.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

/** The formatter pads the cells of a table. */
const unpadded = (markdown: string): string =>
  markdown.trim().replace(/ *\| */g, "|").replace(/-{3,}/g, "---");

const tables = [
  ["client", clientOptions],
  ["server", serverOptions],
  ["report", reportOptions],
] as const;

for (const [name, table] of tables) {
  test(`the README lists the options of the ${name} as the program has them`, () => {
    const [begin, end] = [`<!-- options:${name} -->`, `<!-- /options:${name} -->`];
    const from = readme.indexOf(begin);
    const to = readme.indexOf(end);
    assert.ok(from >= 0 && to > from, `${begin} … ${end} is missing`);
    const section = readme.slice(from + begin.length, to);
    assert.equal(unpadded(section), unpadded(optionsMarkdown(table)));
  });
}
