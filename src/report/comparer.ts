/** Gathers what two sides have in common, record by record: their delays, and their pairs. */

import { Histogram } from "../metrics/histogram.ts";
import { RELATIVE_RATE_LIMIT } from "../relay/clock-window.ts";
import {
  ERROR_MS,
  type HopSpec,
  type HopValues,
  INTENDED_US,
  IS_SYSTEM,
  MS,
  PATH_MS,
  RAW_MS,
  RECEIVED_US,
  SEQUENCE,
} from "./hop-values.ts";
import { createPairBin, mergePairBin, type PairBin, recordPair } from "./pair-bins.ts";
import { createMeetingPlaces, type Meeting } from "./pair-meeting.ts";
import type { Side, SideOf } from "./sides.ts";
import { createTimeline, type Series } from "./timeline.ts";

const FIRST_WIDTH_US = 100_000;
const MOST_BINS = 128;
const US_PER_MS = 1000;

export type Measure = "one way" | "round trip";

/** Delays of one side between two places, in µs. */
export interface SideFigures {
  count: number;
  series: Series<Histogram>;
  errors: Histogram;
}

/** Both sides between two places. */
export interface Group {
  measure: Measure;
  from: string;
  to: string;
  route: string | undefined;
  /** Whether the ends themselves recorded it; what others recorded stands in for that. */
  isOwn: boolean;
  sides: readonly [SideFigures, SideFigures];
  pairs: Series<PairBin>;
  pairCount: number;
  /** Bounds on the pairs' differences: of the clocks' rates, as their offset cancels. */
  pairErrors: Histogram;
}

/** Where the records of one stream go. */
interface Lane {
  side: 0 | 1;
  group: Group;
  meet: Meeting | undefined;
  /** How messages are numbered where they meet. */
  number: typeof INTENDED_US | typeof SEQUENCE;
}

export interface Lanes {
  oneWay: Lane;
  roundTrip: Lane | undefined;
}

export interface Comparer {
  streamOf(spec: HopSpec): Lanes | undefined;
  hop(lanes: Lanes, values: HopValues): void;
  groups(): Group[];
  /** Messages whose partner came too late, if at all. */
  readonly forgotten: number;
}

/** @param wants whether a key is asked for */
export function createComparer(sideOf: SideOf, wants: (key: string) => boolean): Comparer {
  const timeline = createTimeline(FIRST_WIDTH_US, MOST_BINS);
  const places = createMeetingPlaces();
  const groups = new Map<string, Group>();

  const createSide = (): SideFigures => ({
    count: 0,
    series: timeline.createSeries(() => new Histogram(3), (into, other) => into.add(other)),
    errors: new Histogram(2),
  });

  const groupOf = (measure: Measure, { from, to, route }: Side, isOwn: boolean) => {
    const id = JSON.stringify([measure, from, to, route, isOwn]);
    let group = groups.get(id);
    if (group === undefined) {
      group = {
        ...{ measure, from, to, route, isOwn },
        sides: [createSide(), createSide()],
        pairs: timeline.createSeries(createPairBin, mergePairBin),
        pairCount: 0,
        pairErrors: new Histogram(2),
      };
      groups.set(id, group);
    }
    return { id, group };
  };

  const laneOf = (measure: Measure, spec: HopSpec, side: Side): Lane => {
    const { id, group } = groupOf(measure, side, spec.reporter === spec.to);
    // Up, messages of one slot meet; down, the copies of one message that the relay stamped once.
    const isDown = measure === "one way" && spec.hop > 1;
    const { clockId, flow, hop } = spec;
    const place = JSON.stringify([id, clockId, flow, hop, isDown ? spec.session : ""]);
    return {
      side: side.side,
      group,
      meet: clockId === null ? undefined : places.placeOf(place),
      number: isDown ? SEQUENCE : INTENDED_US,
    };
  };

  const take = (
    { side, group, meet, number }: Lane,
    values: HopValues,
    ms: number,
    rawMs: number,
    errorMs: number,
  ): void => {
    const receivedUs = values[RECEIVED_US]!;
    const figures = group.sides[side];
    if (ms - ms === 0) {
      figures.count++;
      figures.series.at(receivedUs).record(ms * US_PER_MS);
      if (errorMs - errorMs === 0) figures.errors.record(errorMs * US_PER_MS);
    }
    if (meet === undefined || rawMs - rawMs !== 0) return;
    const here = { side, ms, rawMs, receivedUs };
    const there = meet(values[number]!, here);
    if (there === undefined) return;
    const [a, b] = side === 0 ? [here, there] : [there, here];
    const differenceMs = b.rawMs - a.rawMs;
    // Both are stamped by the same clocks: what corrects one corrects the other.
    const known = a.ms - a.ms === 0 ? a.ms : b.ms - differenceMs;
    const delayMs = known - known === 0 ? known : a.rawMs;
    recordPair(group.pairs.at(receivedUs), delayMs * US_PER_MS, differenceMs * US_PER_MS);
    group.pairErrors.record(RELATIVE_RATE_LIMIT * Math.abs(b.receivedUs - a.receivedUs));
    group.pairCount++;
  };

  return {
    streamOf(spec) {
      if (!wants(spec.key) && !wants(spec.path)) return undefined;
      const side = sideOf(spec);
      if (side === undefined) return undefined;
      // A round trip begins where it ends: at the client.
      const back = { ...side, from: side.to, to: side.from };
      return {
        oneWay: laneOf("one way", spec, side),
        roundTrip: spec.echo && spec.last ? laneOf("round trip", spec, back) : undefined,
      };
    },
    hop({ oneWay, roundTrip }, values) {
      const errorMs = values[ERROR_MS]!;
      const isCorrected = errorMs - errorMs === 0 || values[IS_SYSTEM] === 1;
      take(oneWay, values, isCorrected ? values[MS]! : NaN, values[RAW_MS]!, errorMs);
      if (roundTrip === undefined) return;
      const pathMs = values[PATH_MS]!;
      take(roundTrip, values, pathMs, pathMs, RELATIVE_RATE_LIMIT * pathMs);
    },
    groups() {
      const all = [...groups.values()].filter(({ sides }) => sides.every(({ count }) => count > 0));
      return all.filter((group) =>
        group.isOwn ||
        !all.some((other) =>
          other.isOwn && other.measure === group.measure && other.from === group.from &&
          other.to === group.to && other.route === group.route
        )
      );
    },
    get forgotten() {
      return places.forgotten;
    },
  };
}
