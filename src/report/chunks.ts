/** Bytes of an input, decompressed, in chunks. */

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Failure } from "../platform/failure.ts";
import type { Input } from "./inputs.ts";

const CHUNK_BYTES = 1 << 20;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

export interface ChunkReader {
  /** A chunk is valid until the next one is asked for. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Of the input as it is on disk, so far. */
  readonly bytesRead: number;
  /** What was wrong with the end: a compressed file that was cut off. */
  readonly torn: string | undefined;
}

/** @param stdin read where the input has no path */
export function createChunkReader(
  input: Input,
  stdin: AsyncIterable<Uint8Array>,
): ChunkReader {
  let bytesRead = 0;
  let torn: string | undefined;

  const raw = input.path === undefined ? stdin : undefined;

  async function* compressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    // Members that follow one another are one stream to it.
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    const counted = async function* () {
      for await (const chunk of source) {
        bytesRead += chunk.length;
        yield chunk;
      }
    };
    const filled = pipeline(counted, gunzip).catch(() => {});
    try {
      for await (const chunk of gunzip) yield chunk;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!code?.startsWith("Z_")) throw asFailure(input, error);
      torn = code === "Z_BUF_ERROR" ? "the compressed file is cut off" : "not compressed by gzip";
    }
    await filled;
  }

  async function* plain(path: string): AsyncGenerator<Uint8Array> {
    const file = await open(path).catch((error) => {
      throw asFailure(input, error);
    });
    // One buffer is read into while the other one is gone through.
    const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
    const read = (turn: number) => {
      const reading = file.read(buffers[turn]!, 0, CHUNK_BYTES);
      reading.catch(() => {});
      return reading;
    };
    try {
      let turn = 0;
      let reading = read(turn);
      for (;;) {
        const { bytesRead: length, buffer } = await reading.catch((error) => {
          throw asFailure(input, error);
        });
        if (length === 0) return;
        bytesRead += length;
        turn = 1 - turn;
        reading = read(turn);
        yield buffer.subarray(0, length);
      }
    } finally {
      await file.close();
    }
  }

  /** Standard input has no name to tell whether it is compressed. */
  async function* unnamed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const chunks = source[Symbol.asyncIterator]();
    const first = await chunks.next();
    if (first.done === true) return;
    const all = async function* () {
      yield first.value;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    };
    if (GZIP_MAGIC.every((byte, index) => first.value[index] === byte)) {
      yield* compressed(all());
      return;
    }
    for await (const chunk of all()) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }

  return {
    chunks() {
      if (raw !== undefined) return unnamed(raw);
      if (!input.isCompressed) return plain(input.path!);
      return compressed(createReadStream(input.path!, { highWaterMark: CHUNK_BYTES / 4 }));
    },
    get bytesRead() {
      return bytesRead;
    },
    get torn() {
      return torn;
    },
  };
}

function asFailure({ name }: Input, error: unknown): Failure {
  return new Failure(`${name}: ${(error as Error).message}`);
}
