/**
 * Conditions under which a report is a failure, for scripts:
 *
 *     CONDITION = METRIC COMPARISON NUMBER [UNIT]
 *     METRIC = "p50" | "p90" | "p95" | "p99" | "p999" | "p99.9" | "max" | "mean" | "min" | "loss"
 *     COMPARISON = ">" | ">=" | "<" | "<="
 *     UNIT = "us" | "ms" | "s" of delays, "%" of loss; where there is none, ms and %
 *
 * Several stand behind one another, separated by commas.
 */

import { quote } from "../cli/escape.ts";
import { nearest } from "../cli/nearest.ts";
import { formatMs } from "../cli/numbers.ts";
import type { Parsed, ValueType } from "../cli/values.ts";
import type { DelayFigures } from "../metrics/summary.ts";

const DELAYS = ["p50", "p90", "p95", "p99", "p999", "max", "mean", "min"] as const;
type Delay = (typeof DELAYS)[number];
const COMPARISON = /^\s*([a-z]+[0-9.]*)\s*(>=|<=|>|<)\s*(\d{1,9}(?:\.\d{1,9})?)\s*([a-z%]*)\s*$/i;
const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

export interface Condition {
  /** As the user wrote it. */
  text: string;
  metric: Delay | "loss";
  comparison: ">" | ">=" | "<" | "<=";
  /** Milliseconds, or per cent. */
  bound: number;
}

/** Figures that conditions are about. */
export interface ConditionFigures {
  ms?: DelayFigures;
  count: number;
  lost: number;
}

export const conditions: ValueType<readonly Condition[]> = {
  placeholder: "CONDITION[,…]",
  parse(text) {
    const found: Condition[] = [];
    for (const part of text.split(",")) {
      const parsed = parseCondition(part);
      if ("problem" in parsed) return parsed;
      found.push(parsed.value);
    }
    return { value: found };
  },
};

function parseCondition(text: string): Parsed<Condition> {
  const match = COMPARISON.exec(text);
  if (match === null) {
    return { problem: `${quote(text)} is no condition, such as p99>250ms or loss>0.1%` };
  }
  const [, written = "", comparison, number, unit = ""] = match;
  const name = written.toLowerCase() === "p99.9" ? "p999" : written.toLowerCase();
  const metric = [...DELAYS, "loss" as const].find((candidate) => candidate === name);
  if (metric === undefined) {
    const near = nearest(name, [...DELAYS, "loss"]);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return { problem: `${quote(written)} is none of ${DELAYS.join(", ")}, loss${hint}` };
  }
  const scale = metric === "loss"
    ? (unit === "" || unit === "%" ? 1 : undefined)
    : unit === ""
    ? 1
    : MS_PER_UNIT[unit.toLowerCase()];
  if (scale === undefined) {
    const units = metric === "loss" ? "%" : "us, ms or s";
    return { problem: `${quote(text)}: ${quote(unit)} is no unit of ${metric}: ${units}` };
  }
  return {
    value: {
      text: text.trim(),
      metric,
      comparison: comparison as Condition["comparison"],
      bound: Number(number) * scale,
    },
  };
}

/** Where the figures are as the condition says: what they are, in words. */
export function brokenBy(condition: Condition, figures: ConditionFigures): string | undefined {
  const value = valueOf(condition, figures);
  if (value === undefined || !isSo(value, condition)) return undefined;
  const shown = condition.metric === "loss" ? `${value.toPrecision(3)} %` : `${formatMs(value)} ms`;
  return `${condition.metric} is ${shown} (${condition.text})`;
}

function valueOf({ metric }: Condition, { ms, count, lost }: ConditionFigures) {
  if (metric !== "loss") return ms?.[metric];
  return count + lost > 0 ? (100 * lost) / (count + lost) : undefined;
}

function isSo(value: number, { comparison, bound }: Condition): boolean {
  if (comparison === ">") return value > bound;
  if (comparison === ">=") return value >= bound;
  return comparison === "<" ? value < bound : value <= bound;
}
