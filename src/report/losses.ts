/**
 * Messages that are missing between two that were recorded, as the Athena view `loss_by_key` counts
 * them: what was lost before the first or after the last is nobody's. Of the missing ones of a path,
 * those that the relay recorded were lost down, the others up; where the relay recorded nothing,
 * neither is known.
 */

import type { Cell } from "./cells.ts";
import type { Arrivals } from "./hop-figures.ts";
import type { SequenceSet } from "./sequence-set.ts";

export interface Loss {
  lost: number;
  up: number;
  down: number;
}

/** Losses by the cell that their neighbours are counted in. */
export function lossesOf(arrivals: Iterable<Arrivals>): Map<Cell, Loss> {
  const all = [...arrivals];
  /** What relays recorded, by the origin's session. */
  const relayed = new Map(
    all.filter(({ spec, own }) => spec.hop === 1 && own.size > 0)
      .map(({ spec, own }) => [spec.session, own] as const),
  );
  const losses = new Map<Cell, Loss>();
  const add = (cell: Cell, { lost, up, down }: Loss): void => {
    const sum = losses.get(cell);
    if (sum === undefined) losses.set(cell, { lost, up, down });
    else {
      sum.lost += lost;
      sum.up += up;
      sum.down += down;
    }
  };
  for (const { spec, own, hop, path } of all) {
    if (own.size === 0 || hop === undefined) continue;
    if (spec.hop === 1) {
      const lost = missing(own);
      add(hop, { lost, up: lost, down: 0 });
    }
    if (path === undefined) continue;
    const loss = pathLoss(own, relayed.get(spec.session));
    add(path, loss);
    // What did not get as far as the last hop was not lost on it.
    add(hop, { lost: loss.down, up: 0, down: loss.down });
  }
  return losses;
}

function missing({ first, last, size }: SequenceSet): number {
  return last - first + 1 - size;
}

function pathLoss(arrived: SequenceSet, relayed: SequenceSet | undefined): Loss {
  const lost = missing(arrived);
  const loss = { lost, up: 0, down: 0 };
  if (lost === 0 || relayed === undefined) return loss;
  for (const [before, after] of arrived.gaps()) {
    if (!relayed.has(before) || !relayed.has(after)) continue;
    const down = relayed.countBetween(before, after);
    loss.down += down;
    loss.up += after - before - 1 - down;
  }
  return loss;
}
