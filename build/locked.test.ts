import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAudit, lockFaults } from "./locked.ts";

const locked = { version: "1.0.0", integrity: "sha512-abc", license: "MIT" };

test("exact versions with their integrity, under licences on the list, are as they should be", () => {
  const manifest = {
    dependencies: { "@std/cli": "file:src/std-cli", a: "1.0.0" },
    devDependencies: { b: "1.0.0-alpha.6" },
  };
  const packages = {
    "": { version: "1.0.0" },
    "node_modules/@std/cli": { resolved: "src/std-cli", link: true },
    "src/std-cli": { version: "1.0.0" },
    "node_modules/a": locked,
    "node_modules/b": { ...locked, license: "MPL-2.0", dev: true },
  };
  assert.deepEqual(lockFaults(manifest, { packages }), []);
});

test("ranges, missing integrity, places of download and other licences are told", () => {
  const ranges = { a: "^1.0.0", b: "latest", c: "git+ssh://host/c" };
  const packages = {
    "node_modules/a": { version: "1.0.0", license: "MIT" },
    "node_modules/b": { ...locked, integrity: "sha1-abc" },
    "node_modules/c": { ...locked, resolved: "https://host/c.tgz" },
    "node_modules/d": { ...locked, license: "GPL-3.0-only" },
    "node_modules/e": { version: "1.0.0", integrity: "sha512-abc" },
  };
  const faults = lockFaults({ optionalDependencies: ranges }, { packages });
  assert.deepEqual(faults.map((fault) => fault.replace(/:.*/, "")), [
    ...["a", "b", "c"],
    ...["a", "b", "c", "d", "e"].map((name) => `node_modules/${name}`),
  ]);
});

test("an audit passes without advisories, fails with any, and is skipped without an answer", () => {
  const advisory = { a: { name: "a", severity: "low", range: "<2" } };
  assert.equal(judgeAudit("audit", '{"vulnerabilities":{}}').passed, 1);
  const { failures } = judgeAudit("audit", JSON.stringify({ vulnerabilities: advisory }));
  assert.deepEqual(failures, [{ name: "audit", details: "a <2: low" }]);
  for (const answer of ["", "<html>", '{"message":"405","statusCode":405}']) {
    assert.equal(judgeAudit("audit", answer).skips.length, 1, answer);
  }
});
