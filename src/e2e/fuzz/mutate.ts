/** Makes inputs from others, at random but from a seed. */
import type { Random } from "../../relay/simulation/random.ts";
import { mutateJson } from "./mutate-json.ts";
import { concat, joinInput, splitInput } from "./pieces.ts";
import type { Target } from "./target.ts";

/** Where decoders err: ends of ranges, and what is no number. */
const WHOLE = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];
const REAL = [
  ...[0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 5e-324, 1.7e308],
  ...[2 ** 31, 2 ** 32, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 1e15, 1e18, -1e18],
];

type Pick = <T>(values: readonly T[]) => T;

/** @param corpus inputs to mutate, and to take pieces from */
export function createMutator({ shape, mostBytes }: Target, random: Random) {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const pick: Pick = (values) => values[below(values.length)]!;

  function mutatePiece(piece: Uint8Array, corpus: readonly Uint8Array[]): Uint8Array {
    if (shape === "json" && random.chance(0.8)) return mutateJson(piece, random);
    const bytes = piece.slice();
    if (bytes.byteLength === 0) return Uint8Array.of(below(256));
    const view = new DataView(bytes.buffer);
    const at = below(bytes.byteLength);
    const room = bytes.byteLength - at;
    switch (below(10)) {
      case 0:
        bytes[at]! ^= 1 << below(8);
        return bytes;
      case 1:
        bytes[at] = pick(WHOLE);
        return bytes;
      case 2:
        bytes[at] = below(256);
        return bytes;
      case 3:
        if (room >= 2) view.setUint16(at, pick(WHOLE), random.chance(0.8));
        return bytes;
      case 4:
        if (room >= 4) view.setUint32(at, pick(WHOLE), random.chance(0.8));
        return bytes;
      case 5:
        if (room >= 8) view.setFloat64(at, pick(REAL), random.chance(0.8));
        return bytes;
      case 6:
        if (room >= 4) view.setFloat32(at, pick(REAL), true);
        return bytes;
      case 7: // Out.
        return concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(Math.min(room, 32)))]);
      case 8: { // In, again, or over what stands there.
        const from = pick(random.chance(0.5) ? corpus : [bytes]);
        const start = below(from.byteLength + 1);
        const some = from.subarray(start, start + 1 + below(64));
        const rest = bytes.subarray(random.chance(0.5) ? at : at + some.byteLength);
        return concat([bytes.subarray(0, at), some, rest]);
      }
      default: {
        const step = below(35) + 1;
        bytes[at]! += random.chance(0.5) ? step : -step;
        return bytes;
      }
    }
  }

  /** Another order of pieces, others among them, or fewer. */
  function mutateOrder(pieces: Uint8Array[], corpus: readonly Uint8Array[]): void {
    const at = below(pieces.length + 1);
    switch (below(4)) {
      case 0:
        pieces.splice(at, 1);
        break;
      case 1:
        if (pieces.length > 0) pieces.splice(at, 0, pick(pieces));
        break;
      case 2:
        pieces.splice(at, 0, ...splitInput(shape, pick(corpus)).slice(0, 1 + below(4)));
        break;
      default:
        if (pieces.length > 1) pieces.push(...pieces.splice(below(pieces.length), 1));
    }
  }

  return (corpus: readonly Uint8Array[]): Uint8Array => {
    const pieces = splitInput(shape, pick(corpus));
    for (let times = 1 + below(random.chance(0.7) ? 3 : 12); times > 0; times--) {
      if (shape !== "bytes" && random.chance(0.2)) mutateOrder(pieces, corpus);
      else if (pieces.length === 0) pieces.push(Uint8Array.of(below(256)));
      else {
        const at = below(pieces.length);
        pieces[at] = mutatePiece(pieces[at]!, corpus);
      }
    }
    return joinInput(shape, pieces, random.chance(0.9)).subarray(0, mostBytes);
  };
}
