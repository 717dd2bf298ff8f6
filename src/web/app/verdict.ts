/** What the difference of two routes says, in words that claim no more than it shows. */

import { formatMs, formatSignedMs } from "../../cli/numbers.ts";
import type { DelayFigures } from "../../metrics/summary.ts";

export type Outcome = "faster" | "slower" | "same" | "unknown";

export interface Verdict {
  outcome: Outcome;
  /** Median of b − a; undefined where nothing was measured. */
  medianMs: number | undefined;
  /** Where it lies with 95 % confidence, widened by the bound on the clocks' error. */
  interval: { low: number; high: number } | undefined;
  /** That bound. */
  boundMs: number;
}

/**
 * @param figures of b − a: negative where b is faster
 * @param median 95 % confidence interval of its median
 * @param errorMs bound on the error of each difference; undefined counts as none (round trips)
 */
export function judge(
  figures: DelayFigures | undefined,
  median: { low: number; high: number } | undefined,
  errorMs = 0,
): Verdict {
  if (figures === undefined) {
    return { outcome: "unknown", medianMs: undefined, interval: undefined, boundMs: errorMs };
  }
  const medianMs = figures.p50;
  if (median === undefined) {
    return { outcome: "unknown", medianMs, interval: undefined, boundMs: errorMs };
  }
  const interval = { low: median.low - errorMs, high: median.high + errorMs };
  const outcome = interval.high < 0 ? "faster" : interval.low > 0 ? "slower" : "same";
  return { outcome, medianMs, interval, boundMs: errorMs };
}

/** The verdict on b, such as `24.1 ms faster`. */
export function describeOutcome({ outcome, medianMs }: Verdict): string {
  if (medianMs === undefined) return "not measured";
  if (outcome === "unknown") return "too few pairs yet";
  if (outcome === "same") return "no difference shown";
  return `${formatMs(Math.abs(medianMs))} ms ${outcome}`;
}

/** Its interval, such as `−24.2 to −24.0`, in ms. */
export function describeInterval({ interval }: Verdict): string {
  if (interval === undefined) return "–";
  return `${formatSignedMs(interval.low)} to ${formatSignedMs(interval.high)}`;
}

/** One sentence over all verdicts on one pair of routes. */
export function summarise(
  a: string,
  b: string,
  verdicts: readonly { verdict: Verdict; from: string; to: string }[],
): string {
  const of = (outcome: Outcome) =>
    verdicts.filter(({ verdict }) => verdict.outcome === outcome)
      .sort((x, y) => Math.abs(y.verdict.medianMs!) - Math.abs(x.verdict.medianMs!));
  const faster = of("faster");
  const slower = of("slower");
  const same = of("same");
  const judged = faster.length + slower.length + same.length;
  if (judged === 0) return `${b} beside ${a}: too few pairs of messages to tell yet.`;
  const most = ({ verdict, from, to }: typeof verdicts[number], of: number) =>
    `${of > 1 ? "most " : ""}from ${from} to ${to}, by ${formatMs(Math.abs(verdict.medianMs!))} ms`;
  const on = (count: number) =>
    count < judged
      ? `on ${count} of ${judged} ways`
      : judged > 2
      ? `on all ${judged} ways`
      : judged === 2
      ? "on both ways"
      : "";
  const than = (word: string, list: typeof verdicts) =>
    `is ${word} than ${a} ${on(list.length)} (${most(list[0]!, list.length)})`;
  const parts = [
    ...(faster.length > 0 ? [than("faster", faster)] : []),
    ...(slower.length > 0 ? [than("slower", slower)] : []),
    ...(same.length > 0 ? [`shows no difference to ${a} ${on(same.length)}`] : []),
  ];
  return `${b} ${parts.join("; ")}.`.replaceAll(
    / +([.;(])/g,
    (_, mark) => mark === "(" ? " (" : mark,
  );
}
