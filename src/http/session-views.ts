/** Connections as the API shows them: those that there are, and for a while those that ended. */
import type { SessionView } from "../metrics/mesh-view.ts";

/** What has ended is shown for so long, and so many. */
const FORGET_MS = 300_000;
const MOST_GONE = 1_000;

export interface SessionViews {
  /** Looks at what there is. */
  update(): void;
  left(id: string, reason: string): void;
  list(): SessionView[];
}

export function createSessionViews(current: () => SessionView[]): SessionViews {
  let there = new Map<string, SessionView>();
  /** The longest gone first. */
  const gone = new Map<string, { view: SessionView; untilAt: number }>();
  const reasons = new Map<string, string>();

  const bury = (view: SessionView): void => {
    const reason = reasons.get(view.id);
    gone.set(view.id, {
      view: { ...view, state: "gone", ...(reason !== undefined && { reason }) },
      untilAt: Date.now() + FORGET_MS,
    });
  };

  return {
    update() {
      const now = new Map(current().map((view) => [view.id, view]));
      for (const [id, view] of there) if (!now.has(id)) bury(view);
      reasons.clear();
      there = now;
      for (const [id, { untilAt }] of gone) {
        if (untilAt > Date.now() && gone.size <= MOST_GONE) break;
        gone.delete(id);
      }
    },
    left(id, reason) {
      if (there.has(id)) reasons.set(id, reason);
    },
    list: () => [...there.values(), ...[...gone.values()].map(({ view }) => view)],
  };
}
