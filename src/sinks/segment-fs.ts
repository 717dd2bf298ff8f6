/**
 * The few calls of the file system that segments need, on descriptors and asynchronous: none of
 * them stops the event loop. Tests hand in one that fails.
 */
import { close, fdatasync, fstat, ftruncate, open, read, write } from "node:fs";

export interface SegmentFs {
  open(path: string, flags: string): Promise<number>;
  /** Writes `bytes` from `offset` on; returns how many the system took, perhaps not all. */
  write(fd: number, bytes: Uint8Array, offset: number): Promise<number>;
  /** Returns how many bytes were there to be read. */
  read(fd: number, into: Uint8Array, position: number): Promise<number>;
  truncate(fd: number, bytes: number): Promise<void>;
  /** Resolves once the data is on the medium. */
  sync(fd: number): Promise<void>;
  size(fd: number): Promise<number>;
  close(fd: number): Promise<void>;
}

type Done<T> = (error: Error | null, value: T) => void;

function call<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => error ? reject(error) : resolve(value));
  });
}

function run(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => error ? reject(error) : resolve());
  });
}

/** The real one. */
export const segmentFs: SegmentFs = {
  open: (path, flags) => call((done) => open(path, flags, done)),
  write: (fd, bytes, offset) =>
    call((done) => write(fd, bytes, offset, bytes.byteLength - offset, null, done)),
  read: (fd, into, position) => call((done) => read(fd, into, 0, into.byteLength, position, done)),
  truncate: (fd, bytes) => run((done) => ftruncate(fd, bytes, done)),
  sync: (fd) => run((done) => fdatasync(fd, done)),
  size: async (fd) => (await call<{ size: number }>((done) => fstat(fd, done))).size,
  close: (fd) => run((done) => close(fd, done)),
};
