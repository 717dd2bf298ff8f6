/** Inputs in pieces, and back: see `Shape`. */
import type { Shape } from "./target.ts";

const LENGTH_BYTES = 4;
const SIZE_BYTES = 2;
const NEWLINE = 0x0a;

/** Cuts an input; what has no end is the last piece. */
export function splitInput(shape: Shape, input: Uint8Array): Uint8Array[] {
  if (shape === "bytes") return [input];
  if (shape === "datagrams") return splitDatagrams(input);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < input.byteLength;) {
    let size: number;
    if (shape === "json") size = (input.indexOf(NEWLINE, at) + 1 || input.byteLength) - at;
    else size = input.byteLength - at < LENGTH_BYTES ? Infinity : view.getUint32(at, true);
    const end = Math.min(at + Math.max(size, LENGTH_BYTES), input.byteLength);
    pieces.push(input.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** @param tellLength whether the pieces' lengths are set right */
export function joinInput(
  shape: Shape,
  pieces: readonly Uint8Array[],
  tellLength: boolean,
): Uint8Array {
  if (shape === "datagrams") return joinDatagrams(pieces);
  const input = concat(pieces);
  if (shape !== "frames" || !tellLength) return input;
  const view = new DataView(input.buffer);
  let at = 0;
  for (const { byteLength } of pieces) {
    if (byteLength >= LENGTH_BYTES) view.setUint32(at, byteLength, true);
    at += byteLength;
  }
  return input;
}

/** Datagrams, each after its size, as one input. */
export function joinDatagrams(datagrams: readonly Uint8Array[]): Uint8Array {
  return concat(datagrams.flatMap((datagram) => {
    const size = Math.min(datagram.byteLength, 0xffff);
    return [Uint8Array.of(size & 0xff, size >> 8), datagram.subarray(0, size)];
  }));
}

export function splitDatagrams(input: Uint8Array): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at + SIZE_BYTES <= input.byteLength;) {
    const start = at + SIZE_BYTES;
    at = start + (input[at]! | input[at + 1]! << 8);
    datagrams.push(input.subarray(start, at));
  }
  return datagrams;
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
