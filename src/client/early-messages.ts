/**
 * Messages that overtook the directory (or the welcome) that tells whose they are: over UDP they
 * wait for it, with the time at which they arrived.
 */
import type { Region } from "../relay/frame.ts";

/** A lost control frame is sent again within a few round trips; it may be lost again. */
const KEEP_US = 3_000_000;
const MAX_BYTES = 4 * 1024 * 1024;

export interface EarlyMessages {
  /** Keeps a message; false where it cannot be. */
  keep(region: Region): boolean;
  /** Takes out all that wait, those that did so for too long excepted: `forgotten` of them. */
  takeAll(nowUs: number): { regions: Region[]; forgotten: number };
}

export function createEarlyMessages(): EarlyMessages {
  let kept: Region[] = [];
  let bytes = 0;
  return {
    keep(region) {
      const size = region.end - region.start;
      if (bytes + size > MAX_BYTES) return false;
      kept.push(region);
      bytes += size;
      return true;
    },
    takeAll(nowUs) {
      const regions = kept.filter(({ receivedUs }) => nowUs - receivedUs <= KEEP_US);
      const forgotten = kept.length - regions.length;
      kept = [];
      bytes = 0;
      return { regions, forgotten };
    },
  };
}
