/**
 * What the benchmark is made of. An experiment measures several contestants, ours first, one after
 * another in each round, so that all meet the same machine; its rows say what is shown of that.
 */
import type { Owner } from "../processes.ts";

/** One program under test, in one role. */
export interface Contestant {
  name: string;
  /** Why it cannot be measured on this machine, if so: its rows say that then. */
  unable?(): string | undefined;
  /** Runs once; returns figures by name. What it starts ends with `owner`. */
  measure(owner: Owner, effort: Effort): Promise<Record<string, number>>;
}

/** How long measurements take. */
export interface Effort {
  /** Of one measurement. */
  seconds: number;
}

export interface Budget {
  /** Of our figure itself, or of its ratio to the reference. */
  of: "figure" | "ratio";
  atLeast?: number;
  atMost?: number;
}

export interface Row {
  /** What was measured, for the table. */
  what: string;
  /** Name of the figure of each contestant. */
  figure: string;
  unit: string;
  /** Contestant that ratios are to. */
  reference?: string;
  /** Of the first contestant, or of all that are ours. */
  budget?: Budget;
  /** Contestants that the budget is for; default: the first. */
  ours?: readonly string[];
}

export interface Experiment {
  /** What `scripts/bench.sh FILTER` looks at, beside the rows. */
  name: string;
  contestants: readonly Contestant[];
  rows: readonly Row[];
  /** Each contestant runs so often in a round, in turn, and the medians count. */
  repeats?: number;
  /** Nothing that changes from round to round, or too slow to be repeated: measured in one. */
  once?: boolean;
  /** Left out of `--quick`. */
  slow?: boolean;
}
