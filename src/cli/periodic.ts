/** When figures are shown and intervals end. */

/** A live view is redrawn this often. */
const REDRAW_MS = 500;

/**
 * Calls `report` every `statsMs` (0: never), and `redraw` more often where `isLive`. Returns what
 * ends both.
 */
export function showPeriodically(
  { statsMs, isLive }: { statsMs: number; isLive: boolean },
  { report, redraw }: { report: () => void; redraw: () => void },
): () => void {
  const timers = [
    ...(statsMs > 0 ? [setInterval(report, statsMs)] : []),
    ...(isLive ? [setInterval(redraw, REDRAW_MS)] : []),
  ];
  return () => timers.forEach(clearInterval);
}
