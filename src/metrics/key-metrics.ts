/**
 * Metrics of this process's own keys: counters, and a histogram of the delays. A key's text is made
 * when somebody scrapes after it changed. Beyond a number of label sets keys are added up in one,
 * named `other`: whoever connects under ever new names cannot fill a database.
 */

import {
  boundText,
  type ExpositionFormat,
  type Family,
  familyLines,
  histogramLines,
  type HistogramSample,
  labelsText,
  sampleLine,
} from "./exposition.ts";
import type { Histogram } from "./histogram.ts";
import type { KeyNews } from "./key-news.ts";
import { OTHER } from "./keys.ts";
import type { KeySummary } from "./summary.ts";

/** Keys that have label sets of their own. */
const MOST_LABEL_SETS = 1_000;

/** Seconds: from a switch to half way around the world and to trouble. */
const BOUNDS_S = [
  0.00005,
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.15,
  0.2,
  0.25,
  0.3,
  0.4,
  0.5,
  0.75,
  1,
  2.5,
  5,
  10,
];
const BOUNDS_US: readonly number[] = BOUNDS_S.map((bound) => bound * 1e6);
const BOUND_TEXTS: readonly string[] = BOUNDS_S.map(boundText);

interface KeyFamily extends Family {
  of: (summary: KeySummary) => number | undefined;
}

const counter = (name: string, help: string, of: (summary: KeySummary) => number): KeyFamily => ({
  name: `performance_${name}`,
  type: "counter",
  help,
  of,
});

const DELAY: Family = {
  name: "performance_delay_seconds",
  type: "histogram",
  unit: "seconds",
  help:
    "Corrected one-way delay of a hop; of a path the sum of its hops; of an echo the round trip.",
};

const FAMILIES: readonly KeyFamily[] = [
  counter("messages", "Messages in the figures: warm-up left out.", ({ count }) => count),
  counter("lost_up", "Messages lost between origin and relay.", ({ up }) => up),
  counter("lost_down", "Messages lost between relay and receiver.", ({ down }) => down),
  counter(
    "dropped",
    "Messages that a relay gave up because the receiver fell behind: part of lost_down.",
    ({ dropped }) => dropped,
  ),
  counter("duplicates", "Messages that arrived again.", ({ duplicates }) => duplicates),
  counter("reordered", "Messages that arrived after a later one.", ({ reordered }) => reordered),
  counter("negative", "Delays below zero, within their error bound.", ({ negative }) => negative),
  counter(
    "uncorrected",
    "Messages received while the offset of the clocks was unknown: without a delay.",
    ({ uncorrected }) => uncorrected,
  ),
  {
    name: "performance_error_bound_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Median of the bound on the error of the delay, since the start.",
    of: ({ error_ms }) => error_ms && error_ms.p50 / 1000,
  },
  {
    name: "performance_jitter_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Smoothed jitter (RFC 3550).",
    of: ({ jitter_ms }) => jitter_ms === undefined ? undefined : jitter_ms / 1000,
  },
];

interface Entry {
  /** Has a label set of its own. */
  isShown: boolean;
  labels: string;
  /** What changed since the texts were made. */
  news: KeyNews | undefined;
  /** By family; counters are the highest that they were, as a lost message may come after all. */
  values: (number | undefined)[];
  delay: HistogramSample;
  lines: string[];
  delayLines: string;
}

export interface KeyMetrics {
  take(news: KeyNews): void;
  /** Makes the texts of those that changed, one at each step. */
  refresh(): Iterable<void>;
  write(format: ExpositionFormat): Iterable<string>;
}

