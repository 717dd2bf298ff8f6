/** One comparison, from the inputs to what can be said. */

import { Failure } from "../platform/failure.ts";
import { quote } from "../cli/escape.ts";
import { formatCountOf } from "../cli/numbers.ts";
import { collect, type Collected, type HopWitness, type Period } from "./collect.ts";
import { type Comparer, createComparer, type Lanes } from "./comparer.ts";
import { compare, type Comparison } from "./comparison.ts";
import type { HopSpec } from "./hop-values.ts";
import type { Input } from "./inputs.ts";
import { wantsKey } from "./key-pattern.ts";
import type { ReadingOptions } from "./read-records.ts";
import { sidesByInput, sidesByName, sidesByRoute } from "./sides.ts";

export interface ComparedRecords {
  /** Of two inputs, the second. */
  collected: Collected;
  comparisons: Comparison[];
  notes: string[];
}

type Sides = readonly [a: string, b: string];

/** Two routes by their labels, or where there are none such, two groups of nodes by their names. */
export async function compareSides(
  inputs: readonly Input[],
  sides: Sides,
  options: Period & { key: string | undefined },
  reading: ReadingOptions,
): Promise<ComparedRecords> {
  const wants = wantsKey(options.key);
  const comparers = [
    createComparer(sidesByRoute(sides), wants),
    createComparer(sidesByName(sides), wants),
  ] as const;
  const [byRoute, byName] = comparers;
  const routes = new Set<string>();
  const witness: HopWitness<(Lanes | undefined)[]> = {
    streamOf(spec) {
      routes.add(spec.route);
      return comparers.map((comparer) => comparer.streamOf(spec));
    },
    hop(lanes, values) {
      for (const [index, its] of lanes.entries()) {
        if (its !== undefined) comparers[index]!.hop(its, values);
      }
    },
  };
  const collected = await collect(inputs, options, reading, witness);
  const found = byRoute.groups().length > 0 ? byRoute : byName;
  if (found.groups().length === 0) throw nothingToCompare(sides, routes);
  return { collected, ...resultOf(found, sides) };
}

/** Two inputs: what lies between the same places, on the same routes. */
export async function compareInputs(
  inputs: readonly [readonly Input[], readonly Input[]],
  sides: Sides,
  options: Period & { key: string | undefined },
  reading: ReadingOptions,
): Promise<ComparedRecords> {
  let current: 0 | 1 = 0;
  const comparer = createComparer(sidesByInput(() => current), wantsKey(options.key));
  const witness = {
    streamOf: (spec: HopSpec) => comparer.streamOf(spec),
    hop: comparer.hop,
  };
  await collect(inputs[0], options, reading, witness);
  current = 1;
  const collected = await collect(inputs[1], options, reading, witness);
  if (comparer.groups().length === 0) {
    throw new Failure(
      `nothing to compare: ${quote(sides[0])} and ${quote(sides[1])} have no two places in common`,
    );
  }
  return { collected, ...resultOf(comparer, sides) };
}

function resultOf(comparer: Comparer, sides: Sides): Omit<ComparedRecords, "collected"> {
  const { compare: order } = new Intl.Collator("en", { numeric: true });
  const comparisons = comparer.groups().map((group) => compare(group, sides)).sort((one, other) =>
    order(one.from, other.from) || order(one.to, other.to) ||
    order(one.route ?? "", other.route ?? "") || order(one.measure, other.measure)
  );
  return { comparisons, notes: notesOn(comparisons, comparer.forgotten) };
}

function notesOn(comparisons: readonly Comparison[], forgotten: number): string[] {
  const notes: string[] = [];
  if (comparisons.some((one) => one.measure === "one way" && one.verdict === "not shown: clocks")) {
    notes.push(
      "one way, the two sides were measured by different clocks, whose error is larger than " +
        "what there is to see; round trips need no clocks to agree",
    );
  }
  if (forgotten > 0 && comparisons.some(({ pairs }) => pairs > 0)) {
    notes.push(`${formatCountOf(forgotten, "message")} found no partner near them in the records`);
  }
  return notes;
}

function nothingToCompare([a, b]: Sides, routes: ReadonlySet<string>): Failure {
  const known = routes.size === 0
    ? "there are no hop records"
    : `routes: ${[...routes].join(", ")}`;
  return new Failure(
    `nothing to compare: no two places with records of both ${quote(a)} and ${quote(b)} (${known})`,
  );
}
