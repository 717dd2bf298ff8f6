/**
 * The frame of both programs: reads the command line, answers what is no run, sets up the log and
 * the terminal, and turns signals and failures into an orderly end.
 */
import type { RunSummary } from "../metrics/summary.ts";
import { Failure } from "../platform/failure.ts";
import { parseCommandLine } from "./command-line.ts";
import { ExitCode, printAnswer } from "./exit.ts";
import { licenses } from "./licenses.ts";
import { createLiveView, isShownLive, type LiveView } from "./live-view.ts";
import { configureLog, logFormat, logger } from "./log.ts";
import type { Config, Options, OptionTable } from "./option.ts";
import { hideFilter } from "./shown-config.ts";
import { finalTables, logLines } from "./tables.ts";
import { createTerminal, type Terminal } from "./terminal.ts";
import type { ShownTrends } from "./trend-lines.ts";
import { commit, version } from "./version.ts";

/** What a run gets from its surroundings. */
export interface ProgramContext {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stopping: AbortSignal;
  /** Shows the figures as they stand: in place on a terminal, as log lines otherwise. */
  showFigures(summary: RunSummary, isReport: boolean, trends?: ShownTrends): void;
  /** Whether figures are drawn in place, so that they may be drawn often. */
  readonly isLive: boolean;
  /** Prints the final figures: the tables, or the JSON document. */
  printSummary(summary: RunSummary): void;
}

interface OutputConfig {
  verbose: boolean;
  live: boolean;
  json: boolean;
  ndjson: string | undefined;
  grace: number;
  logFormat: "text" | "json" | undefined;
}

/** Runs a program to its end; sets the process's exit code and ends it. */
export function runProgram<O extends Options, C extends OutputConfig>(
  table: OptionTable<O, C>,
  run: (config: Config<OptionTable<O, C>>, context: ProgramContext) => Promise<number>,
): void {
  endQuietlyWithTheReader(process.stdout);
  const outcome = parseCommandLine(table, process.argv.slice(2), process.env);
  // Made by the first who looks at it, which takes its time: help goes without.
  if (!outcome.ok || outcome.action === "run") endQuietlyWithTheReader(process.stderr);
  if (!outcome.ok || outcome.action !== "run") {
    const versionText = () => `${table.tool} ${version} (${commit})`;
    process.exitCode = printAnswer(table, outcome, process, { version: versionText, licenses });
    return;
  }
  const { config, warnings } = outcome;
  start({ tool: table.tool, config, sources: outcome.sources, warnings }, run)
    .then(exitWhenWritten);
}

async function start<C extends OutputConfig>(
  { tool, config, sources, warnings }: {
    tool: string;
    config: C;
    sources: Readonly<Record<string, string>>;
    warnings: readonly string[];
  },
  run: (config: C, context: ProgramContext) => Promise<number>,
): Promise<number> {
  const terminal = createTerminal(process.stdout, process.env);
  const view = isShownLive(terminal, config) ? createLiveView(terminal, Date.now) : undefined;
  await configureLog({
    format: logFormat(config.logFormat, process.stderr.isTTY === true),
    verbose: config.verbose,
    write: (line) => view ? view.interrupt(() => process.stderr.write(line)) : write(line),
  });
  const log = logger(tool);
  for (const warning of warnings) log.warn(warning);
  log.info(`${tool} ${version} (${commit})`, shownConfig(hideFilter(config), sources));
  try {
    return await run(config, createContext(config, terminal, view));
  } catch (error) {
    view?.finish();
    if (error instanceof Failure) log.error(error.message);
    else log.error("a fault of this program ended it", { fault: (error as Error).stack });
    return ExitCode.failure;
  }
}

function createContext(
  config: OutputConfig,
  terminal: Terminal,
  view: LiveView | undefined,
): ProgramContext {
  const figures = logger("figures");
  return {
    stopping: stopSignal(config.grace),
    isLive: view !== undefined,
    showFigures(summary, isReport, trends) {
      if (view !== undefined) view.draw(summary, trends);
      else if (isReport) { for (const line of logLines(summary)) figures.info(line); }
    },
    printSummary(summary) {
      view?.finish();
      if (config.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
      else if (config.ndjson === "-") { for (const line of logLines(summary)) figures.info(line); }
      else {
        const format = { width: terminal.columns(), colour: terminal.colour };
        process.stdout.write(finalTables(summary, format));
      }
    },
  };
}

const write = (line: string): boolean => process.stderr.write(line);

/** The configuration as the log tells it: what was said, by command line or environment. */
function shownConfig(
  config: object,
  sources: Readonly<Record<string, string>>,
): Record<string, string | number | boolean> {
  const shown: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(config)) {
    if (sources[key] === "default") continue;
    shown[key] = typeof value === "object" ? JSON.stringify(value) : value;
  }
  return shown;
}

/** The first signal asks for an orderly end, the second one ends the process. */
function stopSignal(graceMs: number): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(ExitCode.failure);
    logger("program").info(`ending, within ${graceMs / 1000} s; another signal ends it at once`);
    stopping.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return stopping.signal;
}

/** Whoever reads our output may leave (`| head`): that is no failure, but nothing is left to do. */
export function endQuietlyWithTheReader(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? ExitCode.ok : ExitCode.failure);
  });
}

/** A reader who takes nothing does not keep the process for longer than this. */
const LAST_OUTPUT_MS = 2_000;

/** Ends the process, whatever still listens or waits, once its output has left. */
export function exitWhenWritten(code: number): void {
  setTimeout(() => process.exit(code), LAST_OUTPUT_MS);
  process.stdout.write("", (error) => {
    // What stdout did not take is told by its error event, which comes next and ends the process.
    if (!error) process.stderr.write("", () => process.exit(code));
  });
}
