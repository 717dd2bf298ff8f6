/**
 * Clients that report: a process with several sessions is one reporter, there as long as one of
 * them is, and the same one when it comes back.
 */
import type { Mesh } from "../metrics/mesh.ts";
import type { Reporter } from "../metrics/mesh-key.ts";
import type { Report } from "../relay/report-frame.ts";
import type { Session } from "../relay/session.ts";

export interface Reporters {
  report(session: Session, report: Report): void;
  /** @param sessions those that are left */
  left(session: Session, sessions: Iterable<Session>): void;
}

export function createReporters(mesh: Mesh): Reporters {
  /** By process id. */
  const reporters = new Map<string, Reporter>();

  const reporterOf = ({ pair, name }: Session): Reporter => {
    const known = reporters.get(pair.processId);
    if (known !== undefined && mesh.reporters.has(known)) return known;
    for (const [id, reporter] of reporters) if (!mesh.reporters.has(reporter)) reporters.delete(id);
    const reporter = mesh.join(name, false);
    reporters.set(pair.processId, reporter);
    return reporter;
  };

  return {
    report(session, { keys, differences }) {
      const reporter = reporterOf(session);
      reporter.isThere = true;
      mesh.takeReport(reporter, keys, differences);
    },
    left({ pair }, sessions) {
      const reporter = reporters.get(pair.processId);
      if (reporter === undefined) return;
      for (const other of sessions) if (other.pair === pair) return;
      mesh.leave(reporter);
    },
  };
}
