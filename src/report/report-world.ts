/** Reports of lines that a test makes up. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { parseCommandLine } from "../cli/command-line.ts";
import type { ReportDocument } from "./document.ts";
import { reportOptions } from "./options.ts";
import { runReport } from "./run.ts";

/** A new folder that lasts as long as the test. */
export async function workFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** What a report prints, and its exit code. */
export async function run(
  args: readonly string[],
  { stdin = [], width = 80 }: { stdin?: readonly Uint8Array[]; width?: number } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const outcome = parseCommandLine(reportOptions, args, {});
  if (!outcome.ok) throw new Error(outcome.message);
  if (outcome.action !== "run") throw new Error(outcome.action);
  let stdout = "";
  let stderr = "";
  const code = await runReport(outcome.config, {
    stdout: { write: (text) => stdout += text },
    stderr: { write: (text) => stderr += text },
    stdin: (async function* () {
      yield* stdin;
    })(),
    format: { width, colour: false },
    nowMs: () => 0,
  });
  return { code, stdout, stderr };
}

/** The document of a report. */
export async function documentOf(
  args: readonly string[],
  options: { stdin?: readonly Uint8Array[] } = {},
): Promise<ReportDocument> {
  return JSON.parse((await run([...args, "--json"], options)).stdout);
}

/** The document of a report of these lines. */
export async function reportOn(
  t: TestContext,
  lines: readonly string[],
  args: readonly string[] = [],
): Promise<ReportDocument> {
  const file = join(await workFolder(t), "records.ndjson");
  await writeFile(file, lines.join(""));
  return await documentOf([file, ...args]);
}
