import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkIntegrity, nodeVersion, targets } from "./targets.ts";

test("the pinned Nodes are those of the lock file", async () => {
  const lock = JSON.parse(
    await readFile(new URL("../package-lock.json", import.meta.url), "utf8"),
  );
  for (const name of ["linux-x64", "linux-arm64"]) {
    const { package: packageName, integrity } = targets[name]!;
    const locked = lock.packages[`node_modules/${packageName}`];
    assert.equal(integrity, locked.integrity, name);
    assert.equal(nodeVersion, locked.version, name);
  }
});

test("a package that is not the pinned one is refused and removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "targets-"));
  try {
    const file = join(folder, "node.tgz");
    await writeFile(file, "");
    // The SHA-512 of nothing.
    const integrity =
      "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
    await checkIntegrity(file, integrity);
    await writeFile(file, "tampered");
    await assert.rejects(checkIntegrity(file, integrity), /is not the pinned package/);
    assert.ok(!existsSync(file), "it must not be found again by the next build");
  } finally {
    await rm(folder, { recursive: true });
  }
});
