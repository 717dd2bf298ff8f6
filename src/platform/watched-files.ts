/**
 * Files that others replace while we run, such as certificates and secrets. Looked at again and
 * again rather than watched: links to folders that are exchanged (as Kubernetes does it) and
 * network file systems tell no watcher.
 */
import { readFileSync, statSync } from "node:fs";

const LOOK_MS = 2_000;

export interface WatchedFilesOptions<T> {
  paths: readonly string[];
  /** Makes something of the files; throws, in words for people, where it cannot. */
  load: (read: (path: string) => string) => T;
  /** They were replaced by something that loads. */
  changed: (value: T) => void;
  /** They were replaced by something that does not; what was there before stays. */
  failed: (reason: string) => void;
}

export interface WatchedFiles<T> {
  /** What loaded last. */
  readonly current: T;
  /** Looks at the files now. What has changed is taken when it has not changed since the last look. */
  look(): void;
  stop(): void;
}

/** Loads the files; throws what `load` throws. Changes take effect within seconds. */
export function watchFiles<T>(options: WatchedFilesOptions<T>): WatchedFiles<T> {
  const { paths, load } = options;
  let seen = stateOf(paths);
  let taken = seen;
  let current = load(readText);

  const look = (): void => {
    const now = stateOf(paths);
    // A certificate and its key are replaced one after the other: the second is waited for.
    const isSettled = now === seen;
    seen = now;
    if (!isSettled || now === taken) return;
    taken = now;
    try {
      current = load(readText);
    } catch (error) {
      options.failed((error as Error).message);
      return;
    }
    options.changed(current);
  };

  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return {
    get current() {
      return current;
    },
    look,
    stop: () => clearInterval(timer),
  };
}

/** Equal as long as nobody has touched them. */
function stateOf(paths: readonly string[]): string {
  return JSON.stringify(paths.map((path) => {
    try {
      const { ino, size, mtimeMs } = statSync(path);
      return [ino, size, mtimeMs];
    } catch {
      return undefined;
    }
  }));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code ?? "it cannot be read";
    throw new Error(`${path}: ${why}`);
  }
}
