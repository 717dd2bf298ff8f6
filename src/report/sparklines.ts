/** Figures over time, a character for each interval. */

import { type Line, line } from "../cli/lines.ts";
import { formatCount, formatMs, formatSpan } from "../cli/numbers.ts";
import { sparkline } from "../cli/sparkline.ts";
import { shorten, textWidth } from "../cli/text-width.ts";
import type { ReportDocument } from "./document.ts";
import { haveRoutes, rowName } from "./row-names.ts";

const MOST_LINES = 40;
const GAP = 2;

/** One line of blocks for each key: from its lowest p95 to its highest. */
export function sparklines({ keys, intervals }: ReportDocument, width: number): Line[] {
  const rows = keys.filter(({ p95_over_time_ms: values }) =>
    values.filter((value) => value !== null).length > 1
  );
  if (rows.length === 0 || intervals === undefined) return [];
  const shown = rows.slice(0, MOST_LINES);
  const hasRoutes = haveRoutes(keys);
  const drawn = shown.map(({ p95_over_time_ms: values }) => {
    const known = values.filter((value) => value !== null);
    const [lowest, highest] = [Math.min(...known), Math.max(...known)];
    return {
      blocks: sparkline(values),
      range: `${formatMs(lowest)}–${formatMs(highest)}`,
    };
  });
  const rangeWidth = Math.max(...drawn.map(({ range }) => textWidth(range)));
  const longest = Math.max(...drawn.map(({ blocks }) => blocks.length));
  // Names keep a third of the line: pairs of columns become one where there are too many.
  const most = Math.max(10, width - rangeWidth - 2 * GAP - Math.floor(width / 3));
  const merged = Math.ceil(longest / most);
  const blocksWidth = Math.ceil(longest / merged);
  const nameWidth = width - rangeWidth - blocksWidth - 2 * GAP;
  const seconds = intervals.seconds * merged;
  const names = shown.map((row) => shorten(rowName(row, hasRoutes), nameWidth));
  const used = Math.max(...names.map(textWidth));
  const space = " ".repeat(GAP);
  const left = rows.length - shown.length;
  return [
    line(
      `p95 over time, ms: ${formatSpan(seconds)} a column, from ${intervals.start.slice(0, 19)}Z`,
      "bold",
    ),
    ...shown.map((row, index): Line => {
      const values = thinOut(row.p95_over_time_ms, merged);
      const name = names[index]!;
      return [
        { text: name + " ".repeat(used - textWidth(name)) + space + sparkline(values) + space },
        { text: drawn[index]!.range.padStart(rangeWidth) },
      ];
    }),
    ...(left > 0 ? [line(`… ${formatCount(left)} more`)] : []),
  ];
}

/** The largest of each so many: what was bad stays to be seen. */
function thinOut(values: readonly (number | null)[], each: number): (number | null)[] {
  const thinned: (number | null)[] = [];
  for (let at = 0; at < values.length; at += each) {
    const known = values.slice(at, at + each).filter((value) => value !== null);
    thinned.push(known.length === 0 ? null : Math.max(...known));
  }
  return thinned;
}
