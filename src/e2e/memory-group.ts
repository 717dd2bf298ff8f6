/** Processes that share little memory: Linux's control groups, version 1 or 2, which root may make. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestContext } from "node:test";

const V1 = "/sys/fs/cgroup/memory";
const V2 = "/sys/fs/cgroup";
const limitFile = existsSync(join(V1, "memory.limit_in_bytes"))
  ? "memory.limit_in_bytes"
  : "memory.max";
const parent = limitFile === "memory.max" ? V2 : V1;

function makeGroup(): string {
  const group = join(parent, `performance-tester-${process.pid}`);
  mkdirSync(group);
  if (existsSync(join(group, limitFile))) return group;
  rmdirSync(group);
  throw new Error(`${parent} has no control of memory`);
}

/** Why groups are not to be had, or false. */
export const skip = ((): string | false => {
  try {
    rmdirSync(makeGroup());
    return false;
  } catch (error) {
    return `memory is not limited here: ${(error as Error).message}`;
  }
})();

export interface MemoryGroup {
  /** What a program is started through, to be in the group, its file's pages included. */
  readonly through: readonly string[];
  /**
   * Starts in the group what takes ever more memory, until the system ends it for that.
   *
   * @returns the signal that ended it
   */
  press(): Promise<NodeJS.Signals | null>;
}

/** Makes a group; it ends with the test, and whatever still runs in it, too. */
export function createMemoryGroup(t: TestContext, limitMiB: number): MemoryGroup {
  const group = makeGroup();
  const folder = mkdtempSync(join(tmpdir(), "memory-group-"));
  const members = join(group, "cgroup.procs");
  t.after(async () => {
    for (const pid of readFileSync(members, "utf8").split("\n").filter(Boolean)) {
      process.kill(Number(pid), "SIGKILL");
    }
    // Who was killed is a member until it has gone.
    while (readFileSync(members, "utf8") !== "") await sleep(20);
    rmdirSync(group);
    rmSync(folder, { recursive: true });
  });
  const limit = `${limitMiB * 1024 * 1024}`;
  writeFileSync(join(group, limitFile), limit);
  // None of it goes to swap. Version 1 limits both together.
  for (const [file, most] of [["memory.swap.max", "0"], ["memory.memsw.limit_in_bytes", limit]]) {
    const path = join(group, file!);
    if (existsSync(path)) writeFileSync(path, most!);
  }
  return {
    through: [
      // A file's pages belong to the group that read them first: so the program is copied there.
      ...["sh", "-c"],
      'echo $$ >"$0" && copy=$1 && cp "$2" "$copy" && shift 2 && exec "$copy" "$@"',
      ...[members, join(folder, "program")],
    ],
    async press() {
      const script = 'echo $$ >"$0" && echo 1000 >/proc/$$/oom_score_adj && exec tail /dev/zero';
      const child = spawn("sh", ["-c", script, members], { stdio: "ignore" });
      const [, signal] = await once(child, "exit");
      return signal;
    },
  };
}
