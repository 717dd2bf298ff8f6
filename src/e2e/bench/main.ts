/** Measures the programs and their peers side by side on this machine: see scripts/bench.sh. */
import { writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import type { Effort, Experiment } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { compare } from "./ratios.ts";
import { runExperiments } from "./run.ts";
import { renderTable } from "./table.ts";

const FULL: Effort = { seconds: 1.5 };
const QUICK: Effort = { seconds: 0.7 };
/** A machine that does more than this when it begins gives figures that are not to be trusted. */
const QUIET_LOAD = 1.5;

interface Request {
  wanted: readonly Experiment[];
  rounds: number;
  effort: Effort;
  /** File for all figures. */
  json: string | undefined;
}

/** @throws {TypeError} of wrong usage */
function readArguments(args: string[]): Request {
  const { values: { quick, rounds, json }, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const [filter = "", ...more] = positionals;
  if (more.length > 0) throw new TypeError("one filter at most");
  if (!/^[1-9]\d?$/.test(rounds)) throw new TypeError("--rounds takes a number from 1 to 99");
  const isWanted = ({ name, rows, slow }: Experiment): boolean =>
    !(quick && slow) &&
    [name, ...rows.map(({ what }) => what)].some((text) => text.includes(filter));
  const wanted = experiments.filter(isWanted);
  if (wanted.length === 0) throw new TypeError(`no row has "${filter}" in its name`);
  return { wanted, rounds: quick ? 1 : Number(rounds), effort: quick ? QUICK : FULL, json };
}

async function main({ wanted, rounds: wantedRounds, effort, json }: Request): Promise<void> {
  const started = new Date().toISOString();
  const load = loadavg()[0]!;
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `${process.platform} ${process.arch}, Node ${process.versions.node}`;
  const tell = (text: string): void => console.error(`bench: ${text}`);
  if (load > QUIET_LOAD) tell(`the machine is busy, load ${load.toFixed(2)}: trust no figure`);

  const run = await runExperiments(wanted, { rounds: wantedRounds, effort, tell });
  const { rounds, failures } = run;
  const rows = wanted.flatMap((experiment) =>
    experiment.rows.map((row) => compare(row, run.outcomes.get(experiment)!))
  );
  console.log(renderTable(rows));
  const count = `${rounds} ${rounds === 1 ? "round" : "rounds"}`;
  console.log(`\n${started.slice(0, 10)}, ${machine}, load ${load.toFixed(2)}, ${count}.`);
  if (json !== undefined) {
    const document = { version: 1, started, machine, load, rounds, rows, failures };
    await writeFile(json, `${JSON.stringify(document, null, 2)}\n`);
  }
  for (const failure of failures) tell(`failed: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function readOrExplain(args: string[]): Request | undefined {
  try {
    return readArguments(args);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}; -h shows help`);
    process.exitCode = 2;
    return undefined;
  }
}

const request = readOrExplain(process.argv.slice(2));
if (request !== undefined) await main(request);
