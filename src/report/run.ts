/** One report, from the inputs to what is printed. */

import { ExitCode } from "../cli/exit.ts";
import type { Format } from "../cli/lines.ts";
import { Failure } from "../platform/failure.ts";
import { collect } from "./collect.ts";
import { comparisonsAsCsv, rowsAsCsv } from "./csv.ts";
import { documentOf, type ReportDocument } from "./document.ts";
import { findInputs, type Input } from "./inputs.ts";
import type { ReportConfig } from "./options.ts";
import { createPageData, writePage } from "./html.ts";
import { createProgress } from "./progress.ts";
import { type ComparedRecords, compareInputs, compareSides } from "./run-comparison.ts";
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
 * @throws Failure where an input cannot be read, or there is nothing to compare or to judge
 */
export async function runReport(config: ReportConfig, output: ReportOutput): Promise<number> {
  const { collected, comparisons, notes } = await readAll(config, output);
  const shown = { ...config, config: { ...config }, notes };
  const page = config.html === undefined ? undefined : createPageData(collected);
  const document = documentOf(
    collected,
    { ...shown, ...(page && { witness: page.witness }) },
    comparisons,
  );
  if (config.html !== undefined) await writePage(config.html, page!.dataOf(document));
  print(document, config, output);
  // A script must not take it for good news that nothing was measured.
  if (config.failIf !== undefined && document.keys.length === 0) {
    throw new Failure("--fail-if: there are no figures to judge");
  }
  return document.failed?.length ? ExitCode.conditionMet : ExitCode.ok;
}

/** What was read; comparisons where they are asked for. */
async function readAll(
  config: ReportConfig,
  output: ReportOutput,
): Promise<
  Omit<ComparedRecords, "comparisons"> & { comparisons?: ComparedRecords["comparisons"] }
> {
  const { compare, operands } = config;
  // Without records beside them, both sides are records.
  if (compare !== undefined && operands.length === 0) {
    const [a, b] = [await findInputs([compare[0]]), await findInputs([compare[1]])];
    return await withProgress(
      [...a, ...b],
      output,
      (reading) => compareInputs([a, b], compare, config, reading),
    );
  }
  const inputs = await findInputs(operands);
  return await withProgress(inputs, output, async (reading) => {
    if (compare !== undefined) return await compareSides(inputs, compare, config, reading);
    return { collected: await collect(inputs, config, reading), notes: [] };
  });
}

async function withProgress<T>(
  inputs: readonly Input[],
  { stderr, stdin, nowMs }: ReportOutput,
  read: (reading: Parameters<typeof collect>[2]) => Promise<T>,
): Promise<T> {
  const total = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = createProgress(stderr, total, nowMs);
  return await read({ stdin, progress: progress.show }).finally(progress.end);
}

function print(document: ReportDocument, config: ReportConfig, output: ReportOutput): void {
  const { comparisons } = document;
  if (config.json) output.stdout.write(`${JSON.stringify(document)}\n`);
  else if (!config.csv) output.stdout.write(reportTables(document, output.format));
  else {
    output.stdout.write(comparisons ? comparisonsAsCsv(comparisons) : rowsAsCsv(document.keys));
    // CSV has no place for it.
    for (const text of document.failed ?? []) output.stderr.write(`--fail-if: ${text}\n`);
  }
}
