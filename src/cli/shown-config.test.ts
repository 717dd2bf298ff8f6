import assert from "node:assert/strict";
import { test } from "node:test";
import { hideFilter } from "./shown-config.ts";

test("of the filter's text nothing is told but its length", () => {
  assert.deepEqual(hideFilter({ filter: "wörd", port: 1 }), { filter: "5 bytes", port: 1 });
});

test("where there is no filter, the configuration is told as it is", () => {
  for (const config of [{ filter: "", port: 1 }, { port: 1 }]) {
    assert.deepEqual(hideFilter(config), config);
  }
});
