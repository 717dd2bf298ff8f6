/** What is said to those who get no further than the door. */
import { writeBye } from "./bye.ts";
import type { Link, LinkEvents } from "./link.ts";
import type { RefusalReason } from "./refusal.ts";

/** To a client of TLS, whose own end notices by it that this is none. */
export const NO_TLS = "this server does not speak TLS (--tls-cert)";
/** To a client that keeps to no rate. */
export const TOO_MUCH =
  "it sends more than this server takes of a client (--max-rate, --max-byte-rate)";
/** Of one that had the most time of all that said no hello. */
export const MADE_ROOM = "made room: too many connections without a session";

/** Why there is no room for a connection. */
export function noRoom(reason: RefusalReason): string {
  switch (reason) {
    case "per-address":
      return "there are too many connections from this address (--max-per-address)";
    case "descriptors":
      return "the server is out of file descriptors (ulimit -n)";
    default:
      return "there are too many connections";
  }
}

/** Links that were turned down have so long to take their bye, µs, and so many may. */
const FAREWELL_US = 5_000_000;
const MAX_FAREWELLS = 1000;
/** Of those that are kept back, where there are no descriptors. */
const MAX_FAREWELLS_OF_RESERVE = 8;

export interface Doorstep {
  /** Ends a link that there is no room for: it is told, where that costs nothing that lasts. */
  turnDown(link: Link, reason: RefusalReason, nowUs: number): LinkEvents;
  /** Ends those that do not go. */
  patrol(nowUs: number): void;
}

export function createDoorstep(): Doorstep {
  /** Until when they may stay: the oldest first. */
  const leaving = new Map<Link, number>();

  const end = (link: Link): void => {
    leaving.delete(link);
    link.destroy();
  };

  return {
    turnDown(link, reason, nowUs) {
      const counts = { sent: 0, origins: [] };
      const bye = writeBye({ reason: "crowded", counts, text: noRoom(reason) });
      const most = reason === "descriptors" ? MAX_FAREWELLS_OF_RESERVE : MAX_FAREWELLS;
      const isTold = reason !== "crowded" && leaving.size < most && link.write([bye]);
      if (isTold) {
        leaving.set(link, nowUs + FAREWELL_US);
        link.end();
      } else link.destroy();
      return { data() {}, written() {}, closed: () => void leaving.delete(link) };
    },
    patrol(nowUs) {
      for (const [link, dueUs] of leaving) {
        if (nowUs < dueUs) return;
        end(link);
      }
    },
  };
}

/** Whether these first bytes of a connection are a handshake of TLS (RFC 8446, section 5.1). */
export function isTls([first, second]: Iterable<number>): boolean {
  return first === 22 && second === 3;
}
