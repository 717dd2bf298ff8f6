import assert from "node:assert/strict";
import { test } from "node:test";
import type { Contestant, Experiment } from "./experiment.ts";
import { runExperiments } from "./run.ts";

const effort = { seconds: 0 };

function createWorld() {
  const order: string[] = [];
  const contestant = (name: string, changes: Partial<Contestant> = {}): Contestant => ({
    name,
    measure() {
      order.push(name);
      return Promise.resolve({ at: order.length });
    },
    ...changes,
  });
  const experiment = (contestants: Contestant[], changes: Partial<Experiment> = {}) => ({
    name: "experiment",
    contestants,
    rows: [],
    ...changes,
  });
  return { order, contestant, experiment };
}

test("contestants take turns, and each round begins with another one", async () => {
  const { order, contestant, experiment } = createWorld();
  const [a, b, c] = ["a", "b", "c"].map((name) => contestant(name));
  const repeated = experiment([a!, b!], { repeats: 2 });
  const once = experiment([c!], { once: true });
  const { outcomes, rounds } = await runExperiments([once, repeated], {
    rounds: 2,
    effort,
    tell() {},
  });
  assert.equal(order.join(""), "abab" + "baba" + "c");
  assert.equal(rounds, 2);
  // The medians of the turns of each round.
  assert.deepEqual(outcomes.get(repeated)!.get("a"), { rounds: [{ at: 2 }, { at: 7 }] });
  assert.deepEqual(outcomes.get(once)!.get("c"), { rounds: [{ at: 9 }] });
});

test("what fails or is missing keeps no other from being measured", async () => {
  const { order, contestant, experiment } = createWorld();
  const broken = contestant("broken", { measure: () => Promise.reject(new Error("no\nroute")) });
  const missing = contestant("missing", { unable: () => "missing: it is not installed" });
  const only = experiment([broken, missing, contestant("good")]);
  const { outcomes, failures } = await runExperiments([only], { rounds: 2, effort, tell() {} });
  assert.deepEqual(order, ["good", "good"]);
  assert.deepEqual([...outcomes.get(only)!.values()].slice(0, 2), [
    { missing: "failed: no" },
    { missing: "missing: it is not installed" },
  ]);
  assert.deepEqual(failures, ["experiment: broken: no\nroute"]);
});

test("what a measurement started is ended with it, even if it failed", async () => {
  const { contestant, experiment } = createWorld();
  const ended: string[] = [];
  const started = contestant("started", {
    measure(owner) {
      owner.after(() => void ended.push("started"));
      return Promise.reject(new Error("broken"));
    },
  });
  await runExperiments([experiment([started])], { rounds: 1, effort, tell() {} });
  assert.deepEqual(ended, ["started"]);
});
