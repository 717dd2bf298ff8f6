/** From the figures of all rounds to ratios, their spread, and verdicts. */
import type { Budget, Row } from "./experiment.ts";

/** Figures of one contestant: one entry a round, or why there are none. */
export type Outcome = { rounds: readonly Record<string, number>[] } | { missing: string };

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Line {
  contestant: string;
  figure?: Spread;
  /** To the reference, round by round. */
  ratio?: Spread;
  missing?: string;
  budget?: Budget;
  /** Absent where there is no budget, or nothing to compare it with. */
  met?: boolean;
  /** How far beyond the budget, as a share of it; 0 where it is met. */
  missedBy?: number;
}

export interface RowResult {
  what: string;
  unit: string;
  reference?: string;
  lines: Line[];
}

/** @throws {RangeError} of no values */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Each figure's median over several records of them. */
export function medians(records: readonly Record<string, number>[]): Record<string, number> {
  const names = [...new Set(records.flatMap(Object.keys))];
  return Object.fromEntries(names.map((name) => {
    const values = records.flatMap((record) => record[name] ?? []);
    return [name, spreadOf(values).median];
  }));
}

/** Judges medians: a single disturbed round neither breaks a budget nor keeps it. */
export function judge(budget: Budget, value: number): { met: boolean; missedBy: number } {
  const { atLeast = -Infinity, atMost = Infinity } = budget;
  const [limit, over] = value > atMost ? [atMost, value - atMost] : [atLeast, atLeast - value];
  return over <= 0
    ? { met: true, missedBy: 0 }
    : { met: false, missedBy: limit === 0 ? Infinity : over / limit };
}

export function compare(row: Row, outcomes: ReadonlyMap<string, Outcome>): RowResult {
  const { what, unit, figure, reference } = row;
  const ours = row.ours ?? [...outcomes.keys()].slice(0, 1);
  const valuesOf = (name: string): (number | undefined)[] => {
    const outcome = outcomes.get(name);
    return outcome === undefined || "missing" in outcome
      ? []
      : outcome.rounds.map((round) => round[figure]);
  };
  const references = reference === undefined ? [] : valuesOf(reference);

  const lines: Line[] = [];
  for (const [contestant, outcome] of outcomes) {
    const budget = ours.includes(contestant) ? row.budget : undefined;
    if ("missing" in outcome) {
      lines.push({ contestant, missing: outcome.missing, ...(budget && { budget }) });
      continue;
    }
    const values = valuesOf(contestant);
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0) continue;
    const ratios = values.flatMap((value, round) => {
      const to = references[round];
      return value === undefined || !to ? [] : [value / to];
    });
    const spread = spreadOf(known);
    const ratio = ratios.length > 0 && contestant !== reference ? spreadOf(ratios) : undefined;
    const judged = budget?.of === "ratio" ? ratio : spread;
    lines.push({
      contestant,
      figure: spread,
      ...(ratio && { ratio }),
      ...(budget && { budget }),
      ...(budget && judged && judge(budget, judged.median)),
    });
  }
  return { what, unit, ...(reference !== undefined && { reference }), lines };
}
