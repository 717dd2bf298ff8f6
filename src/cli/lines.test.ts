import assert from "node:assert/strict";
import { test } from "node:test";
import { type Line, renderLine, renderLines, sentence } from "./lines.ts";

const spans: Line = [{ text: "lost" }, { text: "  12", tone: "red" }, { text: "  " }];

test("tones are colours where they are wanted, and nothing elsewhere", () => {
  assert.equal(renderLine(spans, { width: 80, colour: true }), "lost\x1b[31m  12\x1b[0m");
  assert.equal(renderLine(spans, { width: 80, colour: false }), "lost  12");
});

test("no line is wider than asked for, its colours not counted", () => {
  assert.equal(renderLine(spans, { width: 7, colour: true }), "lost\x1b[31m  1\x1b[0m");
  assert.equal(renderLine([{ text: "東京" }, { text: "x" }], { width: 3, colour: false }), "東x");
});

test("sentences are wrapped and hang by two", () => {
  assert.equal(
    renderLines(sentence("one two three four", 10, 2), { width: 10, colour: false }),
    "  one two\n    three\n    four\n",
  );
});
