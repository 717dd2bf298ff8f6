/** Lines as bytes: gathered into chunks, counted, and cut where a batch ends. */

const NEWLINE = 0x0a;

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
  /** Lines, and about how many bytes, not yet emitted. */
  readonly records: number;
  readonly bytes: number;
  /** When the first of them came; NaN: none. */
  readonly firstMs: number;
}

export interface GathererOptions {
  /** A line waits this long at most. */
  gatherMs: number;
  /** So many characters are enough to be emitted at once. */
  gatherCharacters: number;
  nowMs: () => number;
  emit: (chunk: Chunk) => void;
}

/** Gathers lines for a moment, so that a record costs no system call of its own. */
export function createGatherer(options: GathererOptions): Gatherer {
  let text = "";
  let records = 0;
  let firstMs = NaN;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (records === 0) return;
    const chunk = { bytes: Buffer.from(text), records, firstMs };
    text = "";
    records = 0;
    firstMs = NaN;
    options.emit(chunk);
  };

  return {
    add(line) {
      if (records === 0) firstMs = options.nowMs();
      text += line;
      records++;
      if (text.length >= options.gatherCharacters) flush();
      else timer ??= setTimeout(flush, options.gatherMs);
    },
    flush,
    get records() {
      return records;
    },
    get bytes() {
      return text.length;
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
 * says that no line ends in `bytes`. A line of more than `lineBytes` stands alone, `isTooLong`.
 */
export function cutLines(
  bytes: Uint8Array,
  limits: { bytes: number; records: number; lineBytes: number },
): { records: number; end: number; isTooLong: boolean } {
  let records = 0;
  let end = 0;
  while (records === 0 || records < limits.records) {
    const at = bytes.indexOf(NEWLINE, end);
    if (at < 0) break;
    const isTooLong = at + 1 - end > limits.lineBytes;
    if (records > 0 && (isTooLong || at + 1 > limits.bytes)) break;
    records++;
    end = at + 1;
    if (isTooLong) return { records, end, isTooLong };
  }
  return { records, end, isTooLong: false };
}
