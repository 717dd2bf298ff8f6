/**
 * Runs of messages: what a flood sends together travels together, so that whole stretches of what
 * arrives carry the same stamps. All figures of such messages are equal, and are made once.
 */
import {
  hopOffset,
  readHopCorrectionUs,
  readHopCount,
  readHopErrorUs,
  readHopMethod,
  readHopReceivedUs,
  readHopSentUs,
  readIntendedUs,
  readSequence,
} from "./data-frame.ts";
import { MAX_SEQUENCE, type Region } from "./frame.ts";
import { MAX_TIME_US } from "./time.ts";

/**
 * Messages that follow one another in a buffer and in sequence, alike in all but their sequence,
 * slot and payload.
 */
export interface MessageRun {
  readonly view: DataView;
  /** Where the first one begins. */
  readonly at: number;
  /** Length of each one's frame. */
  readonly frameBytes: number;
  /** At least 1. */
  readonly count: number;
  /** When they arrived. */
  readonly receivedUs: number;
}

/**
 * The run that begins at `at` of the region, with a message without fault whose last hop is open:
 * the others have no fault either.
 *
 * @param next The sequence that is expected. What comes late, or again, is a run by itself.
 */
export function readRun(region: Region, at: number, next: number): MessageRun {
  const { view, receivedUs } = region;
  const frameBytes = view.getUint32(at, true);
  const count = readSequence(view, at) < next ? 1 : countAlike(view, at, region.end);
  return { view, at, frameBytes, count, receivedUs };
}

/** Calls `each` with the place of every message of the run, in their order. */
export function eachMessage(run: MessageRun, each: (at: number) => void): void {
  const end = run.at + run.count * run.frameBytes;
  for (let at = run.at; at < end; at += run.frameBytes) each(at);
}

function countAlike(view: DataView, at: number, end: number): number {
  const frameBytes = view.getUint32(at, true);
  let sequence = readSequence(view, at);
  let count = 1;
  for (let next = at + frameBytes; next + frameBytes <= end; next += frameBytes) {
    sequence++;
    if (readSequence(view, next) !== sequence || sequence > MAX_SEQUENCE) break;
    if (!isAlike(view, at, next)) break;
    count++;
  }
  return count;
}

function isAlike(view: DataView, at: number, next: number): boolean {
  // Most often it is this, or the length, that differs.
  const last = readHopCount(view, at) - 1;
  const sentUs = readHopSentUs(view, hopOffset(at, last));
  if (readHopSentUs(view, hopOffset(next, last)) !== sentUs) return false;
  // Length; type, flags, slots, hops; origin; bytes of payload.
  for (let word = 0; word < 16; word += 4) {
    if (view.getUint32(next + word, true) !== view.getUint32(at + word, true)) return false;
  }
  if (!(Math.abs(readIntendedUs(view, next)) <= MAX_TIME_US)) return false;
  for (let hop = 0; hop < last; hop++) {
    if (!isHopAlike(view, hopOffset(at, hop), hopOffset(next, hop))) return false;
  }
  return true;
}

/** A bound that is unknown, which is NaN, is like another one. */
function isHopAlike(view: DataView, hopAt: number, nextAt: number): boolean {
  return readHopSentUs(view, nextAt) === readHopSentUs(view, hopAt) &&
    readHopReceivedUs(view, nextAt) === readHopReceivedUs(view, hopAt) &&
    readHopCorrectionUs(view, nextAt) === readHopCorrectionUs(view, hopAt) &&
    Object.is(readHopErrorUs(view, nextAt), readHopErrorUs(view, hopAt)) &&
    readHopMethod(view, nextAt) === readHopMethod(view, hopAt);
}
