import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findPythonPrograms, installPythonPrograms } from "./test-python.ts";

/** A project that requires nothing, so that its environment is made without any index. */
async function createProject(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "python-"));
  t.after(() => rm(root, { recursive: true }));
  await mkdir(join(root, "build"));
  await writeFile(join(root, "build", "python-requirements.txt"), "# nothing\n");
  return root;
}

test("where Python is missing, the programs are skipped by name, with the reason", async (t) => {
  const root = await createProject(t);
  const { passed, failures, skips } = await installPythonPrograms("it", root, "no-such-python");
  assert.deepEqual([passed, failures], [0, []]);
  assert.deepEqual(skips, [
    { name: "it", reason: "Python 3.10 or later with venv and pip is not here" },
  ]);
  assert.equal(findPythonPrograms(root), undefined);
});

test("where the index has not got a program, pip's reason is told", async (t) => {
  const root = await createProject(t);
  const requirements = join(root, "build", "python-requirements.txt");
  await writeFile(requirements, `--no-index\nno-such==1 --hash=sha256:${"0".repeat(64)}\n`);
  const { failures, skips } = await installPythonPrograms("it", root);
  assert.deepEqual(failures, []);
  assert.match(skips[0]!.reason, /pip says: .*no-such|is not here/);
});

test("the programs are used again until others are required", async (t) => {
  const root = await createProject(t);
  const { passed, skips } = await installPythonPrograms("it", root);
  if (skips.length > 0) return t.skip(skips[0]!.reason);
  assert.equal(passed, 1);
  assert.equal(findPythonPrograms(root), join(root, ".cache", "python", "bin"));
  const again = await installPythonPrograms("it", root, "no-such-python");
  assert.equal(again.passed, 1);

  await writeFile(join(root, "build", "python-requirements.txt"), "# others\n");
  assert.equal(findPythonPrograms(root), undefined);
});
