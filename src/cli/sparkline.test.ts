import assert from "node:assert/strict";
import { test } from "node:test";
import { sparkline } from "./sparkline.ts";

test("a line of blocks leaves a gap where nothing was, and does not exaggerate", () => {
  assert.equal(sparkline([1, 2, 3, 4, 5, 6, 7, 8]), "▁▂▃▄▅▆▇█");
  assert.equal(sparkline([1, null, 8]), "▁ █");
  assert.equal(sparkline([100, 101, 100]), "▁▂▁");
  assert.equal(sparkline([0, 0]), "▁▁");
});
