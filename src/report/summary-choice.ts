/**
 * Which of the summary records count. The same messages may be told of several times: by hop
 * records, by the end that finished the hop, and by others that heard of it; once is right.
 */

import type { Cell, CellSpec } from "./cells.ts";
import type { SummaryBin, SummaryCell } from "./summary-figures.ts";

/** Of one key and reporter, what no better source tells. */
export interface ChosenBins {
  spec: CellSpec;
  bins: ReadonlyMap<number, SummaryBin>;
}

/**
 * In each bin of time and for each key: nothing where there are hop records; else what the end
 * itself says; else what that one of the others says that has seen most.
 */
export function chooseBins(
  hopCells: readonly Cell[],
  summaryCells: readonly SummaryCell[],
): ChosenBins[] {
  /** Bins with hop records, by what they are of. */
  const covered = new Map<string, Set<number>>();
  for (const { spec, series } of hopCells) {
    const id = messagesOf(spec);
    const numbers = covered.get(id) ?? new Set();
    covered.set(id, numbers);
    for (const number of series.bins.keys()) numbers.add(number);
  }
  const rivals = new Map<string, SummaryCell[]>();
  for (const cell of summaryCells) {
    const id = messagesOf(cell.spec);
    rivals.set(id, [...rivals.get(id) ?? [], cell]);
  }
  return [...rivals].flatMap(([id, cells]) =>
    cells.map((cell) => ({
      spec: cell.spec,
      bins: new Map(
        [...cell.series.bins].filter(([number]) =>
          !covered.get(id)?.has(number) && tellers(cells, number).includes(cell)
        ),
      ),
    }))
  ).filter(({ bins }) => bins.size > 0);
}

/** Cells that tell of the same messages agree in this. */
function messagesOf({ key, hops, echo, route }: CellSpec): string {
  // A path's hop records know the receiver's route alone.
  return JSON.stringify([key, hops, echo, route.slice(route.indexOf(">") + 1)]);
}

/** Those whose bin counts. */
function tellers(cells: readonly SummaryCell[], number: number): SummaryCell[] {
  const present = cells.filter(({ series }) => series.bins.has(number));
  const ends = present.filter(({ spec }) => spec.reporter === spec.to);
  if (ends.length > 0) return ends;
  const countOf = ({ series }: SummaryCell) => series.bins.get(number)!.sums["count"] ?? 0;
  return present.sort((a, b) => countOf(b) - countOf(a)).slice(0, 1);
}
