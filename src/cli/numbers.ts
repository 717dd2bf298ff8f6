/** How figures are written on a terminal. */

/** What stands where there is no figure. */
const NO_FIGURE = "–";

/** Largest figure (exclusive) for each number of decimals: about four digits that mean something. */
const DECIMALS: readonly (readonly [below: number, decimals: number])[] = [
  [1, 4],
  [10, 3],
  [100, 2],
  [1000, 1],
];

/**
 * Milliseconds to about four significant digits, at most to the clock's resolution of 0.1 µs:
 * `0.0421`, `1.234`, `12.34`, `123.4`, `1,234`.
 */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return NO_FIGURE;
  const text = formatMagnitude(Math.abs(ms));
  return ms < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** The median of an error bound: never as if it were nothing; `?` where none is known. */
export function formatBound(bound: { p50: number } | undefined): string {
  if (bound === undefined) return "?";
  return bound.p50 < 0.0001 ? "<0.0001" : formatMs(bound.p50);
}

/** A difference in milliseconds, always with its sign unless it is zero. */
export function formatSignedMs(ms: number): string {
  const text = formatMs(ms);
  return ms > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

function formatMagnitude(magnitude: number): string {
  for (const [below, decimals] of DECIMALS) {
    const text = magnitude.toFixed(decimals);
    if (Number(text) < below) return text;
  }
  return formatCount(magnitude);
}

/** A count with thousands separators: `1,234,567`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NO_FIGURE;
  const rounded = Math.round(count);
  if (Math.abs(rounded) >= 1e12) return rounded.toExponential(2);
  return String(rounded).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A count of things: `1 pair`, `1,200 pairs`. */
export function formatCountOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `part` of `whole` in per cent without the sign: `12.5`, `0.97`, `<0.01`. */
export function formatPercent(part: number, whole: number): string {
  const percent = whole > 0 ? (part / whole) * 100 : 0;
  if (percent > 0 && percent < 0.01) return "<0.01";
  return percent >= 10 ? percent.toFixed(1) : percent.toFixed(2);
}

/** A rate per second: `0.25`, `12.5`, `1,250`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 99.95) return formatCount(perSecond);
  if (!Number.isFinite(perSecond)) return NO_FIGURE;
  return perSecond.toFixed(perSecond >= 9.995 ? 1 : 2);
}

/** How long something has waited, roughly: `<1 s`, `12 s`, `5 min`, `3 h`, `4 d`. */
export function formatAge(seconds: number): string {
  if (!Number.isFinite(seconds)) return NO_FIGURE;
  if (seconds < 1) return "<1 s";
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  if (seconds < 119.5 * 60) return `${Math.round(seconds / 60)} min`;
  const hours = Math.round(seconds / 3600);
  return hours < 48 ? `${hours} h` : `${formatCount(hours / 24)} d`;
}

/** Time since the start, in whole seconds: `0:07`, `12:34`, `1:02:03`. */
export function formatElapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part: number) => String(part % 60).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60);
  return hours > 0
    ? `${formatCount(hours)}:${two(minutes)}:${two(whole)}`
    : `${minutes}:${two(whole)}`;
}

/** A length of time, exactly: `0.5 s`, `90 s`, `2.5 min`, `2 h`. */
export function formatSpan(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `${formatMinutes(minutes)} min` : `${formatMinutes(minutes / 60)} h`;
}

function formatMinutes(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
