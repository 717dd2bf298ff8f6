import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { licenses } from "./licenses.ts";
import { commit, version } from "./version.ts";

test("the sources know their version without a build, and say that there was none", () => {
  const manifest = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  assert.equal(version, manifest.version);
  assert.equal(commit, "run from source");
  assert.match(licenses(), /built executables carry the licences/);
});
