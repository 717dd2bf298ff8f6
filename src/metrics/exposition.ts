/**
 * Metrics as text: Prometheus' format 0.0.4 and OpenMetrics 1.0.0, which differ in how counters
 * are named, in units, and in the end.
 *
 * Written here instead of taken from a library: a library keeps histograms of its own, into which
 * every message would have to be put a second time; what is exposed here are counts of the
 * histograms that exist anyway.
 */

export type ExpositionFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export type Labels = Readonly<Record<string, string>>;

/** One metric with all its label sets. */
export interface Family {
  /** Without `_total`. */
  name: string;
  type: "counter" | "gauge" | "histogram" | "info";
  /** Unit that the name ends with. */
  unit?: "seconds" | "bytes";
  help: string;
}

/** Cumulative counts up to each of the bounds, of `count` values whose sum is `sum`. */
export interface HistogramSample {
  cumulative: readonly number[];
  count: number;
  /** In the family's unit. */
  sum: number;
}

/** The lines that stand above a family's samples. */
export function familyLines({ name, type, unit, help }: Family, format: ExpositionFormat): string {
  const isOpen = format === "openmetrics";
  // Prometheus' own format knows no infos; there they are gauges.
  const suffix = type === "info"
    ? isOpen ? "" : "_info"
    : type === "counter" && !isOpen
    ? "_total"
    : "";
  const shownType = type === "info" && !isOpen ? "gauge" : type;
  const unitLine = isOpen && unit !== undefined ? `# UNIT ${name} ${unit}\n` : "";
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name}${suffix} ${text}\n# TYPE ${name}${suffix} ${shownType}\n${unitLine}`;
}

/** A sample of a counter, a gauge or an info, with its newline. */
export function sampleLine({ name, type }: Family, labels: string, value: number): string {
  const suffix = type === "counter" ? "_total" : type === "info" ? "_info" : "";
  return `${name}${suffix}${braced(labels)} ${numberText(value)}\n`;
}

/** The lines of a histogram; `bounds` in the family's unit, ascending. */
export function histogramLines(
  { name }: Family,
  labels: string,
  bounds: readonly string[],
  { cumulative, count, sum }: HistogramSample,
): string {
  const before = labels === "" ? "" : `${labels},`;
  let text = "";
  for (let i = 0; i < bounds.length; i++) {
    text += `${name}_bucket{${before}le="${bounds[i]}"} ${cumulative[i]}\n`;
  }
  const all = braced(labels);
  return `${text}${name}_bucket{${before}le="+Inf"} ${count}\n` +
    `${name}_count${all} ${count}\n${name}_sum${all} ${numberText(sum)}\n`;
}

/** Labels as they stand between braces; those with the empty text are left out. */
export function labelsText(labels: Labels): string {
  return Object.entries(labels).filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`).join();
}

/** What ends the text. */
export function lastLine(format: ExpositionFormat): string {
  return format === "openmetrics" ? "# EOF\n" : "";
}

/** Which format an Accept header asks for; Prometheus' own where it leaves the choice. */
export function acceptedFormat(accept: string | undefined): ExpositionFormat {
  return /application\/openmetrics-text(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accept ?? "")
    ? "openmetrics"
    : "prometheus";
}

/** A bound of a bucket as both formats write it: with a point, always. */
export function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
