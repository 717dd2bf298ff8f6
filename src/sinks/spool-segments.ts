/** What is known of a spool's segments: what of each is taken, sent, given up. Pure. */

/** A part of a segment that was taken, or given up: from the end of the one before. */
export interface Extent {
  readonly segment: Segment;
  readonly endBytes: number;
  readonly records: number;
  isDone: boolean;
}

export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Whole lines, written. */
  bytes: number;
  /** More may be appended. */
  isOpen: boolean;
  /** Is being read: must stay. */
  isRead: boolean;
  /** Is in no list any more. */
  isGone: boolean;
  /** Records neither released nor given up. */
  queued: number;
  takenBytes: number;
  /** Up to here all is released or given up. */
  doneBytes: number;
  /** Taken and not yet part of `doneBytes`, in their order. */
  extents: Extent[];
  /** When what ends there was accepted, or some of it; what is done is left out. */
  times: { endBytes: number; ms: number }[];
}

export interface SegmentList {
  /** Adds the newest. */
  add(segment: Segment): void;
  /** A chunk has been written to the segment. */
  grown(segment: Segment, chunk: { bytes: Uint8Array; records: number; firstMs: number }): void;
  /** Nothing more will be appended to it. */
  ended(segment: Segment): void;
  /** The oldest that has something that nobody took. */
  toRead(): Segment | undefined;
  taken(segment: Segment, bytes: number, records: number): Extent;
  /** Released, or given up after it was taken. */
  done(extent: Extent): void;
  /** Takes out the oldest that is ended and of which nothing is under way. */
  dropOldest(): Segment | undefined;
  /** Takes out those that are ended and all done: their files are needed no more. */
  removeDone(): Segment[];
  remove(segment: Segment): void;
  all(): Segment[];
  /** Where sending starts again; undefined where there is no segment. */
  checkpoint(): { segment: number; offset: number } | undefined;
  /** On disk. */
  readonly bytes: number;
  /** That nobody took. */
  readonly waitingBytes: number;
  /** Neither released nor given up. */
  readonly queued: number;
  /** When the oldest of them was accepted; NaN: none. */
  oldestMs(): number;
}

/** Kept of an ended segment. */
const MAX_TIMES = 64;

export function createSegment(number: number, path: string): Segment {
  return {
    number,
    path,
    bytes: 0,
    isOpen: false,
    isRead: false,
    isGone: false,
    queued: 0,
    takenBytes: 0,
    doneBytes: 0,
    extents: [],
    times: [],
  };
}

/** Segments wait by the hundred, each of thousands of chunks where records are few. */
function thinned(times: Segment["times"]): Segment["times"] {
  const together = Math.ceil(times.length / MAX_TIMES);
  return times.flatMap(({ ms }, index) =>
    index % together === 0
      ? { ms, endBytes: times[Math.min(index + together, times.length) - 1]!.endBytes }
      : []
  );
}

export function createSegmentList(): SegmentList {
  const segments: Segment[] = [];
  // Asked for with each record: kept, not summed up.
  let bytes = 0;
  let waitingBytes = 0;
  let queued = 0;

  const remove = (segment: Segment): void => {
    const at = segments.indexOf(segment);
    if (at < 0) return;
    segments.splice(at, 1);
    segment.isGone = true;
    bytes -= segment.bytes;
    waitingBytes -= segment.bytes - segment.takenBytes;
    queued -= segment.queued;
  };

  return {
    add(segment) {
      segments.push(segment);
      bytes += segment.bytes;
      waitingBytes += segment.bytes - segment.takenBytes;
      queued += segment.queued;
    },
    grown(segment, { bytes: { byteLength }, records, firstMs }) {
      segment.bytes += byteLength;
      segment.queued += records;
      segment.times.push({ endBytes: segment.bytes, ms: firstMs });
      bytes += byteLength;
      waitingBytes += byteLength;
      queued += records;
    },
    ended(segment) {
      segment.isOpen = false;
      segment.times = thinned(segment.times);
    },
    toRead: () => segments.find((segment) => segment.takenBytes < segment.bytes),
    taken(segment, takenBytes, records) {
      segment.takenBytes += takenBytes;
      waitingBytes -= takenBytes;
      const extent = { segment, endBytes: segment.takenBytes, records, isDone: false };
      segment.extents.push(extent);
      return extent;
    },
    done(extent) {
      const { segment, records } = extent;
      extent.isDone = true;
      segment.queued -= records;
      if (!segment.isGone) queued -= records;
      while (segment.extents[0]?.isDone) {
        segment.doneBytes = segment.extents.shift()!.endBytes;
      }
      const { times, doneBytes } = segment;
      const left = times.findIndex(({ endBytes }) => endBytes > doneBytes);
      times.splice(0, left < 0 ? times.length : left);
    },
    dropOldest() {
      const oldest = segments.find(({ isOpen, isRead, extents }) =>
        !isOpen && !isRead && extents.length === 0
      );
      if (oldest) remove(oldest);
      return oldest;
    },
    removeDone() {
      const done = segments.filter(({ isOpen, isRead, doneBytes, bytes }) =>
        !isOpen && !isRead && doneBytes === bytes
      );
      done.forEach(remove);
      return done;
    },
    remove,
    all: () => [...segments],
    checkpoint() {
      const first = segments.find((segment) => segment.doneBytes < segment.bytes) ??
        segments.at(-1);
      return first && { segment: first.number, offset: first.doneBytes };
    },
    get bytes() {
      return bytes;
    },
    get waitingBytes() {
      return waitingBytes;
    },
    get queued() {
      return queued;
    },
    oldestMs() {
      const first = segments.find((segment) => segment.queued > 0);
      return first?.times[0]?.ms ?? NaN;
    },
  };
}
