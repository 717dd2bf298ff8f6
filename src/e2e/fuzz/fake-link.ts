/** The end of a link that takes everything at once, and keeps it. */
import type { Link, TransportName } from "../../relay/link.ts";
import { concat } from "./pieces.ts";

export interface FakeLink {
  readonly link: Link;
  /** All that was written to it. */
  written(): Uint8Array;
  /** It was ended by its owner. */
  readonly isOver: boolean;
}

export function createFakeLink(transport: TransportName): FakeLink {
  const pieces: Uint8Array[] = [];
  let isOver = false;
  return {
    link: {
      transport,
      peer: "192.0.2.1:50000",
      write(piece) {
        // What is written is the relay's own buffer, which it may stamp again.
        pieces.push(...piece.map((slice) => slice.slice()));
        return true;
      },
      pause() {},
      resume() {},
      end: () => void (isOver = true),
      destroy: () => void (isOver = true),
    },
    written: () => concat(pieces),
    get isOver() {
      return isOver;
    },
  };
}

/** A clock that goes on by 10 µs with each look at it, and by leaps. */
export function createStepClock(): { nowUs: () => number; leap: (us: number) => void } {
  let atUs = 2e14;
  return { nowUs: () => atUs += 10, leap: (us) => void (atUs += us) };
}

/** The same bytes each time. */
export function createFixedBytes(): (count: number) => Uint8Array {
  let next = 0x80;
  return (count) => new Uint8Array(count).fill(next++);
}
