/** Sums of lost messages over the sessions that share a key. */

import type { LossFigures } from "./summary.ts";

/** Tells what a session lost so far: totals, which may shrink where a message comes after all. */
export type LossSource = () => LossFigures;

/** Nothing lost. */
export function noLoss(): LossFigures {
  return { lost: 0, up: 0, down: 0, dropped: 0, duplicates: 0, reordered: 0 };
}

/** Both together. */
export function addLoss(a: LossFigures, b: LossFigures): LossFigures {
  return combine(a, b, 1);
}

/** What `a` has beyond `b`. */
export function subtractLoss(a: LossFigures, b: LossFigures): LossFigures {
  return combine(a, b, -1);
}

function combine(a: LossFigures, b: LossFigures, sign: 1 | -1): LossFigures {
  return {
    lost: a.lost + sign * b.lost,
    up: a.up + sign * b.up,
    down: a.down + sign * b.down,
    dropped: a.dropped + sign * b.dropped,
    duplicates: a.duplicates + sign * b.duplicates,
    reordered: a.reordered + sign * b.reordered,
  };
}
