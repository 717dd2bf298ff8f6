/** Lines as bytes: gathered into chunks, counted, and cut where a batch ends. */

const NEWLINE = 0x0a;
/** Of UTF-8, for each of a string's characters. */
const MAX_CHARACTER_BYTES = 3;

/** Whole lines that are written together. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly records: number;
  /** When its first line came. */
  readonly firstMs: number;
}

export interface Gatherer {
  add(line: string): void;
  /** Emits what has been gathered. */
  flush(): void;
  /** Lines, and their bytes, not yet emitted. */
  readonly records: number;
  readonly bytes: number;
  /** When the first of them came; NaN: none. */
  readonly firstMs: number;
}

export interface GathererOptions {
  /** A line waits this long at most. Infinity: until it is asked for. */
  gatherMs: number;
  /** About so many bytes are enough to be emitted at once. */
  gatherBytes: number;
  nowMs: () => number;
  emit: (chunk: Chunk) => void;
}

/**
 * Gathers lines for a moment, so that a record costs no system call of its own. Each is encoded
 * where it will be written from: strings that grow keep the garbage collector busy.
 */
export function createGatherer(options: GathererOptions): Gatherer {
  const { gatherMs, gatherBytes, nowMs, emit } = options;
  let buffer: Buffer | undefined;
  let bytes = 0;
  let records = 0;
  let firstMs = NaN;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (records === 0) return;
    let gathered: Uint8Array = buffer!.subarray(0, bytes);
    // A few lines must not hold on to all of the buffer: chunks wait by the thousand.
    if (bytes < buffer!.length / 2) gathered = new Uint8Array(gathered);
    else buffer = undefined;
    const chunk = { bytes: gathered, records, firstMs };
    bytes = 0;
    records = 0;
    firstMs = NaN;
    emit(chunk);
  };

  return {
    add(line) {
      const mostBytes = line.length * MAX_CHARACTER_BYTES;
      if (buffer && bytes + mostBytes > buffer.length) flush();
      if (!buffer || mostBytes > buffer.length) {
        buffer = Buffer.allocUnsafeSlow(Math.max(gatherBytes, mostBytes));
      }
      if (records === 0) firstMs = nowMs();
      bytes += buffer.write(line, bytes);
      records++;
      if (bytes >= gatherBytes) flush();
      else if (gatherMs < Infinity) timer ??= setTimeout(flush, gatherMs);
    },
    flush,
    get records() {
      return records;
    },
    get bytes() {
      return bytes;
    },
    get firstMs() {
      return firstMs;
    },
  };
}

/** How many lines end in `bytes`, and where the last of them does (0: none). */
export function countLines(bytes: Uint8Array): { records: number; end: number } {
  let records = 0;
  let end = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, end)) {
    records++;
    end = at + 1;
  }
  return { records, end };
}

/**
 * How much of `bytes` is within the limits: whole lines, the first one in any case. An `end` of 0
 * says that no line ends in `bytes`.
 */
export function headLines(
  bytes: Uint8Array,
  limits: { bytes: number; records: number },
): { records: number; end: number } {
  let records = 0;
  let end = 0;
  while (records === 0 || records < limits.records) {
    const at = bytes.indexOf(NEWLINE, end);
    if (at < 0 || (records > 0 && at + 1 > limits.bytes)) break;
    records++;
    end = at + 1;
  }
  return { records, end };
}
