/** How long it takes to start, show the help and end, and the processor's time for that. */
import { spawnSync } from "node:child_process";
import { executable, type Program } from "../../processes.ts";
import type { Contestant, Experiment } from "../experiment.ts";

function contestant(name: string, command: () => readonly string[]): Contestant {
  return {
    name,
    measure() {
      const [program, ...args] = command();
      const startMs = performance.now();
      const { status, error } = spawnSync(program!, args, { stdio: "ignore" });
      const ms = performance.now() - startMs;
      if (status !== 0) throw error ?? new Error(`exit code ${status}`);
      return Promise.resolve({ ms });
    },
  };
}

const ours = (["server", "client"] satisfies Program[]).map((program) =>
  contestant(`performance-${program} -h`, () => [executable(program), "-h"])
);

export const startUpExperiment: Experiment = {
  name: "start",
  contestants: [...ours, contestant("node -e 0", () => [process.execPath, "-e", "0"])],
  repeats: 40,
  rows: [{
    what: "start, help and end",
    figure: "ms",
    unit: "ms",
    reference: "node -e 0",
    budget: { of: "ratio", atMost: 1.3 },
    ours: ours.map(({ name }) => name),
  }],
};
