/** Reads numbers of JSON where they stand, as `JSON.parse` would. */

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_N = 0x6e;
/** Up to here a whole number and the power of ten that divides it are exact, so is the quotient. */
const MOST_DIGITS = 15;

const POWERS_OF_TEN = Array.from({ length: MOST_DIGITS + 1 }, (_, digits) => 10 ** digits);
const NULL = [0x6e, 0x75, 0x6c, 0x6c] as const;

export interface NumberReader {
  /**
   * The number that begins at `at`; `null` is NaN. Where neither stands there, or one with more
   * than 15 digits or an exponent, `end` is -1.
   */
  read(bytes: Uint8Array, at: number): number;
  /** As `read`, of digits alone, such as a sequence has. */
  readDigits(bytes: Uint8Array, at: number): number;
  /** Where the number that was read last ends. */
  readonly end: number;
}

export function createNumberReader(): NumberReader {
  let end = 0;
  return {
    read(bytes, at) {
      let next = at;
      let byte = bytes[next]!;
      if (byte === LETTER_N) {
        const isNull = NULL.every((letter, index) => bytes[at + index] === letter);
        end = isNull ? at + NULL.length : -1;
        return NaN;
      }
      const isNegative = byte === MINUS;
      if (isNegative) byte = bytes[++next]!;
      const wholeAt = next;
      let digits = 0;
      while (byte >= ZERO && byte <= NINE) {
        digits = digits * 10 + byte - ZERO;
        byte = bytes[++next]!;
      }
      const whole = next - wholeAt;
      let fraction = 0;
      if (byte === POINT) {
        const pointAt = next;
        byte = bytes[++next]!;
        while (byte >= ZERO && byte <= NINE) {
          digits = digits * 10 + byte - ZERO;
          byte = bytes[++next]!;
        }
        fraction = next - pointAt - 1;
        if (fraction === 0) {
          end = -1;
          return NaN;
        }
      }
      const hasLeadingZero = whole > 1 && bytes[wholeAt] === ZERO;
      if (whole === 0 || whole + fraction > MOST_DIGITS || hasLeadingZero) {
        end = -1;
        return NaN;
      }
      end = next;
      const number = fraction === 0 ? digits : digits / POWERS_OF_TEN[fraction]!;
      return isNegative ? -number : number;
    },
    readDigits(bytes, at) {
      let next = at;
      let digits = 0;
      for (let byte = bytes[next]!; byte >= ZERO && byte <= NINE; byte = bytes[++next]!) {
        digits = digits * 10 + byte - ZERO;
      }
      end = next === at || next - at > MOST_DIGITS ? -1 : next;
      return end < 0 ? NaN : digits;
    },
    get end() {
      return end;
    },
  };
}
