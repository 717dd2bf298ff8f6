/** A figure over time, a character for each interval. */

const BLOCKS = "▁▂▃▄▅▆▇█";
/** Of the highest value: what a line spans at least, and so the least change worth a colour. */
export const LEAST_RANGE = 0.05;

/** A block for each value, a space where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const lowest = Math.min(...known);
  const highest = Math.max(...known);
  // What is nearly constant shall not look wild.
  const range = Math.max(highest - lowest, LEAST_RANGE * Math.abs(highest));
  return values.map((value) => {
    if (value === null) return " ";
    return BLOCKS[range > 0 ? Math.min(7, Math.floor((value - lowest) / range * 8)) : 0]!;
  }).join("");
}
