/**
 * Reads numbers of JSON where they stand, as `JSON.parse` would. They are written into an array:
 * a function that returned them would allocate each.
 */

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_N = 0x6e;
/** Up to here a whole number and the power of ten that divides it are exact, so is the quotient. */
const MOST_DIGITS = 15;

const POWERS_OF_TEN = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, digits) => 10 ** digits);
const NULL = [0x6e, 0x75, 0x6c, 0x6c] as const;

/**
 * Reads the number that begins at `at` into `into[place]`; `null` is NaN.
 *
 * @returns where it ends; -1 where neither stands there, or a number with more than 15 digits or
 *   an exponent
 */
export function readNumber(
  bytes: Uint8Array,
  at: number,
  into: Float64Array,
  place: number,
): number {
  let next = at;
  let byte = bytes[next]!;
  if (byte === LETTER_N) return readNull(bytes, at, into, place);
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
    if (fraction === 0) return -1;
  }
  const hasLeadingZero = whole > 1 && bytes[wholeAt] === ZERO;
  if (whole === 0 || whole + fraction > MOST_DIGITS || hasLeadingZero) return -1;
  const number = fraction === 0 ? digits : digits / POWERS_OF_TEN[fraction]!;
  into[place] = isNegative ? -number : number;
  return next;
}

/** As `readNumber`, of digits alone, such as a sequence has. */
export function readDigits(
  bytes: Uint8Array,
  at: number,
  into: Float64Array,
  place: number,
): number {
  let next = at;
  let digits = 0;
  for (let byte = bytes[next]!; byte >= ZERO && byte <= NINE; byte = bytes[++next]!) {
    digits = digits * 10 + byte - ZERO;
  }
  if (next === at || next - at > MOST_DIGITS) return -1;
  into[place] = digits;
  return next;
}

function readNull(bytes: Uint8Array, at: number, into: Float64Array, place: number): number {
  for (let i = 0; i < NULL.length; i++) {
    if (bytes[at + i] !== NULL[i]) return -1;
  }
  into[place] = NaN;
  return at + NULL.length;
}
