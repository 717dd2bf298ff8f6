import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { optionsMarkdown } from "../cli/options-markdown.ts";
import { clientOptions } from "../client/options.ts";
import { serverOptions } from "../server/options.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

for (const [name, table] of [["client", clientOptions], ["server", serverOptions]] as const) {
  test(`the README lists the options of the ${name} as the program has them`, () => {
    const [begin, end] = [`<!-- options:${name} -->`, `<!-- /options:${name} -->`];
    const from = readme.indexOf(begin);
    const to = readme.indexOf(end);
    assert.ok(from >= 0 && to > from, `${begin} … ${end} is missing`);
    assert.equal(readme.slice(from + begin.length, to).trim(), optionsMarkdown(table).trim());
  });
}
