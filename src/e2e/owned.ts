import type { Owner } from "./processes.ts";

/** Runs what is given outside a test, and ends all that it started, the newest first. */
export async function owned<T>(body: (owner: Owner) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  try {
    return await body({ after: (end) => void ends.push(end as () => unknown) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
