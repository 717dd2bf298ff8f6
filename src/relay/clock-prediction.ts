/**
 * Predicts the offset of two clocks, and its drift, from the exchanges that were delayed least.
 *
 * The middle of an exchange is off by half the difference of its two ways. What is constant in that
 * cannot be known; what varies is queueing, which shows in the round trip. So:
 *
 * - Connections are kept apart, because each has its own constant error, and only the one with the
 *   shortest round trip predicts. Changing it needs a clear advantage, since it moves the figures.
 * - Of each second and connection only the exchange with the shortest round trip is kept; while the
 *   connection is young, of each sixteenth, then each eighth and so on, so that the drift shows early.
 * - A line is fitted through the last minute's, each weighted by how far off it may be: with
 *   exponential queueing, an excess e over the least round trip leaves the middle evenly
 *   distributed within ±e/2, whose standard deviation is e/√12.
 */

const BUCKET_LEAST_US = 1e6 / 16;
const BUCKET_MOST_US = 1e6;
const BUCKETS = 64;
/** Connections that are kept; of more, those with the shortest round trips. */
const TRACKS_MAX = 4;
/** A connection without exchanges for so long no longer predicts if another does. */
const STALE_US = 15e6;
/** A connection takes over when its least round trip is below this share of the present one's. */
const TAKE_OVER_RATIO = 0.9;

/** Standard deviation per µs of excess round trip: 1/√12. */
const DEVIATION_PER_EXCESS = 0.289;
/** Standard deviation of an exchange without any queueing: interrupts, scheduling, rounding. */
const DEVIATION_LEAST_US = 2;
/** Crystals wander: an offset s seconds old deviates from the line by about s times this, in µs. */
const WANDER = 1e-6;
/** Before it is measured, the drift is expected to be the last known one (at first 0) ± this. */
const DRIFT_EXPECTED = 50e-6;
const DRIFT_LIMIT = 500e-6;

/** Predicts an offset from exchanges; made for one pair of clocks. */
export interface ClockPrediction {
  /**
   * Takes an exchange: the connection that it was on, the local instant in its middle, the offset
   * that its middle shows and its round trip, all in µs.
   */
  add(connection: number, middleUs: number, offsetUs: number, rttUs: number): void;
  /** The offset expected at a local time, in µs; 0 before the first exchange. */
  offsetAt(nowUs: number): number;
  /** Forgets the offsets; the drift stays the expected one. */
  clear(): void;
}

/** One connection's exchanges and the line through them. */
interface Track {
  connection: number;
  /** By bucket; `middlesUs` tells whether an entry is of this minute or of an earlier one. */
  middlesUs: Float64Array;
  offsetsUs: Float64Array;
  rttsUs: Float64Array;
  bucketUs: number;
  oldestUs: number;
  newestUs: number;
  leastRttUs: number;
  /** The line: at `lineUs` the offset is `offsetUs`, and it grows by `drift`. */
  lineUs: number;
  offsetUs: number;
  drift: number;
}

/** About 8 KB at most, for four connections. */
export function createClockPrediction(): ClockPrediction {
  let tracks: Track[] = [];
  let best: Track | undefined;
  let expectedDrift = 0;

  function trackOf(connection: number, rttUs: number, nowUs: number): Track | undefined {
    const known = tracks.find((track) => track.connection === connection);
    if (known) return known;
    if (tracks.length >= TRACKS_MAX) {
      const worst = tracks.reduce((a, b) => worth(a, nowUs) > worth(b, nowUs) ? a : b);
      if (worth(worst, nowUs) <= rttUs / TAKE_OVER_RATIO) return undefined;
      tracks = tracks.filter((track) => track !== worst);
    }
    const track: Track = {
      connection,
      middlesUs: new Float64Array(BUCKETS).fill(Number.NEGATIVE_INFINITY),
      offsetsUs: new Float64Array(BUCKETS),
      rttsUs: new Float64Array(BUCKETS),
      bucketUs: BUCKET_LEAST_US,
      oldestUs: nowUs,
      newestUs: Number.NEGATIVE_INFINITY,
      leastRttUs: Number.POSITIVE_INFINITY,
      lineUs: 0,
      offsetUs: 0,
      drift: 0,
    };
    tracks.push(track);
    return track;
  }

  return {
    add(connection, middleUs, offsetUs, rttUs) {
      const track = trackOf(connection, rttUs, middleUs);
      if (!track) return;
      if (!store(track, middleUs, offsetUs, rttUs)) return;
      fit(track, expectedDrift);
      if (
        best === undefined || worth(track, middleUs) < TAKE_OVER_RATIO * worth(best, middleUs)
      ) {
        best = track;
      }
      if (track === best) expectedDrift = track.drift;
    },
    offsetAt(nowUs) {
      return best === undefined ? 0 : best.offsetUs + best.drift * (nowUs - best.lineUs);
    },
    clear() {
      tracks = [];
      best = undefined;
    },
  };
}

