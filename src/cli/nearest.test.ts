import { test } from "node:test";
import assert from "node:assert/strict";
import { nearest } from "./nearest.ts";

const switches = ["interval", "port", "name", "records", "max-clients", "max-backlog", "clock"];

test("a misspelt word finds the one that was meant", () => {
  for (
    const [word, meant] of [
      ["intervall", "interval"],
      ["prot", "port"],
      ["Port", "port"],
      ["recrods", "records"],
      ["maxclients", "max-clients"],
      ["inter", "interval"],
      ["max-c", "max-clients"],
    ] as const
  ) {
    assert.equal(nearest(word, switches), meant, word);
  }
});

test("a word that is like none finds none, and a beginning of two finds neither", () => {
  assert.equal(nearest("colour", switches), undefined);
  assert.equal(nearest("max-", switches), undefined);
  assert.equal(nearest("", switches), undefined);
  assert.equal(nearest("x".repeat(100_000), switches), undefined);
});
