/** What the suites of simulated clock worlds share: routes of any kind, and figures of errors. */
import type { ConnectionOptions } from "./clock-world.ts";
import type { Random } from "./random.ts";

/** Any route of 0.03 to 100 ms each way, calm or not, as datagrams or a stream. */
export function anyConnection(random: Random): ConnectionOptions {
  const delivery = random.chance(0.5) ? "stream" : "datagram";
  const way = () => {
    const delayUs = 10 ** random.between(1.5, 5);
    return {
      delayUs,
      jitterUs: random.chance(0.2) ? 0 : Math.min(3000, delayUs) * random.between(0.01, 1),
      loss: random.chance(0.5) ? 0 : random.between(0, 0.1),
      duplication: random.chance(0.5) ? 0 : 0.05,
      delivery,
      ...(random.chance(0.4) && {
        congestion: {
          everyUs: random.between(8e6, 40e6),
          lastsUs: random.between(0.2e6, 6e6),
          peakUs: random.between(1e3, 80e3),
        },
      }),
    } as const;
  };
  return { up: way(), down: way(), startUs: random.between(0, 3e6) };
}

/** Nearest rank. */
export function percentile(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** A line for the log. */
export function figures(values: number[]): string {
  const at = (share: number) => percentile(values, share).toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`;
}
