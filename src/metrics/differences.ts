/**
 * Difference of routes: what one route of a client is faster or slower than another, pair by pair.
 *
 * Two messages of one slot, on two routes between the same two processes, are stamped by the same
 * two clocks. So the difference of their bare one-way times is the difference of their delays,
 * whatever the clocks' offset: it cancels. What is left is how the clocks' rates differ, over the
 * time between the two receptions.
 *
 * The same holds for one message that the relay stamps once and sends down both routes: the
 * difference of the delays is that of the receptions.
 */

import { createSequenceWindow, createSlotWindow, type PairWindow } from "./pair-windows.ts";
import { createRouteComparison, type RouteComparison } from "./route-comparison.ts";
import type { DifferenceSummary } from "./summary.ts";

/** A slot waits for its partners this long, unless slots follow one another too fast. */
const SLOT_SPAN_US = 60e6;
const MOST_SLOTS = 16_384;
/** Messages of one origin, and of all together, that wait for their partners. */
const MOST_MESSAGES = 65_536;
const MOST_MESSAGES_TOGETHER = 262_144;

/** Columns of a slot's row, per route. */
const RAW = 0;
const RECEPTION = 1;
const ROUND_TRIP = 2;
const SLOT_COLUMNS = 3;

/** One session of this client: where its messages' times come in. */
export interface DifferenceLink {
  /**
   * A message of this session reached the relay: told by its echo, or by the copy that came down
   * another route.
   *
   * @param slotUs Its intended time.
   * @param rawUs Bare difference of the clocks on its first hop.
   * @param receptionUs When the relay received it, by the relay's clock.
   */
  up(slotUs: number, rawUs: number, receptionUs: number): void;
  /**
   * An echo of this session came back.
   *
   * @param slotUs Its intended time.
   * @param roundTripUs Received − sent by this client's clock, less the time inside the relay.
   */
  roundTrip(slotUs: number, roundTripUs: number): void;
  /** Messages of an origin session that come down in this session. Ask once, close after. */
  downFrom(originSession: string): DownStream;
  /** The session ended, and its streams with it. */
  close(): void;
}

/** Messages of one origin on their way down one route. */
export interface DownStream {
  /** @param receptionUs When this client received it, by this client's clock. */
  record(sequence: number, receptionUs: number): void;
  /** The origin left. */
  close(): void;
}

/** What a session is, for its messages to meet their partners. */
export interface DifferenceSession {
  /** Index among the routes. */
  route: number;
  /** Flows pair by index. */
  flow: number;
  /** Identifies the server's process: only what passes the same one pairs. */
  process: string;
  /** The server's name. */
  server: string;
}

export interface Differences {
  /** A session began. */
  open(session: DifferenceSession): DifferenceLink;
  /** All that had a pair: by server, way up before way down, then in the order of the routes. */
  summarise(): DifferenceSummary[];
}

/** What waits for a partner, of the sessions of one flow to one process. */
interface Meeting {
  links: number;
  slots: PairWindow;
  origins: Map<string, Origin>;
}

interface Origin {
  streams: number;
  /** Beyond those that every origin has. */
  grownRows: number;
  window: PairWindow;
}

/**
 * Compares each route of a client with each later one; differences are those of the later one −
 * the earlier one, negative where the later is faster. Duplicates, late and missing partners do no
 * harm; each pair counts once.
 *
 * @param routes Labels in the order given by the user.
 * @param client This client's name.
 */