/** The least round trip, by which connections are compared: the shorter, the better. */
function worth(track: Track, nowUs: number): number {
  return nowUs - track.newestUs > STALE_US ? Number.POSITIVE_INFINITY : track.leastRttUs;
}

/** Keeps the exchange if it is the best of its bucket. False if that changes nothing. */
function store(track: Track, middleUs: number, offsetUs: number, rttUs: number): boolean {
  while (
    track.bucketUs < BUCKET_MOST_US && middleUs - track.oldestUs >= (BUCKETS - 1) * track.bucketUs
  ) coarsen(track);
  track.newestUs = Math.max(track.newestUs, middleUs);
  return keep(track, middleUs, offsetUs, rttUs);
}

function keep(track: Track, middleUs: number, offsetUs: number, rttUs: number): boolean {
  const { bucketUs, middlesUs, offsetsUs, rttsUs } = track;
  const number = Math.floor(middleUs / bucketUs);
  const bucket = ((number % BUCKETS) + BUCKETS) % BUCKETS;
  const keptNumber = Math.floor(middlesUs[bucket]! / bucketUs);
  if (keptNumber > number) return false;
  if (keptNumber === number && rttsUs[bucket]! <= rttUs) return false;
  middlesUs[bucket] = middleUs;
  offsetsUs[bucket] = offsetUs;
  rttsUs[bucket] = rttUs;
  return true;
}

/** Makes one bucket of each two. */
function coarsen(track: Track): void {
  const [middlesUs, offsetsUs, rttsUs] = [track.middlesUs, track.offsetsUs, track.rttsUs]
    .map((column) => column.slice()) as [Float64Array, Float64Array, Float64Array];
  track.bucketUs *= 2;
  track.middlesUs.fill(Number.NEGATIVE_INFINITY);
  middlesUs.forEach((middleUs, bucket) => {
    if (middleUs !== Number.NEGATIVE_INFINITY) {
      keep(track, middleUs, offsetsUs[bucket]!, rttsUs[bucket]!);
    }
  });
}

/**
 * Weighted least squares, with the expected drift as one more observation (ridge regression), so
 * that a burst within some milliseconds does not make a drift of its jitter.
 */
function fit(track: Track, expectedDrift: number): void {
  const { middlesUs, offsetsUs, rttsUs, newestUs } = track;
  const oldestUs = newestUs - BUCKETS * track.bucketUs;
  let count = 0;
  let leastRttUs = Number.POSITIVE_INFINITY;
  let sumRttUs = 0;
  let leastOffsetUs = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (!(middlesUs[bucket]! > oldestUs)) continue;
    const rttUs = rttsUs[bucket]!;
    count++;
    sumRttUs += rttUs;
    if (rttUs < leastRttUs) {
      leastRttUs = rttUs;
      leastOffsetUs = offsetsUs[bucket]!;
    }
  }
  track.leastRttUs = leastRttUs;
  // The least round trip seen is above the least possible one by about so much: with exponential
  // queueing both ways, short excesses are rare, and the least of n shrinks as 1/√n only.
  const gapUs = (sumRttUs / count - leastRttUs) / Math.sqrt(count);

  // Offsets relative to the best one and times relative to the newest, to lose no digits.
  let weights = 0;
  let times = 0;
  let offsets = 0;
  let timesTimes = 1 / (DRIFT_EXPECTED * DRIFT_EXPECTED);
  let timesOffsets = expectedDrift * timesTimes;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const middleUs = middlesUs[bucket]!;
    if (!(middleUs > oldestUs)) continue;
    const deviationUs = DEVIATION_LEAST_US +
      DEVIATION_PER_EXCESS * (gapUs + rttsUs[bucket]! - leastRttUs);
    const timeUs = middleUs - newestUs;
    const wanderUs = WANDER * timeUs;
    const weight = 1 / (deviationUs * deviationUs + wanderUs * wanderUs);
    const offsetUs = offsetsUs[bucket]! - leastOffsetUs;
    weights += weight;
    times += weight * timeUs;
    offsets += weight * offsetUs;
    timesTimes += weight * timeUs * timeUs;
    timesOffsets += weight * timeUs * offsetUs;
  }
  const drift = (weights * timesOffsets - times * offsets) /
    (weights * timesTimes - times * times);
  track.drift = Math.min(Math.max(drift, -DRIFT_LIMIT), DRIFT_LIMIT);
  track.lineUs = newestUs;
  track.offsetUs = leastOffsetUs + (offsets - track.drift * times) / weights;
}
