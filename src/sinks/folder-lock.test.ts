import assert from "node:assert/strict";
import { readdirSync, readFileSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../platform/failure.ts";
import { withFakeTime } from "../platform/fake-time.ts";
import { type FolderLock, lockFolder, type Owner } from "./folder-lock.ts";
import { withFolder } from "./spool-world.ts";

const lost = (): void => assert.fail("the lock is lost");

/** What a process of this machine would leave, but for what is given. */
async function leaveLock(folder: string, owner: Partial<Owner>): Promise<void> {
  const path = join(folder, "lock");
  const lock = await lockFolder({ folder, lost });
  const own = JSON.parse(readFileSync(path, "utf8"));
  await lock.release();
  writeFileSync(path, JSON.stringify({ ...own, ...owner, token: "dead" }));
}

test("a lock tells its owner, and is gone when it is released", () =>
  withFolder(async (folder) => {
    const lock = await lockFolder({ folder, lost });
    assert.deepEqual(readdirSync(folder), ["lock"]);
    assert.equal(JSON.parse(readFileSync(join(folder, "lock"), "utf8")).pid, process.pid);
    await lock.release();
    assert.deepEqual(readdirSync(folder), []);
  }));

for (
  const [whose, owner] of Object.entries<Partial<Owner>>({
    "of a process that ended": { pid: 2 ** 22 + 1 },
    "of an earlier process with the same id": { pid: process.pid, start: "0" },
  })
) {
  test(`of many who find the lock ${whose}, exactly one takes it over`, () =>
    withFolder(async (folder) => {
      await leaveLock(folder, owner);
      const takers = await Promise.allSettled(
        Array.from({ length: 12 }, () => lockFolder({ folder, lost })),
      );
      const winners = takers.filter(({ status }) => status === "fulfilled");
      assert.equal(winners.length, 1);
      for (const taker of takers) {
        if (taker.status === "rejected") assert.ok(taker.reason instanceof Failure, taker.reason);
      }
      assert.deepEqual(readdirSync(folder), ["lock"]);
      await (winners[0] as PromiseFulfilledResult<FolderLock>).value.release();
      assert.deepEqual(readdirSync(folder), []);
    }));
}

test("a taker that died half-way is taken over in its turn", () =>
  withFolder(async (folder) => {
    await leaveLock(folder, { start: "0" });
    const dead = JSON.parse(readFileSync(join(folder, "lock"), "utf8"));
    writeFileSync(join(folder, "lock.dead"), JSON.stringify({ ...dead, token: "too" }));
    const lock = await lockFolder({ folder, lost });
    assert.deepEqual(readdirSync(folder), ["lock"]);
    await assert.rejects(lockFolder({ folder, lost }), Failure);
    await lock.release();
  }));

test("an owner elsewhere is alive while it touches its lock, and dead when it does not", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      await leaveLock(folder, { place: "another machine", pid: 1 });
      const path = join(folder, "lock");
      const watch = async (meanwhile: () => void): Promise<FolderLock> => {
        const watching = Promise.withResolvers<void>();
        const locked = lockFolder({ folder, lost, info: () => watching.resolve() });
        await watching.promise;
        // It looks at the lock first, then waits.
        while (time.waiting === 0) await stat(path);
        meanwhile();
        time.advance(7_000_000);
        return await locked;
      };
      await assert.rejects(watch(() => utimesSync(path, 1, 1)), /process 1 uses the folder/);
      const lock = await watch(() => {});
      await lock.release();
    })
  ));

test("whoever loses its lock is told", () =>
  withFolder((folder) =>
    withFakeTime(async (time) => {
      const told = Promise.withResolvers<void>();
      const lock = await lockFolder({ folder, lost: told.resolve });
      unlinkSync(join(folder, "lock"));
      time.advance(2_000_000);
      await told.promise;
      await lock.release();
    })
  ));
