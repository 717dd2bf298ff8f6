import type { Line } from "../cli/lines.ts";
import type { Comparison } from "./comparison.ts";

export function comparisonLines(_comparisons: readonly Comparison[], _width: number): Line[] {
  return [];
}
