/**
 * Measures the programs and their peers side by side: see scripts/bench.sh. Every round runs all
 * contestants of each experiment one after another, in another order than the round before.
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { owned } from "../owned.ts";
import type { Effort, Experiment } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { compare, medians, type Outcome } from "./ratios.ts";
import { renderTable } from "./table.ts";

const FULL: Effort = { seconds: 1.5 };
const QUICK: Effort = { seconds: 0.7 };
/** More than this was busy when it began, and the figures are not to be trusted. */
const QUIET_LOAD = 1;

/** One round of an experiment: figures of each contestant, or what went wrong. */
async function runRound(
  { contestants, repeats = 1 }: Experiment,
  round: number,
  effort: Effort,
): Promise<Map<string, Record<string, number> | Error>> {
  const turns = contestants.map((_, index) => contestants[(index + round) % contestants.length]!);
  const records = new Map(turns.map(({ name }) => [name, [] as Record<string, number>[]]));
  const failures = new Map<string, Error>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const contestant of turns) {
      const { name } = contestant;
      if (failures.has(name) || contestant.unable?.() !== undefined) continue;
      try {
        records.get(name)!.push(await owned((owner) => contestant.measure(owner, effort)));
      } catch (error) {
        failures.set(name, error as Error);
      }
    }
  }
  const results = new Map<string, Record<string, number> | Error>();
  for (const [name, of] of records) {
    const failure = failures.get(name);
    if (failure !== undefined) results.set(name, failure);
    else if (of.length > 0) results.set(name, medians(of));
  }
  return results;
}

function outcomesOf(
  { contestants }: Experiment,
  rounds: readonly Map<string, Record<string, number> | Error>[],
): Map<string, Outcome> {
  return new Map(contestants.map((contestant): [string, Outcome] => {
    const { name } = contestant;
    const results = rounds.map((round) => round.get(name));
    const failure = results.find((result) => result instanceof Error);
    if (failure) {
      return [name, { missing: `failed: ${failure.message.split("\n")[0]!.slice(0, 80)}` }];
    }
    const missing = contestant.unable?.();
    if (missing !== undefined) return [name, { missing }];
    return [name, { rounds: results.filter((result) => result !== undefined) as never }];
  }));
}

const isWanted = ({ name, rows }: Experiment, filter: string): boolean =>
  [name, ...rows.map(({ what }) => what)].some((text) => text.includes(filter));

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const rounds = Number(quick ? 1 : values.rounds);
  const filter = positionals[0] ?? "";
  const wanted = experiments.filter((each) => isWanted(each, filter) && !(quick && each.slow));
  if (!Number.isInteger(rounds) || rounds < 1 || positionals.length > 1 || wanted.length === 0) {
    console.error("bench: wrong usage, or no row has that in its name: see -h");
    process.exitCode = 2;
    return;
  }
  const started = new Date().toISOString();
  const load = loadavg()[0]!;
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `${process.platform} ${process.arch}, Node ${process.versions.node}`;
  if (load > QUIET_LOAD) console.error(`bench: the machine is busy: load ${load.toFixed(2)}`);

  const results = new Map<Experiment, Map<string, Record<string, number> | Error>[]>();
  for (const experiment of wanted) results.set(experiment, []);
  for (let round = 0; round < rounds; round++) {
    for (const experiment of wanted) {
      if (experiment.once && round > 0) continue;
      console.error(`bench: round ${round + 1} of ${rounds}: ${experiment.name}`);
      results.get(experiment)!.push(await runRound(experiment, round, quick ? QUICK : FULL));
    }
  }
  const rows = wanted.flatMap((experiment) => {
    const outcomes = outcomesOf(experiment, results.get(experiment)!);
    return experiment.rows.map((row) => compare(row, outcomes));
  });
  console.log(renderTable(rows));
  console.log(
    `\n${started.slice(0, 10)}, ${machine}; ${rounds} ${rounds === 1 ? "round" : "rounds"}, load ${
      load.toFixed(2)
    }.`,
  );
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      `${JSON.stringify({ version: 1, started, machine, rounds, load, rows }, null, 2)}\n`,
    );
  }
  if (rows.some(({ lines }) => lines.some(({ missing }) => missing?.startsWith("failed")))) {
    process.exitCode = 1;
  }
}

await main();
