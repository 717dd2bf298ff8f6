/** Runs a target on inputs made from its corpus, and keeps those that reach something new. */
import { isPromise } from "node:util/types";
import { createRandom } from "../../relay/simulation/random.ts";
import type { Coverage } from "./coverage.ts";
import { createMutator } from "./mutate.ts";
import type { Target } from "./target.ts";

/** So many inputs run before it is looked which blocks they reached. */
const BATCH = 64;
const ATTEMPTS = 3;
/** Of arrays and objects together, after a batch of any inputs: more would be a leak. */
const MOST_BYTES = 768 << 20;

export interface Finding {
  input: Uint8Array;
  error: unknown;
}

export interface FuzzResult {
  executions: number;
  /** Of these, inputs that were taken for what they ought to be. */
  taken: number;
  /** Inputs that reached new blocks, in addition to the corpus. */
  kept: Uint8Array[];
  finding: Finding | undefined;
}

export interface FuzzOptions {
  corpus: readonly Uint8Array[];
  seed: number;
  /** What takes longer at each of a few attempts is a finding. */
  mostMs: number;
  /** Told how many have run: whether to go on. */
  goOn: (executions: number) => boolean;
  /** Where it is absent, inputs are made from the given ones alone. */
  coverage?: Coverage;
}

/** Ends at the first finding. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzResult> {
  const { coverage, goOn, mostMs } = options;
  const mutate = createMutator(target, createRandom(options.seed));
  const corpus = [...options.corpus];
  const result: FuzzResult = { executions: 0, taken: 0, kept: [], finding: undefined };

  /** False where it is a finding. */
  async function runOne(input: Uint8Array): Promise<boolean> {
    result.executions++;
    try {
      for (let attempt = 1;; attempt++) {
        const startMs = performance.now();
        // Targets write into what they are given.
        const outcome = target.run(input.slice());
        const taken = isPromise(outcome) ? await outcome : outcome;
        if (taken && attempt === 1) result.taken++;
        const tookMs = performance.now() - startMs;
        if (tookMs < mostMs) return true;
        if (attempt === ATTEMPTS) throw new Error(`took ${Math.round(tookMs)} ms`);
      }
    } catch (error) {
      result.finding = { input, error };
      return false;
    }
  }

  async function runBatch(batch: readonly Uint8Array[]): Promise<boolean> {
    for (const input of batch) if (!await runOne(input)) return false;
    if (process.memoryUsage.rss() > MOST_BYTES) {
      const { heapUsed, external } = process.memoryUsage();
      if (heapUsed + external > MOST_BYTES) {
        const error = new Error(`takes ${heapUsed + external} bytes of memory`);
        result.finding = { input: batch.at(-1)!, error };
        return false;
      }
    }
    const fresh = coverage?.fresh();
    if (!coverage || !fresh?.size) return true;
    // One or more of them reached it: once more, one by one.
    for (const input of batch) {
      if (!await runOne(input)) return false;
      const blocks = coverage.fresh();
      if (blocks.size === 0) continue;
      coverage.keep(blocks);
      if (!corpus.includes(input)) {
        corpus.push(input);
        result.kept.push(input);
      }
    }
    // What only a first run reaches, such as what is made once.
    coverage.keep(fresh);
    return true;
  }

  coverage?.fresh();
  for (const input of corpus.slice()) if (!await runBatch([input])) return result;
  while (goOn(result.executions)) {
    if (!await runBatch(Array.from({ length: BATCH }, () => mutate(corpus)))) break;
  }
  return result;
}
