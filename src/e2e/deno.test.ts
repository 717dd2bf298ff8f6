import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const deno = join(root, "node_modules/.bin/deno");

function run(program: string, args: string[], timeout: number) {
  const env = { ...process.env, NO_COLOR: "1" };
  return new Promise<{ error: Error | null; output: string }>((resolve) => {
    execFile(program, args, { cwd: root, env, timeout }, (error, stdout, stderr) => {
      resolve({ error, output: stdout + stderr });
    });
  });
}

for (const program of ["server", "client"]) {
  test(`deno compile makes an executable of the ${program}`, async (t) => {
    const { tasks } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
    const folder = await mkdtemp(join(tmpdir(), "deno-compile-"));
    try {
      const file = join(folder, program);
      const args = tasks[`compile:${program}`].split(" ").slice(1)
        .map((word: string) => word.startsWith("dist/") ? file : word);
      const { error, output } = await run(deno, args, 120_000);
      // What Deno puts the program into, it fetches from a place of its own.
      const refused = /error sending request.*?: (dns error|.*)/.exec(output)?.[1];
      if (refused !== undefined || (error as { killed?: boolean } | null)?.killed) {
        return t.skip(`Deno's runtime cannot be fetched: ${refused ?? "timed out"}`);
      }
      assert.equal(error, null, output);
      const shown = await run(file, ["--version"], 60_000);
      assert.match(shown.output, RegExp(`performance-${program} \\d`));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

for (const program of ["server", "client"]) {
  // A package's Deno among the project's commands would be taken for a script by a bare `deno`.
  test(`deno task ${program} starts the ${program}`, async () => {
    const { error, output } = await run(deno, ["task", program, "--version"], 60_000);
    assert.equal(error, null, output);
    assert.match(output, RegExp(`performance-${program} \\d`));
  });
}
