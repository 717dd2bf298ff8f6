import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "./run.ts";
import { describeCommit } from "./source.ts";

const skip = spawnSync("git", ["--version"]).status === 0 ? false : "git is not installed";

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), "source-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a checkout is named by its commit, and says when it has changes", { skip }, async () => {
  await inFolder(async (folder) => {
    await mkdir(join(folder, "src"));
    await writeFile(join(folder, "src", "a.ts"), "one");
    await run("git", ["init", "-q"], folder);
    await run("git", ["add", "src"], folder);
    const identity = [
      "-c",
      "user.name=test",
      "-c",
      "user.email=test",
      "-c",
      "commit.gpgsign=false",
    ];
    await run("git", [...identity, "commit", "-q", "-m", "first"], folder);
    const hash = (await run("git", ["rev-parse", "HEAD"], folder)).slice(0, 12);

    await writeFile(join(folder, "notes"), "no part of the executables");
    assert.equal(await describeCommit(folder), hash);
    await writeFile(join(folder, "src", "a.ts"), "two");
    assert.equal(await describeCommit(folder), `${hash} with uncommitted changes`);
    assert.match(await describeCommit(join(folder, "src")), /outside git/);
  });
});

test("a folder that is no checkout says so", async () => {
  await inFolder(async (folder) => {
    assert.match(await describeCommit(folder), /outside git/);
  });
});
