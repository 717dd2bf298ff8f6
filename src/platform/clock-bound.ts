/**
 * The file that ClockBound's daemon keeps on EC2, mapped into memory and rewritten in place. Native
 * byte order, which is little-endian on all our targets:
 *
 *     octet       version 1     version 2
 *     0..7        magic         magic         0x414D5A4E, 0x43420200
 *     8..11       size          size          of the segment, in bytes
 *     12..13      version       version       0: wiped
 *     14..15      generation    generation    0: not initialised; odd: being written
 *     16..31      as of         as of         i64 seconds, i64 nanoseconds
 *     32..47      void after    void after    i64 seconds, i64 nanoseconds
 *     48..55      bound         bound         i64 nanoseconds
 *     56..63      drift, 0      disruption    u32 ppb; u64 marker
 *     64..71      status, 0     drift, status i32; u32 ppb and i32
 *     72..79                    support, 0    u8
 *
 * Both times are of CLOCK_MONOTONIC, as `process.hrtime` on Node.
 */

/** What the daemon says of this host's clock. */
export interface ClockBoundReading {
  /** Monotonic nanoseconds at which the bound held. */
  asOfNs: number;
  /** Monotonic nanoseconds after which nothing is known. */
  voidAfterNs: number;
  boundNs: number;
  /** What the clock may gain on the bound since, in parts per billion. */
  driftPpb: number;
  /** Whether the clock runs without being corrected at present. */
  freeRunning: boolean;
}

/** In words, why a file tells nothing: `has version 3, which is not known`. */
export interface ClockBoundFault {
  fault: string;
  /** The daemon was writing at this moment: worth another try. */
  passing: boolean;
}

const MAGIC = [0x414d5a4e, 0x43420200];
const HEADER_BYTES = 16;
const LAYOUTS: Readonly<Record<number, { bytes: number; driftAt: number; statusAt: number }>> = {
  1: { bytes: 72, driftAt: 56, statusAt: 64 },
  2: { bytes: 80, driftAt: 64, statusAt: 68 },
};
const SYNCHRONIZED = 1;
const FREE_RUNNING = 2;
const DISRUPTED = 3;

/** Reads what a file held at one moment; `again` is what it held just after. */
export function parseClockBound(
  bytes: Uint8Array,
  again: Uint8Array,
): ClockBoundReading | ClockBoundFault {
  if (bytes.byteLength < HEADER_BYTES) return fault(`is too short: ${bytes.byteLength} bytes`);
  const view = viewOf(bytes);
  if (MAGIC.some((word, index) => view.getUint32(index * 4, true) !== word)) {
    return fault("is not ClockBound's");
  }
  const version = view.getUint16(12, true);
  const generation = view.getUint16(14, true);
  if (version === 0 || generation === 0) return fault("is not initialised", true);
  const layout = LAYOUTS[version];
  if (layout === undefined) return fault(`has version ${version}, which is not known`);
  if (bytes.byteLength < layout.bytes) return fault(`is too short: ${bytes.byteLength} bytes`);
  if (generation % 2 === 1 || generationOf(again) !== generation) {
    return fault("is being written", true);
  }
  const status = view.getInt32(layout.statusAt, true);
  if (status !== SYNCHRONIZED && status !== FREE_RUNNING) {
    const why = status === DISRUPTED ? "was disrupted" : "is not synchronized";
    return fault(`says that the clock ${why}`);
  }
  const reading = {
    asOfNs: nanoseconds(view, 16),
    voidAfterNs: nanoseconds(view, 32),
    boundNs: Number(view.getBigInt64(48, true)),
    driftPpb: view.getUint32(layout.driftAt, true),
    freeRunning: status === FREE_RUNNING,
  };
  if (reading.boundNs < 0 || reading.voidAfterNs < reading.asOfNs) {
    return fault("holds values that cannot be");
  }
  return reading;
}

/** The bound in µs at a monotonic time in nanoseconds; NaN where the reading is too old. */
export function clockBoundAt(reading: ClockBoundReading, nowNs: number): number {
  const { asOfNs, voidAfterNs, boundNs, driftPpb } = reading;
  if (nowNs > voidAfterNs) return NaN;
  // The daemon reads a coarse clock: `as of` may lie a tick ahead.
  const ageNs = Math.max(nowNs - asOfNs, 0);
  return (boundNs + ageNs * driftPpb * 1e-9) / 1000;
}

const fault = (text: string, passing = false): ClockBoundFault => ({ fault: text, passing });

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function generationOf(bytes: Uint8Array): number {
  return bytes.byteLength < HEADER_BYTES ? 0 : viewOf(bytes).getUint16(14, true);
}

/** Exact enough as an f64: 2 ns after 100 days of uptime. */
function nanoseconds(view: DataView, at: number): number {
  return Number(view.getBigInt64(at, true)) * 1e9 + Number(view.getBigInt64(at + 8, true));
}
