/**
 * What the programs print and end with when a command line is no run: help, version, licences,
 * wrong usage. The only part of the command line that writes anything.
 */

import type { Answer, Environment } from "./command-line.ts";
import { helpText } from "./help.ts";
import { type AnyTable, callOf } from "./option.ts";

/** How the programs end. */
export const ExitCode = {
  /** A bounded run that completed, a stop by signal, help. */
  ok: 0,
  /** Port taken, no server within `--connect-timeout`, output that cannot be opened. */
  failure: 1,
  /** The command line or a variable is wrong; nothing was started. */
  wrongUsage: 2,
  /** What `report --fail-if` asked about is so. */
  conditionMet: 3,
} as const;

/** The part of a standard stream that is used here, as `process.stdout`. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Standard streams and environment, as `process`. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
}

/** Whether a stream gets colour: on a terminal, unless NO_COLOR is set (https://no-color.org). */
export function wantsColour(output: Output, env: Environment): boolean {
  return output.isTTY === true && (env["NO_COLOR"] ?? "") === "";
}

/**
 * Prints the answer to a command line that is no run.
 *
 * @param texts what `--version` and `--licenses` print, without and with their final newline
 * @returns the exit code
 */
export function printAnswer(
  table: AnyTable,
  answer: Answer,
  surroundings: Surroundings,
  texts: { version: () => string; licenses: () => string },
): number {
  const { env } = surroundings;
  if (!answer.ok) {
    const { stderr } = surroundings;
    const line = `${callOf(table)}: ${answer.message}\n`;
    const help = helpText(table, { colour: wantsColour(stderr, env) });
    // The help is longer than a terminal: what is wrong would have scrolled away.
    stderr.write(`${line}\n${help}${stderr.isTTY === true ? `\n${line}` : ""}`);
    return ExitCode.wrongUsage;
  }
  const { stdout } = surroundings;
  if (answer.action === "help") {
    stdout.write(helpText(table, { colour: wantsColour(stdout, env) }));
  } else {
    stdout.write(answer.action === "version" ? `${texts.version()}\n` : texts.licenses());
  }
  return ExitCode.ok;
}
