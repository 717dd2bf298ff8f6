/**
 * Runs experiments: every round all contestants of each, one after another, beginning with another
 * one than the round before.
 */
import { owned } from "../owned.ts";
import type { Contestant, Effort, Experiment } from "./experiment.ts";
import { medians, type Outcome } from "./ratios.ts";

/** No round begins that would not end by then: the whole stays under ten minutes. */
const ROUNDS_LIMIT_MS = 6 * 60_000;
/** What is measured once begins by then, or not at all. */
const ONCE_LIMIT_MS = 7 * 60_000;

type Figures = Record<string, number>;

export interface Run {
  outcomes: Map<Experiment, Map<string, Outcome>>;
  /** Fewer than were asked for where they took too long. */
  rounds: number;
  /** What could not be measured though everything for it is here. */
  failures: string[];
}

/** What is known of one contestant so far. */
interface Tally {
  contestant: Contestant;
  rounds: Figures[];
  missing: string | undefined;
}

export async function runExperiments(
  experiments: readonly Experiment[],
  { rounds, effort, tell }: { rounds: number; effort: Effort; tell: (progress: string) => void },
): Promise<Run> {
  const failures: string[] = [];
  const tallies = new Map(experiments.map((experiment) => [
    experiment,
    experiment.contestants.map((contestant): Tally => ({
      contestant,
      rounds: [],
      missing: contestant.unable?.(),
    })),
  ]));

  /** Measures each contestant as often as the experiment says, in turn. */
  const runRound = async (experiment: Experiment, round: number): Promise<void> => {
    const { repeats = 1, name } = experiment;
    const all = tallies.get(experiment)!;
    const turns = all.map((_, index) => ({
      tally: all[(index + round) % all.length]!,
      figures: [] as Figures[],
    }));
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const { tally, figures } of turns) {
        if (tally.missing !== undefined) continue;
        try {
          figures.push(await owned((owner) => tally.contestant.measure(owner, effort)));
        } catch (error) {
          const [first = ""] = (error as Error).message.split("\n");
          tally.missing = `failed: ${first.slice(0, 80)}`;
          failures.push(`${name}: ${tally.contestant.name}: ${(error as Error).message}`);
        }
      }
    }
    for (const { tally, figures } of turns) {
      if (tally.missing === undefined) tally.rounds.push(medians(figures));
    }
  };

  const startMs = performance.now();
  let longestMs = 0;
  let round = 0;
  for (; round < rounds; round++) {
    const beginMs = performance.now();
    if (round > 0 && beginMs - startMs + longestMs > ROUNDS_LIMIT_MS) {
      tell(`no time is left for round ${round + 1}: is the machine busy?`);
      break;
    }
    for (const experiment of experiments.filter(({ once }) => !once)) {
      tell(`round ${round + 1} of ${rounds}: ${experiment.name}`);
      await runRound(experiment, round);
    }
    longestMs = Math.max(longestMs, performance.now() - beginMs);
  }
  for (const experiment of experiments.filter(({ once }) => once)) {
    tell(`once: ${experiment.name}`);
    if (performance.now() - startMs < ONCE_LIMIT_MS) await runRound(experiment, 0);
    else for (const tally of tallies.get(experiment)!) tally.missing ??= "no time was left";
  }

  const outcomeOf = ({ missing, rounds }: Tally): Outcome =>
    missing === undefined ? { rounds } : { missing };
  const outcomes = new Map([...tallies].map(([experiment, all]) => [
    experiment,
    new Map(all.map((tally) => [tally.contestant.name, outcomeOf(tally)])),
  ]));
  return { outcomes, rounds: round, failures };
}
