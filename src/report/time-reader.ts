/** Reads times as records have them, `2026-03-01T12:00:00.123456Z`, where they stand. */

import { fromUnixMs } from "../relay/time.ts";

/** Length of a time, without its quotes. */
const TIME_BYTES = 27;

const ZERO = 0x30;
const [DASH, LETTER_T, COLON, POINT, LETTER_Z] = [0x2d, 0x54, 0x3a, 0x2e, 0x5a] as const;

export interface TimeReader {
  /**
   * Reads the time that begins at `at` into `into[place]`, in µs since 2020.
   *
   * @returns where it ends; -1 where there is none
   */
  read(bytes: Uint8Array, at: number, into: Float64Array, place: number): number;
}

/** The midnight of the date that came last is kept: dates seldom change from line to line. */
export function createTimeReader(): TimeReader {
  let lastDate = -1;
  let midnightUs = NaN;
  return {
    read(bytes, at, into, place) {
      const isShaped = bytes[at + 4] === DASH && bytes[at + 7] === DASH &&
        bytes[at + 10] === LETTER_T && bytes[at + 13] === COLON && bytes[at + 16] === COLON &&
        bytes[at + 19] === POINT && bytes[at + 26] === LETTER_Z;
      if (!isShaped) return -1;
      const year = two(bytes, at) * 100 + two(bytes, at + 2);
      const date = year * 10_000 + two(bytes, at + 5) * 100 + two(bytes, at + 8);
      const hour = two(bytes, at + 11);
      const minute = two(bytes, at + 14);
      const second = two(bytes, at + 17);
      const micros = (two(bytes, at + 20) * 100 + two(bytes, at + 22)) * 100 + two(bytes, at + 24);
      // Two digits that are none are NaN, which no comparison is true of.
      if (!(hour < 24 && minute < 60 && second < 60 && micros < 1e6 && date >= 0)) return -1;
      if (date !== lastDate) {
        const text = String.fromCharCode(...bytes.subarray(at, at + 10));
        midnightUs = fromUnixMs(Date.parse(`${text}T00:00:00Z`));
        lastDate = date;
      }
      const timeUs = midnightUs + ((hour * 60 + minute) * 60 + second) * 1e6 + micros;
      into[place] = timeUs;
      // Of some dates, such as the 31st of February, there is no midnight.
      return timeUs - timeUs === 0 ? at + TIME_BYTES : -1;
    },
  };
}

/** The number that two digits make; NaN where one is none. */
function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}
