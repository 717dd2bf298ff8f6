import { join, relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";
import { addOutcomes, fail, type Outcome, pass, skip } from "./test-outcome.ts";

/** Longer than any file of tests takes: what hangs shall fail by name. */
const timeoutMs = 600_000;

/**
 * Runs files of `node:test` tests, each in a process of its own. Counts tests; what only groups
 * others (a suite, a test with subtests) counts if it fails by itself or is skipped.
 *
 * @param root the project's folder
 * @param files relative to `root`
 */
export async function runNodeTests(
  root: string,
  files: string[],
  order: "parallel" | "serial",
): Promise<Outcome> {
  if (files.length === 0) return pass(0);
  const outcomes: Outcome[] = [];
  /** How deep the newest test of each file is nested. */
  const depths = new Map<string, number>();
  const output = new Map<string, string>();

  // Subtests are told before what contains them.
  const isGroup = ({ file = "", nesting }: { file?: string; nesting: number }) => {
    const before = depths.get(file) ?? 0;
    depths.set(file, nesting);
    return before > nesting;
  };
  const title = ({ name, file = "" }: { name: string; file?: string }) =>
    file === name ? relative(root, file) : `${relative(root, file)}: ${name}`;

  const stream = run({
    files: files.map((file) => join(root, file)),
    cwd: root,
    concurrency: order === "parallel",
    timeout: timeoutMs,
  });
  for await (const { type, data } of stream) {
    if (type === "test:stdout" || type === "test:stderr") {
      output.set(data.file, (output.get(data.file) ?? "") + data.message);
    } else if (type === "test:pass") {
      const group = isGroup(data) || data.details.type === "suite";
      const reason = data.skip ?? data.todo;
      if (reason !== undefined) outcomes.push(skip(title(data), String(reason)));
      else if (!group) outcomes.push(pass());
    } else if (type === "test:fail") {
      isGroup(data);
      const { error } = data.details;
      if ("failureType" in error && error.failureType === "subtestsFailed") continue;
      const printed = output.get(data.file ?? "");
      const details = [describe(error.cause ?? error), ...(printed ? [`output:\n${printed}`] : [])];
      outcomes.push(fail(title(data), details.join("\n")));
    }
  }
  return addOutcomes(...outcomes);
}

/** The stack alone: it has the difference, and not all of what was compared. */
function describe(error: unknown): string {
  return error instanceof Error ? String(error.stack) : inspect(error);
}
