/** All figures of a process, by what they are of. */

import { createFigures, type Figures, type FigureSpec } from "./figures.ts";
import { OTHER } from "./keys.ts";
import type { KeySummary } from "./summary.ts";

export interface FigureSet {
  /** The figures of a key, route and echo: the same ones for equal specs. Ask once a stream. */
  get(spec: FigureSpec): Figures;
  /** All of them, in the order in which they were first asked for. */
  all(): Iterable<Figures>;
  /** As `Figures.summarise`, of all that had a message or a loss. */
  summarise(seconds: number, hdr?: boolean): KeySummary[];
  /** As `Figures.rotate`, of all that had a message or a change of loss in the interval. */
  rotate(seconds: number): KeySummary[];
}

/** Keys that a process keeps figures of; what comes beyond shares those of `other`. */
const MAX_KEYS = 10_000;

const OTHER_SPEC: FigureSpec = {
  key: OTHER,
  from: OTHER,
  to: OTHER,
  route: OTHER,
  hops: 1,
  echo: false,
};

/**
 * Summaries come in a stable order for people: hops before paths, then by the names of both ends,
 * route, and echo last; numbers within names by their value (`client-2` before `client-10`).
 */
export function createFigureSet(maxKeys = MAX_KEYS): FigureSet {
  const figures = new Map<string, Figures>();
  let ordered: Figures[] = [];

  /** Of all keys that there was no room for. */
  let other: Figures | undefined;

  const idOf = ({ key, route, echo }: FigureSpec): string => JSON.stringify([key, route, echo]);

  const addFigures = (id: string, spec: FigureSpec): Figures => {
    const added = createFigures(spec);
    figures.set(id, added);
    return added;
  };

  const inOrder = (): Figures[] => {
    if (ordered.length !== figures.size) {
      const { compare } = new Intl.Collator("en", { numeric: true });
      ordered = [...figures.values()].sort(({ spec: a }, { spec: b }) =>
        a.hops - b.hops || compare(a.from, b.from) || compare(a.to, b.to) ||
        compare(a.route, b.route) || Number(a.echo) - Number(b.echo) || compare(a.key, b.key)
      );
    }
    return ordered;
  };

  return {
    get(spec) {
      const id = idOf(spec);
      const found = figures.get(id);
      if (found !== undefined) return found;
      if (figures.size >= maxKeys) return other ??= addFigures(idOf(OTHER_SPEC), OTHER_SPEC);
      return addFigures(id, spec);
    },
    all: () => figures.values(),
    summarise: (seconds, hdr) =>
      inOrder().map((one) => one.summarise(seconds, hdr)).filter(tellsSomething),
    rotate: (seconds) => inOrder().map((one) => one.rotate(seconds)).filter(tellsSomething),
  };
}

/** Whether there was a message, or a loss. */
export function tellsSomething(summary: KeySummary): boolean {
  return summary.count !== 0 || summary.lost !== 0 || summary.up !== 0 || summary.down !== 0 ||
    summary.dropped !== 0 || summary.duplicates !== 0 || summary.reordered !== 0;
}
