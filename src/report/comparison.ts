/** Placeholder type until comparisons are computed. */
export interface Comparison {
  from: string;
  to: string;
  differences: { quantile: string }[];
}