export function createKeyMetrics(): KeyMetrics {
  const entries = new Map<KeyNews["figures"], Entry>();

  function entryFor(figures: KeyNews["figures"]): Entry {
    let entry = entries.get(figures);
    if (entry === undefined) {
      const { key, from, to, route, hops, echo } = figures.spec;
      const path = hops > 1 ? key : "";
      entry = {
        isShown: entries.size < MOST_LABEL_SETS,
        labels: labelsText({ from, to, route, path, echo: echo ? "true" : "" }),
        news: undefined,
        values: [],
        delay: { cumulative: BOUNDS_US.map(() => 0), count: 0, sum: 0 },
        lines: [],
        delayLines: "",
      };
      entries.set(figures, entry);
    }
    return entry;
  }

  function renew(entry: Entry, { figures, summary }: KeyNews): void {
    entry.values = FAMILIES.map(({ type, of }, i) => {
      const value = of(summary);
      return type === "counter" ? Math.max(entry.values[i] ?? 0, value ?? 0) : value;
    });
    entry.delay = histogramSample(figures.delays(), entry.delay.sum);
    if (entry.isShown) writeLines(entry);
  }

  /** Of all keys beyond those that have label sets. */
  function other(rest: readonly Entry[]): Entry {
    const sum = (of: (entry: Entry) => number) => rest.reduce((total, one) => total + of(one), 0);
    const entry: Entry = {
      isShown: true,
      labels: labelsText({ from: OTHER, to: OTHER, route: OTHER }),
      news: undefined,
      values: FAMILIES.map(({ type }, i) =>
        type === "counter" ? sum(({ values }) => values[i] ?? 0) : undefined
      ),
      delay: {
        cumulative: BOUNDS_US.map((_, i) => sum(({ delay }) => delay.cumulative[i]!)),
        count: sum(({ delay }) => delay.count),
        sum: sum(({ delay }) => delay.sum),
      },
      lines: [],
      delayLines: "",
    };
    writeLines(entry);
    return entry;
  }

  return {
    take(news) {
      entryFor(news.figures).news = news;
    },
    *refresh() {
      for (const entry of entries.values()) {
        if (entry.news === undefined) continue;
        renew(entry, entry.news);
        entry.news = undefined;
        yield;
      }
    },
    *write(format) {
      const all = [...entries.values()];
      const shown = all.filter(({ isShown }) => isShown);
      if (all.length > shown.length) shown.push(other(all.filter(({ isShown }) => !isShown)));
      yield familyLines(DELAY, format);
      for (const { delayLines } of shown) yield delayLines;
      for (let i = 0; i < FAMILIES.length; i++) {
        yield familyLines(FAMILIES[i]!, format);
        for (const { lines } of shown) yield lines[i] ?? "";
      }
    },
  };
}

/** `sum` never falls below what it was, as delays below zero would have it. */
function histogramSample(histogram: Histogram, leastSum: number): HistogramSample {
  const { count, mean } = histogram;
  return {
    cumulative: cumulative(histogram),
    count,
    sum: Math.max(leastSum, count === 0 ? 0 : (mean * count) / 1e6),
  };
}

/** How many values are at most each of the bounds, to a bucket's step. */
function cumulative(histogram: Histogram): number[] {
  const sums: number[] = [];
  let seen = 0;
  histogram.eachBucket((valueUs, count) => {
    while (sums.length < BOUNDS_US.length && BOUNDS_US[sums.length]! < valueUs) sums.push(seen);
    seen += count;
  });
  while (sums.length < BOUNDS_US.length) sums.push(seen);
  return sums;
}

function writeLines(entry: Entry): void {
  entry.lines = FAMILIES.map((family, i) => {
    const value = entry.values[i];
    return value === undefined ? "" : sampleLine(family, entry.labels, value);
  });
  entry.delayLines = histogramLines(DELAY, entry.labels, BOUND_TEXTS, entry.delay);
}

/** The lines of a distribution without labels. */
export function distributionLines(
  family: Family,
  histogram: Histogram,
  format: ExpositionFormat,
): string {
  if (histogram.count === 0) return "";
  return familyLines(family, format) +
    histogramLines(family, "", BOUND_TEXTS, histogramSample(histogram, 0));
}
