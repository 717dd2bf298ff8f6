import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnCommand } from "./test-command.ts";
import { addOutcomes, fail, type Outcome, pass, skip } from "./test-outcome.ts";

/**
 * Runs files of `node:test` tests on Deno. Counts as `runNodeTests` does, but for tests that skip
 * themselves while they run: Deno says that they passed.
 *
 * @param root the project's folder
 * @param deno the program
 * @param files relative to `root`
 */
export async function runDenoTests(root: string, deno: string, files: string[]): Promise<Outcome> {
  if (files.length === 0) return pass(0);
  const folder = await mkdtemp(join(tmpdir(), "deno-test-"));
  try {
    const report = join(folder, "report.xml");
    // The types are checked by a step of its own.
    const args = ["test", "--allow-all", "--no-check", "--parallel", `--junit-path=${report}`];
    const { code, stdout, stderr } = await spawnCommand(deno, [...args, ...files], root);
    const outcome = readReport(await readFile(report, "utf8").catch(() => ""));
    if (code === 0 || outcome.failures.length > 0) return outcome;
    // A file that does not even load is not in the report.
    return addOutcomes(outcome, fail("deno test", `${stdout}${stderr}\nended with ${code}`));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Reads a JUnit report as Deno writes it. */
export function readReport(xml: string): Outcome {
  const cases = [...xml.matchAll(/<testcase name="(.*?)" classname="(.*?)".*?>(.*?)<\/testcase>/gs)]
    .map(([, name, file, result]) => ({
      name: unescape(name!),
      file: unescape(file!).replace(/^\.\//, ""),
      result: result!,
    }));
  const groups = new Set(cases.flatMap(({ name }) => outerNames(name)));
  return addOutcomes(...cases.map(({ name, file, result }) => {
    const title = `${file}: ${name} (Deno)`;
    const failure = /<failure[^>]*>(.*?)<\/failure>/s.exec(result);
    if (failure !== null) {
      const isOfOthers = groups.has(name) && /^\d+ test steps? failed/.test(failure[1]!);
      return isOfOthers ? pass(0) : fail(title, unescape(failure[1]!));
    }
    if (result.includes("<skipped")) return skip(title, "skipped there too");
    return pass(groups.has(name) ? 0 : 1);
  }));
}

/** `a > b > c` is within `a` and `a > b`. */
function outerNames(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescape(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name]!);
}
