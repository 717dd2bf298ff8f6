/**
 * One process to a folder, by a file named `lock` that says who owns it.
 *
 * The file appears whole: it is written beside, then linked to its name, which fails where the name
 * exists. A dead owner's lock is not removed, for whoever removes it may remove the next owner's:
 * instead the takers race to link theirs to a name that the dead owner's token gives. The one who
 * succeeds looks again whether `lock` still leads to its own, and only then moves it over `lock`.
 *
 * Whether an owner lives is seen from its process where it can be: same start of the system, same
 * space of process ids. Other containers, and other machines that share the folder, cannot be
 * looked into: but an owner touches its lock every two seconds, so one whose lock stands still
 * for longer is dead.
 */
import { randomUUID } from "node:crypto";
import {
  link,
  readFile,
  readlink,
  rename,
  stat,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Failure } from "../platform/failure.ts";

const HEARTBEAT_MS = 2_000;
/** An owner is given so long to touch its lock. */
const WATCH_MS = 7_000;

export interface FolderLock {
  release(): Promise<void>;
}

/** What is known of a process. */
export interface Owner {
  pid: number;
  /** Changes when a process id is used again; null: unknown. */
  start: string | null;
  /** Processes of the same place see one another by their ids. */
  place: string;
  token: string;
}

export interface FolderLockOptions {
  folder: string;
  /** Another process took the lock, because this one stood still for too long. */
  lost: () => void;
  /** Who asks; tests hand in others. */
  self?: Omit<Owner, "token">;
  /** Tells when another process's lock must be watched for so long. */
  info?: (message: string) => void;
  watchMs?: number;
}

/** Throws a Failure where a living process holds the folder; otherwise the system's error. */
export async function lockFolder(options: FolderLockOptions): Promise<FolderLock> {
  const { folder } = options;
  const path = join(folder, "lock");
  const owner: Owner = { ...(options.self ?? await describeSelf()), token: randomUUID() };
  const own = join(folder, `lock-${owner.token}`);
  await writeFile(own, `${JSON.stringify(owner)}\n`, { flag: "wx" });
  try {
    while (!await claim(options, path, own, owner)) { /* Another released or moved its lock. */ }
  } finally {
    await unlink(own).catch(() => {});
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  let touching: Promise<void> = Promise.resolve();
  const touch = async (): Promise<void> => {
    try {
      if ((await readOwner(path))?.token !== owner.token) return options.lost();
      const now = new Date();
      await utimes(path, now, now);
    } catch {
      // The disk fails: whoever writes to the folder will notice.
    }
    timer = timer && setTimeout(beat, HEARTBEAT_MS);
  };
  const beat = (): void => {
    touching = touch();
  };
  timer = setTimeout(beat, HEARTBEAT_MS);

  return {
    async release() {
      clearTimeout(timer);
      timer = undefined;
      await touching;
      if ((await readOwner(path))?.token === owner.token) await unlink(path).catch(() => {});
    },
  };
}

/** True where `lock` is ours now; false where all must be looked at again. */
async function claim(
  options: FolderLockOptions,
  path: string,
  own: string,
  self: Owner,
): Promise<boolean> {
  /** Names of dead owners' locks, each of which leads to the next. */
  const dead: { path: string; token: string }[] = [];
  for (let at = path;;) {
    if (await linkNew(own, at)) {
      if (dead.length === 0) return true;
      if (!await stillLeads(dead)) {
        await unlink(at).catch(() => {});
        return false;
      }
      await rename(at, path);
      for (const { path: old } of dead.slice(1)) await unlink(old).catch(() => {});
      return true;
    }
    const owner = await readOwner(at);
    if (!owner) return false;
    if (await isAlive(owner, at, self, options)) {
      const { pid } = owner;
      throw new Failure(`process ${pid} uses the folder ${options.folder}: give each its own`);
    }
    dead.push({ path: at, token: owner.token });
    at = `${path}.${owner.token}`;
  }
}

async function stillLeads(dead: readonly { path: string; token: string }[]): Promise<boolean> {
  for (const { path, token } of dead) {
    if ((await readOwner(path))?.token !== token) return false;
  }
  return true;
}

/** False where the name exists. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // Not all file systems link. On these a crash in here leaves half a lock, which counts as dead.
    if (code === "ENOENT" || code === "ENOSPC" || code === "EROFS") throw error;
    try {
      await writeFile(to, await readFile(from), { flag: "wx" });
      return true;
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw failure;
    }
  }
}

/** Undefined where there is no such lock. What is no lock of ours counts as somebody's elsewhere. */
async function readOwner(path: string): Promise<Owner | undefined> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { pid, start, place, token } = JSON.parse(text) as Record<string, unknown>;
    if (
      typeof pid === "number" && (typeof start === "string" || start === null) &&
      typeof place === "string" && typeof token === "string" && /^[\w-]{1,64}$/.test(token)
    ) return { pid, start, place, token };
  } catch {
    // Said below.
  }
  return { pid: 0, start: null, place: "unknown", token: "unknown" };
}

async function isAlive(
  owner: Owner,
  path: string,
  self: Owner,
  { folder, info, watchMs = WATCH_MS }: FolderLockOptions,
): Promise<boolean> {
  if (owner.place === self.place && owner.start !== null) {
    const start = await startOf(owner.pid);
    // Not known only where it can be of no process.
    if (start !== undefined || self.start !== null) return start === owner.start;
  }
  info?.(`the folder ${folder} may be in use by process ${owner.pid} elsewhere: watching its lock`);
  const before = await touchedMs(path);
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  const after = await touchedMs(path);
  return after !== undefined && after !== before;
}

async function touchedMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}

async function describeSelf(): Promise<Omit<Owner, "token">> {
  const [boot, space] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]);
  // Where one of them is hidden, processes cannot be told apart by their ids alone.
  const isKnown = boot !== "" && space !== "";
  const { pid } = process;
  return {
    pid,
    start: isKnown ? await startOf(pid) ?? null : null,
    place: isKnown ? `${boot.trim()} ${space}` : hostname(),
  };
}

/** Of a living process: ticks from the system's start to its own (proc_pid_stat(5), field 22). */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // Ended, but its parent has not yet asked how.
    const isDead = fields[0] === "Z" || fields[0] === "X";
    return isDead ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
