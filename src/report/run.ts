/** One report, from the inputs to what is printed. */

import { ExitCode } from "../cli/exit.ts";
import type { Format } from "../cli/lines.ts";
import { collect } from "./collect.ts";
import { rowsAsCsv } from "./csv.ts";
import { documentOf, type ReportDocument } from "./document.ts";
import { findInputs } from "./inputs.ts";
import type { ReportConfig } from "./options.ts";
import { createProgress } from "./progress.ts";
import { reportTables } from "./tables.ts";

/** Where a report reads from and writes to. */
export interface ReportOutput {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown; isTTY?: boolean };
  stdin: AsyncIterable<Uint8Array>;
  format: Format;
  nowMs: () => number;
}

/**
 * Resolves with the exit code.
 *
 * @throws Failure where an input cannot be read
 */
export async function runReport(config: ReportConfig, output: ReportOutput): Promise<number> {
  const inputs = await findInputs(config.operands);
  const total = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = createProgress(output.stderr, total, output.nowMs);
  const collected = await collect(inputs, config, { stdin: output.stdin, progress: progress.show })
    .finally(progress.end);
  const document = documentOf(collected, { ...config, config: { ...config } });
  print(document, config, output);
  return document.failed?.length ? ExitCode.conditionMet : ExitCode.ok;
}

function print(document: ReportDocument, config: ReportConfig, output: ReportOutput): void {
  if (config.json) output.stdout.write(`${JSON.stringify(document)}\n`);
  else if (config.csv) output.stdout.write(rowsAsCsv(document.keys));
  else output.stdout.write(reportTables(document, output.format));
}
