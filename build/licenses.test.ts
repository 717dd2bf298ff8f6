import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { formatLicenses, licensesOf } from "./licenses.ts";

/** Runs `body` on a project folder that holds the given files. */
async function inProject(files: Record<string, string>, body: (root: string) => Promise<void>) {
  const root = await mkdtemp(join(tmpdir(), "licenses-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    await body(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

test("every bundled package shows its licence and notice, nested and scoped ones too", async () => {
  const files = {
    "node_modules/outer/package.json": '{"name":"outer","version":"1.0.0"}',
    "node_modules/outer/LICENSE": "outer's terms",
    "node_modules/outer/NOTICE.txt": "outer's notice",
    "node_modules/outer/node_modules/@scope/inner/package.json":
      '{"name":"@scope/inner","version":"2.0.0"}',
    "node_modules/outer/node_modules/@scope/inner/licence.md": "inner's terms",
    "node_modules/unused/package.json": '{"name":"unused","version":"3.0.0"}',
  };
  await inProject(files, async (root) => {
    const text = formatLicenses(
      await licensesOf(root, [
        "src/client/main.ts",
        "node_modules/outer/lib/a.js",
        "node_modules/outer/lib/b.js",
        "node_modules/outer/node_modules/@scope/inner/index.js",
      ]),
    );
    for (const part of ["outer 1.0.0", "outer's terms", "outer's notice", "@scope/inner 2.0.0"]) {
      assert.ok(text.includes(part), `${part} is missing in:\n${text}`);
    }
    assert.equal(text.split("outer's terms").length, 2, "a text stands once");
    assert.ok(text.includes("inner's terms"));
    assert.ok(!text.includes("unused"));
  });
});

test("a package that lacks its licence text shows that of its repository", async () => {
  const about = '"version":"1.0.0","license":"ISC","repository":{"url":"https://host/repository"}';
  const files = {
    "node_modules/bare/package.json": `{"name":"bare",${about}}`,
    "node_modules/other/package.json": '{"name":"other","version":"1.0.0","license":"ISC"}',
    "node_modules/other/LICENSE": "other terms",
    "node_modules/sibling/package.json": `{"name":"sibling",${about}}`,
    "node_modules/sibling/LICENSE": "the terms",
  };
  await inProject(files, async (root) => {
    const inputs = Object.keys(files).map((file) => file.replace("package.json", "index.js"));
    const parts = await licensesOf(root, inputs);
    assert.deepEqual(parts, [
      { title: "bare 1.0.0", text: "the terms" },
      { title: "other 1.0.0", text: "other terms" },
      { title: "sibling 1.0.0", text: "the terms" },
    ]);
    const text = formatLicenses(parts);
    assert.equal(text.split("the terms").length, 2, "a text that is shared stands once");
    assert.ok(text.includes("\nbare 1.0.0\nsibling 1.0.0\n"));
    await assert.rejects(
      licensesOf(root, ["node_modules/bare/index.js", "node_modules/other/index.js"]),
      /bare 1\.0\.0 is bundled, but has no licence text/,
    );
  });
});

test("a bundled package without a licence text stops the build", async () => {
  const files = { "node_modules/bare/package.json": '{"name":"bare","version":"1.2.3"}' };
  await inProject(files, async (root) => {
    await assert.rejects(
      licensesOf(root, ["node_modules/bare/index.js"]),
      /bare 1\.2\.3 is bundled, but has no licence text/,
    );
  });
});

test("a bundled file from outside the project stops the build", async () => {
  await assert.rejects(licensesOf("/", ["../elsewhere/index.js"]), /neither ours nor a package's/);
});
