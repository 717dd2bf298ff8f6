// Runs all checks and tests of the project, one after another: see scripts/test.sh.

import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { audit, checkLock } from "./locked.ts";
import { runCommand } from "./test-command.ts";
import { runDenoTests } from "./test-deno.ts";
import { runNodeTests } from "./test-node.ts";
import { installPythonPrograms } from "./test-python.ts";
import { findLinter } from "./test-linter.ts";
import { addOutcomes, type Outcome, pass, skip } from "./test-outcome.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const deno = join(bin, "deno");

const kinds = ["lint", "unit", "e2e"] as const;
type Kind = typeof kinds[number];

const LOCK = "packages (lock file)";
const AUDIT = "advisories (npm audit)";

interface Step {
  name: string;
  kind: Kind;
  run(): Promise<Outcome>;
}

/** Files of the project by pattern, those that a filter leaves, in the same order everywhere. */
function find(patterns: string[], filter: string): string[] {
  return globSync(patterns, { cwd: root }).filter((file) => file.includes(filter)).sort();
}

/** A step that passes if a command does. */
function command(name: string, kind: Kind, program: string, args: string[]): Step {
  return { name, kind, run: () => runCommand(name, program, args, root) };
}

/** A step that passes if a linter has nothing to say about files. */
function linter(
  name: string,
  program: Parameters<typeof findLinter>[1],
  options: string[],
  patterns: string[],
): Step {
  const run = async () => {
    const found = await findLinter(root, program);
    if (found === undefined) return skip(name, `neither ${program} nor Python's pip is here`);
    return await runCommand(name, found, [...options, ...find(patterns, "")], root);
  };
  return { name, kind: "lint", run };
}

function steps(filter: string): Step[] {
  const e2e = find(["src/e2e/**/*.test.ts"], filter);
  const unit = find(["{src,build}/**/*.test.ts"], filter)
    .filter((file) => !file.startsWith("src/e2e/"));
  return [
    command("format (deno fmt)", "lint", deno, ["fmt", "--check"]),
    command("rules (deno lint)", "lint", deno, ["lint"]),
    command("types (tsc)", "lint", join(bin, "tsc"), []),
    command("types (deno check)", "lint", deno, ["check", "src", "build"]),
    { name: LOCK, kind: "lint", run: () => checkLock(LOCK, root) },
    { name: AUDIT, kind: "lint", run: () => audit(AUDIT, root) },
    // -x follows what they source.
    linter("scripts (shellcheck)", "shellcheck", ["-x"], [
      "scripts/*.sh",
      "docker/**/*.sh",
      ".ci/run",
    ]),
    linter("images (hadolint)", "hadolint", [], ["docker/**/*.Dockerfile"]),
    { name: "unit tests on Node", kind: "unit", run: () => runNodeTests(root, unit, "parallel") },
    { name: "unit tests on Deno", kind: "unit", run: () => runDenoTests(root, deno, unit) },
    command("build", "e2e", join(root, "scripts", "build.sh"), []),
    {
      name: "Python's programs",
      kind: "e2e",
      run: () => installPythonPrograms("Python's programs", root),
    },
    // One file after another: their figures must not depend on one another's load.
    { name: "end-to-end tests", kind: "e2e", run: () => runNodeTests(root, e2e, "serial") },
  ];
}

/** Runs a step; prints a line with its counts and time, and what failed with its output. */
async function runStep({ name, run }: Step): Promise<Outcome> {
  const startMs = performance.now();
  const outcome = await run();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const counts = [
    ...(outcome.passed > 0 ? [`${outcome.passed} passed`] : []),
    ...(outcome.failures.length > 0 ? [`${outcome.failures.length} failed`] : []),
    ...(outcome.skips.length > 0 ? [`${outcome.skips.length} skipped`] : []),
  ];
  console.log(`${name.padEnd(24)}${seconds.padStart(6)} s   ${counts.join(", ") || "nothing"}`);
  for (const failure of outcome.failures) {
    console.log(`\nFAILED ${failure.name}\n${indent(failure.details)}\n`);
  }
  return outcome;
}

function indent(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, "    ");
}

async function main(args: string[]): Promise<void> {
  const kind = kinds.find((each) => each === args[0]);
  const [filter = "", ...rest] = kind === undefined ? args : args.slice(1);
  if (rest.length > 0 || (kind === undefined && filter !== "")) {
    console.error(`test: expected one of ${kinds.join(", ")}, and a filter: see -h`);
    process.exitCode = 2;
    return;
  }
  let total: Outcome = pass(0);
  for (const step of steps(filter)) {
    if (kind === undefined || step.kind === kind) total = addOutcomes(total, await runStep(step));
  }
  for (const { name, reason } of total.skips) console.log(`skipped: ${name}: ${reason}`);
  if (total.failures.length > 0) {
    console.log(`\n${total.failures.map(({ name }) => `failed: ${name}`).join("\n")}`);
  }
  const { passed, failures, skips } = total;
  console.log(`${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
  // Nothing tested is nothing shown: a filter that fits no file is a mistake.
  if (failures.length > 0 || passed + skips.length === 0) process.exitCode = 1;
}

await main(process.argv.slice(2));
