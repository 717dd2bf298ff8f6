/** Instants as users write them: ISO 8601, or how long ago. */

import { quote } from "../cli/escape.ts";
import { parseDurationMs, type ValueType } from "../cli/values.ts";

const DAY_MS = 86_400_000;
const DAYS = /^(\d{1,6}(?:\.\d{1,6})?)d$/;
const HAS_ZONE = /(Z|[+-]\d\d:?\d\d)$/;
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * An instant in Unix milliseconds: `2026-03-01`, `2026-03-01T12:00`, with seconds, their fraction
 * and a zone where wanted (UTC where there is none), or `90m`, `36h`, `7d` ago.
 *
 * @param nowMs the time that "ago" counts from
 */
export function instant(nowMs: () => number): ValueType<number> {
  return {
    placeholder: "TIME",
    parse(text) {
      if (ISO.test(text)) {
        const hasTime = text.length > "2026-03-01".length;
        const zoned = hasTime && !HAS_ZONE.test(text) ? `${text}Z` : text;
        const unixMs = Date.parse(zoned.replace(" ", "T"));
        if (!Number.isNaN(unixMs)) return { value: unixMs };
      }
      const days = DAYS.exec(text)?.[1];
      if (days !== undefined) return { value: nowMs() - Number(days) * DAY_MS };
      const ago = parseDurationMs(text, { needsUnit: true });
      if (!("problem" in ago)) return { value: nowMs() - ago.value };
      return {
        problem: `${quote(text)} is no time, such as 2026-03-01T12:00Z, or 90m, 36h or 7d ago`,
      };
    },
  };
}