export function createDifferences(routes: readonly string[], client: string): Differences {
  const meetings = new Map<string, Meeting>();
  const comparisons = new Map<string, { up: RouteComparison; down: RouteComparison }>();
  let grownRows = 0;

  const comparisonWith = (server: string) => {
    let found = comparisons.get(server);
    if (found === undefined) {
      found = {
        up: createRouteComparison(routes, client, server),
        down: createRouteComparison(routes, server, client),
      };
      comparisons.set(server, found);
    }
    return found;
  };

  const createOrigin = (): Origin => {
    const origin: Origin = {
      streams: 0,
      grownRows: 0,
      window: createSequenceWindow(routes.length, (rows) => {
        if (rows > MOST_MESSAGES / 2 || grownRows + rows > MOST_MESSAGES_TOGETHER) return false;
        grownRows += rows;
        origin.grownRows += rows;
        return true;
      }),
    };
    return origin;
  };

  const openDown = (
    origins: Map<string, Origin>,
    originSession: string,
    route: number,
    comparison: RouteComparison,
    open: Set<DownStream>,
  ): DownStream => {
    const origin = origins.get(originSession) ?? createOrigin();
    origins.set(originSession, origin);
    origin.streams++;
    const { window } = origin;
    const stream: DownStream = {
      record(sequence, receptionUs) {
        const row = window.rowOf(sequence);
        if (row < 0) return;
        const { values } = window;
        if (!Number.isNaN(values[row + route])) return;
        values[row + route] = receptionUs;
        for (let other = 0; other < routes.length; other++) {
          const gapUs = receptionUs - values[row + other]!;
          if (other === route || Number.isNaN(gapUs)) continue;
          comparison.oneWay(route, other, gapUs, gapUs);
        }
      },
      close() {
        if (!open.delete(stream)) return;
        origin.streams--;
        if (origin.streams > 0) return;
        origins.delete(originSession);
        grownRows -= origin.grownRows;
      },
    };
    open.add(stream);
    return stream;
  };

  return {
    open({ route, flow, process, server }) {
      const id = JSON.stringify([process, flow]);
      const meeting = meetings.get(id) ?? {
        links: 0,
        slots: createSlotWindow(routes.length * SLOT_COLUMNS, SLOT_SPAN_US, MOST_SLOTS),
        origins: new Map(),
      };
      meetings.set(id, meeting);
      meeting.links++;
      const { up, down } = comparisonWith(server);
      const { slots } = meeting;
      const streams = new Set<DownStream>();
      const ours = route * SLOT_COLUMNS;
      let isOpen = true;

      return {
        up(slotUs, rawUs, receptionUs) {
          const row = slots.rowOf(slotUs);
          if (row < 0) return;
          const { values } = slots;
          if (!Number.isNaN(values[row + ours + RAW])) return;
          values[row + ours + RAW] = rawUs;
          values[row + ours + RECEPTION] = receptionUs;
          for (let other = 0; other < routes.length; other++) {
            const theirs = row + other * SLOT_COLUMNS;
            const differenceUs = rawUs - values[theirs + RAW]!;
            if (other === route || Number.isNaN(differenceUs)) continue;
            up.oneWay(route, other, differenceUs, receptionUs - values[theirs + RECEPTION]!);
          }
        },
        roundTrip(slotUs, roundTripUs) {
          const row = slots.rowOf(slotUs);
          if (row < 0) return;
          const { values } = slots;
          if (!Number.isNaN(values[row + ours + ROUND_TRIP])) return;
          values[row + ours + ROUND_TRIP] = roundTripUs;
          for (let other = 0; other < routes.length; other++) {
            const differenceUs = roundTripUs - values[row + other * SLOT_COLUMNS + ROUND_TRIP]!;
            if (other === route || Number.isNaN(differenceUs)) continue;
            up.roundTrip(route, other, differenceUs);
          }
        },
        downFrom: (originSession) => openDown(meeting.origins, originSession, route, down, streams),
        close() {
          if (!isOpen) return;
          isOpen = false;
          for (const stream of streams) stream.close();
          meeting.links--;
          if (meeting.links === 0) meetings.delete(id);
        },
      };
    },
    summarise: () =>
      [...comparisons.values()].flatMap(({ up, down }) => [
        ...up.summarise(),
        ...down.summarise(),
      ]),
  };
}
