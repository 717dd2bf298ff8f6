/** A line on a terminal that tells how far the reading is. */

import { formatCount } from "../cli/numbers.ts";

const EVERY_MS = 100;
const BAR_WIDTH = 30;
const CLEAR_LINE = "\r\x1b[K";

export interface Progress {
  show(bytes: number, lines: number): void;
  /** Clears the line. */
  end(): void;
}

/**
 * @param stream a terminal, or nothing is shown
 * @param totalBytes of all inputs; 0: not known
 */
export function createProgress(
  stream: { write(text: string): unknown; isTTY?: boolean },
  totalBytes: number,
  nowMs: () => number,
): Progress {
  if (stream.isTTY !== true) return { show() {}, end() {} };
  const startMs = nowMs();
  let shownMs = startMs;
  let isShown = false;
  return {
    show(bytes, lines) {
      const now = nowMs();
      if (now - shownMs < EVERY_MS) return;
      shownMs = now;
      isShown = true;
      const share = Math.min(1, totalBytes > 0 ? bytes / totalBytes : 0);
      const filled = Math.round(share * BAR_WIDTH);
      const bar = totalBytes > 0
        ? `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${Math.floor(share * 100)} %  `
        : "";
      const rate = Math.round(lines / (now - startMs) * 1000);
      stream.write(`${CLEAR_LINE}${bar}${formatCount(lines)} lines, ${formatCount(rate)}/s`);
    },
    end() {
      if (isShown) stream.write(CLEAR_LINE);
    },
  };
}
