import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable } from "./printable.ts";
import { cut, shorten, shortenEach, textWidth, wrap } from "./text-width.ts";

test("wide characters take two columns and combining marks none", () => {
  assert.equal(textWidth("client-a"), 8);
  assert.equal(textWidth("東京"), 4);
  assert.equal(textWidth("ｶﾅ"), 2);
  assert.equal(textWidth("e\u0301t\u0301"), 2);
  assert.equal(textWidth("🚀→±…"), 5);
  assert.equal(textWidth("\u1112\u1161\u11ab"), 2, "a Hangul syllable of three jamo");
});

test("shortening cuts the middle and keeps both ends", () => {
  assert.equal(shorten("client-eu-central-1", 19), "client-eu-central-1");
  assert.equal(shorten("client-eu-central-1", 12), "client…ral-1");
  assert.equal(shorten("東京東京", 6), "東…京");
  assert.equal(shorten("abc", 2), "a…");
  assert.equal(shorten("abc", 1), "…");
  assert.equal(shorten("abc", 0), "");
});

test("a mark is never parted from its letter", () => {
  assert.equal(cut("ae\u0301b", 2), "ae\u0301");
  assert.equal(shorten("abcde\u0301", 3), "a…e\u0301");
  assert.equal(shorten("abe\u0301\u0301f", 3), "a…f");
});

test("of several names the longest are shortened first, as little as needed", () => {
  assert.deepEqual(shortenEach(["a", "server", "client-eu-central-1"], 20), [
    "a",
    "server",
    "client…tral-1",
  ]);
  assert.deepEqual(shortenEach(["aaaaaaaa", "bbbbbbbb"], 10), ["aa…aa", "bb…bb"]);
  assert.deepEqual(shortenEach(["a", "b"], 10), ["a", "b"]);
});

test("wrapping breaks between words", () => {
  assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrap("a verylongword b", 6), ["a", "ver…rd", "b"]);
  assert.deepEqual(wrap("", 6), [""]);
  assert.deepEqual(wrap("one two three", 7, 2), ["one two", "  three"]);
});

test("no text is wider than what it was shortened or wrapped to", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(30), (raw, width) => {
    const text = printable(raw);
    assert.ok(textWidth(shorten(text, width)) <= width);
    assert.ok(textWidth(cut(text, width)) <= width);
    for (const line of wrap(text, width + 2, 2)) assert.ok(textWidth(line) <= width + 2);
  }));
});
