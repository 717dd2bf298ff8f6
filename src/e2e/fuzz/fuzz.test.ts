// What scripts/fuzz.sh does for long, for a moment and always the same: the corpus, with all that
// was ever found, and some thousand inputs made from it.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRandom } from "../../relay/simulation/random.ts";
import { corpusOf } from "./corpus.ts";
import { createCoverage } from "./coverage.ts";
import { fuzz } from "./fuzzer.ts";
import { createMutator } from "./mutate.ts";
import { joinInput, splitInput } from "./pieces.ts";
import type { Shape, Target } from "./target.ts";
import { targets } from "./targets.ts";

/** By what one costs. */
const EXECUTIONS: Readonly<Record<string, number>> = {
  "report-command": 200,
  spool: 200,
  lock: 100,
};
const MOST_EXECUTIONS = 1000;

for (const target of targets) {
  const { name } = target;
  test(`${name}: holds whatever bytes come`, async () => {
    const corpus = corpusOf(target);
    const most = corpus.length + (EXECUTIONS[name] ?? MOST_EXECUTIONS);
    const goOn = (executions: number) => executions < most;
    const { finding, taken, executions } = await fuzz(target, {
      corpus,
      seed: 1,
      goOn,
      mostMs: Infinity,
    });
    if (finding) {
      const hex = Buffer.from(finding.input).toString("hex");
      throw new Error(`${name} does not hold for ${hex}`, { cause: finding.error });
    }
    assert.ok(executions >= most);
    // Of what is refused at once, nothing is tried.
    if (name !== "lock") assert.ok(taken > 0, "nothing was taken for what it ought to be");
  });
}

test("an input that breaks something is found, and given with what it broke", async () => {
  const fragile: Target = {
    ...{ name: "fragile", shape: "frames", mostBytes: 100 },
    seeds: () => [Uint8Array.of(8, 0, 0, 0, 1, 0, 0, 0)],
    run(input) {
      if (input[4] === 0xff) throw new TypeError("broken");
      return input.byteLength === 8;
    },
  };
  const goOn = (executions: number) => executions < 50_000;
  const { finding } = await fuzz(fragile, {
    corpus: fragile.seeds(),
    seed: 1,
    goOn,
    mostMs: Infinity,
  });
  assert.equal(finding?.input[4], 0xff);
  assert.match(String(finding?.error), /broken/);
});

/** Three doors one behind the other, each of which one byte in 16 opens. */
const MAZE = `data:text/javascript,export function run(input) {
  if ((input[0] & 0xf0) === 0x90) {
    if ((input[1] & 0xf0) === 0x50) {
      if ((input[2] & 0xf0) === 0xb0) throw new Error("found");
    }
  }
  return true;
}`;

test("inputs that reach new code are what others are made from", async () => {
  const coverage = createCoverage((url) => url.startsWith("data:"));
  try {
    const { run } = await import(MAZE);
    const maze: Target = {
      ...{ name: "maze", shape: "bytes", mostBytes: 4 },
      seeds: () => [],
      run,
    };
    const goOn = (executions: number) => executions < 20_000;
    const options = { corpus: [new Uint8Array(4)], seed: 1, goOn, mostMs: Infinity };
    const guided = await fuzz(maze, { ...options, coverage });
    assert.match(String(guided.finding?.error), /found/);
    assert.equal(guided.kept.length, 2);
    const { finding } = await fuzz(maze, options);
    assert.equal(finding, undefined, "nobody comes so far by chance");
  } finally {
    coverage.stop();
  }
});

test("the same seed makes the same inputs", () => {
  const target = targets.find(({ shape }) => shape === "frames")!;
  const inputsOf = (seed: number) => {
    const mutate = createMutator(target, createRandom(seed));
    return Array.from({ length: 50 }, () => mutate(target.seeds()));
  };
  assert.deepEqual(inputsOf(7), inputsOf(7));
  assert.notDeepEqual(inputsOf(7), inputsOf(8));
});

test("pieces of any bytes are those bytes again", () => {
  const shapes: Shape[] = ["bytes", "frames", "json"];
  fc.assert(fc.property(fc.constantFrom(...shapes), fc.uint8Array(), (shape, input) => {
    assert.deepEqual(joinInput(shape, splitInput(shape, input), false), input);
  }));
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (datagrams) => {
    assert.deepEqual(splitInput("datagrams", joinInput("datagrams", datagrams, true)), datagrams);
  }));
});
