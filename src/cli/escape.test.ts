import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeControls, hasControls, quote } from "./escape.ts";

test("what could move a cursor, forge a line or turn the text around is written out", () => {
  assert.equal(
    escapeControls("a\x1b[2Jb\nc\r\x7f\x9b"),
    "a\\u001b[2Jb\\u000ac\\u000d\\u007f\\u009b",
  );
  assert.equal(escapeControls("a\u202eb\u2028"), "a\\u202eb\\u2028");
});

test("text of any script stays as it is", () => {
  assert.equal(escapeControls("Zürich 東京 🛰"), "Zürich 東京 🛰");
  assert.equal(hasControls("Zürich 東京 🛰"), false);
});

test("escaped text has nothing left to escape", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => !hasControls(escapeControls(text))),
  );
});

test("hasControls answers alike however often it is asked", () => {
  assert.deepEqual([1, 2, 3].map(() => hasControls("a\n")), [true, true, true]);
});

test("a quotation in a message stays short", () => {
  assert.equal(quote("short"), '"short"');
  assert.equal(quote("x".repeat(1000)), `"${"x".repeat(57)}..."`);
});
