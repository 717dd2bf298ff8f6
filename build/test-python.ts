/**
 * Programs of Python's index that tests run: an emulator of AWS, the AWS command line, a linter of
 * CloudFormation. They live in a virtual environment in `.cache`, made from
 * `build/python-requirements.txt` and used again as long as that file stays the same.
 *
 * `python-requirements.in` names what is wanted; the `.txt` beside it locks all of it, by version
 * and by hash. To move to newer versions, in the folder `build`:
 *
 *     uv pip compile --upgrade --universal --python-version 3.10 --generate-hashes \
 *       --no-header --no-annotate --no-emit-index-url \
 *       python-requirements.in -o python-requirements.txt
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnCommand } from "./test-command.ts";
import { fail, type Outcome, pass, skip } from "./test-outcome.ts";

/** Why tests are skipped that need the programs. */
export const PYTHON_MISSING =
  "it needs programs of Python's index, which scripts/test.sh e2e installs where it can";

/** Python 3.10 or later, with what makes virtual environments. */
const PROBE = "import sys, venv, ensurepip; assert sys.version_info >= (3, 10)";

const folderOf = (root: string): string => join(root, ".cache", "python");
const requirementsOf = (root: string): string => join(root, "build", "python-requirements.txt");
/** Holds the hash of the requirements that are installed, once all of them are. */
const markOf = (root: string): string => join(folderOf(root), "installed");

const wantedMark = (root: string): string =>
  createHash("sha256").update(readFileSync(requirementsOf(root))).digest("hex");

/**
 * The folder of the programs.
 *
 * @param root the project's folder
 * @returns undefined where they are not installed, or others are required by now
 */
export function findPythonPrograms(root: string): string | undefined {
  const mark = markOf(root);
  const isCurrent = existsSync(mark) && readFileSync(mark, "utf8") === wantedMark(root);
  return isCurrent ? join(folderOf(root), "bin") : undefined;
}

/**
 * Installs the programs unless they are there. Skipped where Python or its index is not to be had.
 *
 * @param name of the check
 * @param root the project's folder
 * @param python the program that makes the environment
 */
export async function installPythonPrograms(
  name: string,
  root: string,
  python = "python3",
): Promise<Outcome> {
  if (findPythonPrograms(root) !== undefined) return pass();
  if ((await spawnCommand(python, ["-c", PROBE], root)).code !== 0) {
    return skip(name, "Python 3.10 or later with venv and pip is not here");
  }
  const folder = folderOf(root);
  await rm(folder, { recursive: true, force: true });
  const made = await spawnCommand(python, ["-m", "venv", folder], root);
  if (made.code !== 0) return fail(name, made.stdout + made.stderr);
  const installed = await spawnCommand(
    join(folder, "bin", "python"),
    // Without an index, it is told soon.
    ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"].concat(
      ["--timeout", "30", "--require-hashes", "--only-binary", ":all:"],
      ["--requirement", requirementsOf(root)],
    ),
    root,
  );
  if (installed.stderr.includes("DO NOT MATCH THE HASHES")) return fail(name, installed.stderr);
  if (installed.code !== 0) return skip(name, lastLine(installed.stderr));
  await writeFile(markOf(root), wantedMark(root));
  return pass();
}

function lastLine(text: string): string {
  return `pip says: ${text.trim().split("\n").at(-1)}`;
}
