/** The origins that a session knows, by the relay's directory and counts. */
import { type Counts, MAX_COUNTED_ORIGINS, type OriginCounts } from "../relay/counts.ts";
import { readDirectory } from "../relay/directory.ts";
import { readHeartbeat } from "../relay/heartbeat.ts";
import { ProtocolError } from "../relay/protocol-error.ts";
import { createOrigin, type Origin, updateLoss } from "./origins.ts";

/** Twice what any server takes: some leave while others come. Each is about 5 KB. */
const MAX_ORIGINS = 20_000;

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
  /** Messages that the relay passed on have not arrived. */
  readonly isMissingAny: boolean;
  /** Leaves those that were waited for long enough; returns when to call again. */
  tick(nowUs: number): number;
  /** The session ended: all others are left. */
  leaveAll(): void;
}

export interface OriginTableOptions {
  nowUs: () => number;
  /** How long what is missing of an origin that left is waited for, µs. */
  stragglersUs: number;
  joined: (origin: Origin) => void;
  /** Its counts are final. Never the session itself. */
  left: (origin: Origin) => void;
}

export function createOriginTable(
  self: Origin,
  { nowUs, stragglersUs, joined, left }: OriginTableOptions,
): OriginTable {
  const origins = new Map([[self.number, self]]);
  /** Those that left with something missing, and until when that is waited for: the oldest first. */
  const leaving = new Map<Origin, number>();

  const leave = (origin: Origin): void => {
    leaving.delete(origin);
    origins.delete(origin.number);
    left(origin);
  };

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
        if (origins.size > MAX_ORIGINS) throw new ProtocolError("directory: too many sessions");
        const origin = createOrigin(entry);
        origins.set(origin.number, origin);
        joined(origin);
      }
      for (const counts of directory.left) {
        const origin = origins.get(counts.session);
        if (origin === undefined || origin === self) continue;
        updateLoss(origin, counts);
        if (stragglersUs > 0 && isMissing(origin)) leaving.set(origin, nowUs() + stragglersUs);
        else leave(origin);
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
    get isMissingAny() {
      for (const origin of origins.values()) if (isMissing(origin)) return true;
      return false;
    },
    tick(atUs) {
      for (const [origin, dueUs] of leaving) {
        if (atUs < dueUs) return dueUs;
        leave(origin);
      }
      return Infinity;
    },
    leaveAll() {
      for (const origin of origins.values()) if (origin !== self) left(origin);
      origins.clear();
    },
  };
}

function isMissing({ down, dropped }: Origin): boolean {
  return down > dropped;
}
