import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable, printableStrings } from "./printable.ts";

test("names as people write them stay as they are", () => {
  for (const name of ["client-eu-west-1", "Zürich", "東京-1", "e\u0301", "naïve 🚀", "a → b", ""]) {
    assert.equal(printable(name), name);
  }
});

test("terminal controls are shown as escapes instead of being obeyed", () => {
  assert.equal(printable("a\x1b[2Jb"), "a\\u001b[2Jb");
  assert.equal(printable("a\r\nb\tc\x7f\x9b"), "a\\u000d\\u000ab\\u0009c\\u007f\\u009b");
  assert.equal(printable("a\u2028b\u2029"), "a\\u2028b\\u2029");
});

test("bidi controls and invisible characters are shown as escapes", () => {
  assert.equal(printable("a\u202eb\u2066c\u200f\u061c"), "a\\u202eb\\u2066c\\u200f\\u061c");
  assert.equal(
    printable("a\u200bb\ufeff\u3164\u{e0041}"),
    "a\\u200bb\\ufeff\\u3164\\u{e0041}",
  );
  assert.equal(printable("a\ud800b"), "a\\ud800b");
});

test("what has been made printable stays the same when it is made printable again", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const once = printable(text);
    assert.equal(printable(once), once);
  }));
});

test("every string of a summary is made printable, numbers and absent fields are kept", () => {
  const data = {
    name: "a\x07",
    list: [{ key: "\u202eb" }, 1.5, null],
    absent: undefined,
    on: true,
  };
  assert.deepEqual(printableStrings(data), {
    name: "a\\u0007",
    list: [{ key: "\\u202eb" }, 1.5, null],
    absent: undefined,
    on: true,
  });
});
