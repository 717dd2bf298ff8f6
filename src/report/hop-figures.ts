/**
 * From hop records to cells and losses: counts each record once, however often it was read, and
 * knows which of the copies that several nodes wrote is the one to go by.
 */

import { type Cell, type CellSpec, createCell, recordHop, recordPath } from "./cells.ts";
import { type HopSpec, type HopValues, RECEIVED_US, SEQUENCE } from "./hop-values.ts";
import { createSequenceSet, type SequenceSet } from "./sequence-set.ts";
import type { Timeline } from "./timeline.ts";

/** Records of one origin's messages at one hop to one session: those that may be duplicates. */
export interface Arrivals {
  readonly spec: HopSpec;
  /** Recorded by the end that finished the hop. */
  readonly own: SequenceSet;
  /** Recorded by others: with `--records all`, receivers tell of hops before theirs too. */
  readonly others: SequenceSet;
  /** What others say counts where the end itself said nothing. */
  readonly othersCells: Map<string, Cell>;
  /** Where what the end itself recorded is counted. */
  hop: Cell | undefined;
  path: Cell | undefined;
}

/** Equal records but for what each message brings. */
export interface HopStream {
  readonly spec: HopSpec;
  readonly seen: SequenceSet;
  readonly seenElsewhere: SequenceSet;
  readonly hop: Cell;
  readonly path: Cell | undefined;
}

/** Figures of paths of one origin session, whose route is not in the record of the last hop. */
export interface PathCell {
  readonly session: string;
  /** Of the last hop. */
  readonly clockIds: Set<string | null>;
  readonly cell: Cell;
}

export interface HopFigures {
  /** The stream of records that say `spec`. */
  streamOf(spec: HopSpec): HopStream;
  /** Whether the record is new, of the end that finished the hop or of others. */
  record(stream: HopStream, values: HopValues): boolean;
  readonly duplicates: number;
  /** Records counted. */
  readonly count: number;
  readonly firstUs: number;
  readonly lastUs: number;
  /** Of single hops: what the ends recorded, and what others did where they did not. */
  hopCells(): Cell[];
  pathCells(): PathCell[];
  arrivals(): Iterable<Arrivals>;
}

export function createHopFigures(timeline: Timeline): HopFigures {
  const streams = new Map<string, HopStream>();
  const arrivals = new Map<string, Arrivals>();
  const cells = new Map<string, Cell>();
  const paths = new Map<string, PathCell>();
  let duplicates = 0;
  let count = 0;
  let firstUs = Infinity;
  let lastUs = -Infinity;

  const createArrivals = (spec: HopSpec): Arrivals => ({
    spec,
    own: createSequenceSet(),
    others: createSequenceSet(),
    othersCells: new Map(),
    hop: undefined,
    path: undefined,
  });

  const hopCellOf = (spec: HopSpec, into: Map<string, Cell>): Cell =>
    getOrMake(into, cellId(hopCellSpec(spec)), () => createCell(hopCellSpec(spec), timeline));

  const pathCellOf = (spec: HopSpec): Cell => {
    const cellSpec = pathCellSpec(spec);
    // An echo came by one route; who else received it may have another one than its origin.
    const session = spec.echo ? "" : spec.session;
    const { clockIds, cell } = getOrMake(
      paths,
      JSON.stringify([cellId(cellSpec), session]),
      () => ({
        session,
        clockIds: new Set<string | null>(),
        cell: createCell(cellSpec, timeline),
      }),
    );
    clockIds.add(spec.clockId);
    return cell;
  };

  const createStream = (spec: HopSpec): HopStream => {
    const id = JSON.stringify([spec.session, spec.hop, spec.toId]);
    const its = getOrMake(arrivals, id, () => createArrivals(spec));
    const isOwn = spec.reporter === spec.to;
    const hop = hopCellOf(spec, isOwn ? cells : its.othersCells);
    const path = spec.last ? pathCellOf(spec) : undefined;
    if (isOwn) Object.assign(its, { hop, path });
    return {
      spec,
      seen: isOwn ? its.own : its.others,
      seenElsewhere: isOwn ? its.others : its.own,
      hop,
      path,
    };
  };

  return {
    streamOf: (spec) => getOrMake(streams, JSON.stringify(spec), () => createStream(spec)),
    record(stream, values) {
      const sequence = values[SEQUENCE]!;
      if (!stream.seen.add(sequence)) {
        duplicates++;
        return false;
      }
      recordHop(stream.hop, values);
      if (stream.seenElsewhere.size > 0 && stream.seenElsewhere.has(sequence)) {
        duplicates++;
        return true;
      }
      if (stream.path !== undefined) recordPath(stream.path, values);
      count++;
      const receivedUs = values[RECEIVED_US]!;
      if (receivedUs < firstUs) firstUs = receivedUs;
      if (receivedUs > lastUs) lastUs = receivedUs;
      return true;
    },
    get duplicates() {
      return duplicates;
    },
    get count() {
      return count;
    },
    get firstUs() {
      return firstUs;
    },
    get lastUs() {
      return lastUs;
    },
    hopCells: () => [
      ...cells.values(),
      ...[...arrivals.values()].filter(({ own }) => own.size === 0)
        .flatMap(({ othersCells }) => [...othersCells.values()]),
    ],
    pathCells: () => [...paths.values()],
    arrivals: () => arrivals.values(),
  };
}

function hopCellSpec(spec: HopSpec): CellSpec {
  const { key, from, to, route, reporter, region, transport } = spec;
  // The way up is the same for messages that come back and for those that do not.
  const echo = spec.echo && spec.hop > 1;
  return { key, from, to, route, hops: 1, echo, reporter, region, transport };
}

function pathCellSpec(spec: HopSpec): CellSpec {
  const { path, to, route, hops, echo, reporter, region, transport } = spec;
  const from = path.split("::~::", 1)[0]!;
  return { key: path, from, to, route, hops, echo, reporter, region, transport };
}

function cellId(spec: CellSpec): string {
  return JSON.stringify(Object.values(spec));
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, found = make());
  return found;
}
