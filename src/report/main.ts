/** `performance-client report`: figures of records that were written before. */

import { parseCommandLine } from "../cli/command-line.ts";
import { ExitCode, printAnswer } from "../cli/exit.ts";
import { licenses } from "../cli/licenses.ts";
import { endQuietlyWithTheReader, exitWhenWritten } from "../cli/program.ts";
import { createTerminal } from "../cli/terminal.ts";
import { commit, version } from "../cli/version.ts";
import { Failure } from "../platform/failure.ts";
import { type ReportConfig, reportOptions } from "./options.ts";
import { type ReportOutput, runReport } from "./run.ts";

const CALL = "performance-client report";

/**
 * Runs a report to its end; sets the process's exit code and ends it.
 *
 * @param argv the arguments behind the command
 */
export function startReport(argv: readonly string[]): void {
  endQuietlyWithTheReader(process.stdout);
  endQuietlyWithTheReader(process.stderr);
  const outcome = parseCommandLine(reportOptions, argv, process.env);
  if (!outcome.ok || outcome.action !== "run") {
    const versionText = () => `${reportOptions.tool} ${version} (${commit})`;
    process.exitCode = printAnswer(reportOptions, outcome, process, {
      version: versionText,
      licenses,
    });
    return;
  }
  report(outcome.config).then(exitWhenWritten);
}

async function report(config: ReportConfig): Promise<number> {
  const terminal = createTerminal(process.stdout, process.env);
  const output: ReportOutput = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    format: { width: Math.min(terminal.columns(), MOST_COLUMNS), colour: terminal.colour },
    nowMs: () => performance.now(),
  };
  try {
    return await runReport(config, output);
  } catch (error) {
    const text = error instanceof Failure ? error.message : (error as Error).stack;
    process.stderr.write(`${CALL}: ${text}\n`);
    return ExitCode.failure;
  }
}

/** Wider lines are hard to follow. */
const MOST_COLUMNS = 160;
