/** The origins that a session knows, by the relay's directory and counts. */
import { type Counts, MAX_COUNTED_ORIGINS, type OriginCounts } from "../relay/counts.ts";
import { readDirectory } from "../relay/directory.ts";
import { readHeartbeat } from "../relay/heartbeat.ts";
import { createOrigin, type Origin, updateLoss } from "./origins.ts";

export interface OriginTable {
  /** The session itself, as an origin. */
  readonly self: Origin;
  get(session: number): Origin | undefined;
  /** Takes who joined and who left. Throws ProtocolError. */
  takeDirectory(frame: Uint8Array): void;
  /** Takes the relay's counts of a heartbeat. Throws ProtocolError. */
  takeHeartbeat(frame: Uint8Array): void;
  takeCounts(counts: Counts): void;
  /** What arrived of each of them, for the relay. */
  receivedCounts(): OriginCounts[];
  /** The session ended: all others are left. */
  leaveAll(): void;
}

/** `left` is told of an origin whose counts are final; never of the session itself. */
export function createOriginTable(
  self: Origin,
  { joined, left }: { joined: (origin: Origin) => void; left: (origin: Origin) => void },
): OriginTable {
  const origins = new Map([[self.number, self]]);

  const takeCounts = (counts: Counts): void => {
    for (const entry of counts.origins) {
      const origin = origins.get(entry.session);
      if (origin !== undefined) updateLoss(origin, entry);
    }
  };

  return {
    self,
    get: (session) => origins.get(session),
    takeDirectory(frame) {
      const directory = readDirectory(frame);
      for (const entry of directory.joined) {
        if (origins.has(entry.session)) continue;
        const origin = createOrigin(entry);
        origins.set(origin.number, origin);
        joined(origin);
      }
      for (const counts of directory.left) {
        const origin = origins.get(counts.session);
        if (origin === undefined || origin === self) continue;
        updateLoss(origin, counts);
        origins.delete(counts.session);
        left(origin);
      }
    },
    takeHeartbeat: (frame) => takeCounts(readHeartbeat(frame)),
    takeCounts,
    receivedCounts() {
      const counts: OriginCounts[] = [];
      for (const { number, tracker } of origins.values()) {
        if (tracker.received === 0 || counts.length === MAX_COUNTED_ORIGINS) continue;
        const { received, next } = tracker;
        counts.push({ session: number, received, next, dropped: 0 });
      }
      return counts;
    },
    leaveAll() {
      for (const origin of origins.values()) if (origin !== self) left(origin);
      origins.clear();
    },
  };
}
