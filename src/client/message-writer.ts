/** Writes a session's messages into buffers: numbers them, and stamps them as they leave. */
import {
  beginHop,
  dataFrameBytes,
  FLAG_ECHO,
  FLAG_WARM_UP,
  stampSent,
  writeDataFrame,
} from "../relay/data-frame.ts";
import type { Welcome } from "../relay/welcome.ts";

/** A buffer that messages are written into one after another. */
export interface Frames {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export interface MessageWriter {
  /** Messages written; also the newest sequence. */
  readonly written: number;
  /** When the newest ones were stamped, µs; NaN before the first. */
  readonly stampedUs: number;
  /** Writes a message at `at`, and returns its end. */
  write(
    welcome: Welcome,
    frames: Frames,
    at: number,
    intendedUs: number,
    payloadBytes: number,
    warmUp: boolean,
  ): number;
  /** Stamps all messages up to `end`, just before they are handed over. */
  stamp(frames: Frames, end: number, nowUs: number): void;
  /** The newest message was not sent: the next one takes its sequence. */
  takeBack(): void;
}

/** @param payload what payloads begin with: at least as long as the longest one */
export function createMessageWriter(payload: Uint8Array, echo: boolean): MessageWriter {
  const commonFlags = echo ? FLAG_ECHO : 0;
  let filler = payload;
  let written = 0;
  let stampedUs = NaN;
  return {
    get written() {
      return written;
    },
    get stampedUs() {
      return stampedUs;
    },
    write({ hopSlots, session: origin }, frames, at, intendedUs, payloadBytes, warmUp) {
      const flags = warmUp ? commonFlags | FLAG_WARM_UP : commonFlags;
      const frame = { flags, hopSlots, origin, sequence: ++written, intendedUs, payloadBytes };
      writeDataFrame(frames.view, at, frame);
      beginHop(frames.view, at);
      const end = at + dataFrameBytes(hopSlots, payloadBytes);
      // Messages mostly follow one of their own size: a view of the payload is made once for all.
      if (filler.byteLength !== payloadBytes) filler = payload.subarray(0, payloadBytes);
      frames.bytes.set(filler, end - payloadBytes);
      return end;
    },
    stamp(frames, end, nowUs) {
      stampedUs = nowUs;
      for (let at = 0; at < end; at += frames.view.getUint32(at, true)) {
        stampSent(frames.view, at, nowUs);
      }
    },
    takeBack() {
      written--;
    },
  };
}
