/** Figures of hop records, in the finest parts that a report's rows are put together from. */

import { Histogram } from "../metrics/histogram.ts";
import { RELATIVE_RATE_LIMIT } from "../relay/clock-window.ts";
import {
  ELAPSED_MS,
  ERROR_MS,
  type HopValues,
  IS_SYSTEM,
  LENGTH,
  MS,
  PATH_MS,
  RECEIVED_US,
} from "./hop-values.ts";
import type { Series, Timeline } from "./timeline.ts";

const US_PER_MS = 1000;

/** What the figures of a cell are of. */
export interface CellSpec {
  key: string;
  from: string;
  to: string;
  route: string;
  hops: number;
  echo: boolean;
  reporter: string;
  region: string | null;
  transport: string | null;
}

/** Delays of one key from one reporter, in µs. */
export interface Cell {
  readonly spec: CellSpec;
  /** Records, those without a corrected delay included. */
  count: number;
  bytes: number;
  readonly delays: Histogram;
  /** Those by clocks whose offset was unknown: right only where one clock stamped both ends. */
  uncorrected: Histogram | undefined;
  readonly errors: Histogram;
  readonly elapsed: Histogram;
  /** Bounds on delays of a path, should it turn out that one clock measured it. */
  readonly rateErrors: Histogram;
  /** Corrected delays over time, to two digits. */
  readonly series: Series<Histogram>;
}

export function createCell(spec: CellSpec, timeline: Timeline): Cell {
  return {
    spec,
    count: 0,
    bytes: 0,
    delays: new Histogram(3),
    uncorrected: undefined,
    errors: new Histogram(2),
    elapsed: new Histogram(3),
    rateErrors: new Histogram(2),
    series: timeline.createSeries(() => new Histogram(2), (into, from) => into.add(from)),
  };
}

/** Takes in the delay of the hop that a record is of. */
export function recordHop(cell: Cell, values: HopValues): void {
  count(cell, values);
  const errorUs = values[ERROR_MS]! * US_PER_MS;
  take(cell, values[MS]! * US_PER_MS, errorUs, values[IS_SYSTEM] === 1, values[RECEIVED_US]!);
}

/** Takes in the delay of the path that a record is the last of. */
export function recordPath(cell: Cell, values: HopValues): void {
  count(cell, values);
  const delayUs = values[PATH_MS]! * US_PER_MS;
  const elapsedUs = values[ELAPSED_MS]! * US_PER_MS;
  const rateErrorUs = RELATIVE_RATE_LIMIT * elapsedUs;
  const isElapsed = elapsedUs - elapsedUs === 0;
  if (isElapsed) cell.elapsed.record(elapsedUs);
  if (cell.spec.echo) take(cell, delayUs, rateErrorUs, true, values[RECEIVED_US]!);
  else {
    if (isElapsed) cell.rateErrors.record(rateErrorUs);
    const errorUs = values[ERROR_MS]! * US_PER_MS;
    take(cell, delayUs, errorUs, values[IS_SYSTEM] === 1, values[RECEIVED_US]!);
  }
}

function count(cell: Cell, values: HopValues): void {
  cell.count++;
  const length = values[LENGTH]!;
  if (length - length === 0) cell.bytes += length;
}

/** @param isRight the delay counts though no bound is known */
function take(
  cell: Cell,
  delayUs: number,
  errorUs: number,
  isRight: boolean,
  receivedUs: number,
): void {
  if (delayUs - delayUs !== 0) return;
  const isBounded = errorUs - errorUs === 0;
  if (!isBounded && !isRight) {
    (cell.uncorrected ??= new Histogram(3)).record(delayUs);
    return;
  }
  if (isBounded) cell.errors.record(errorUs);
  cell.delays.record(delayUs);
  cell.series.at(receivedUs).record(delayUs);
}
