/** Memory of a server with a thousand clients that do nothing. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Experiment } from "../experiment.ts";

const CLIENTS = 1000;
const loadTest = fileURLToPath(new URL("../../many-clients.ts", import.meta.url));

export const memoryExperiment: Experiment = {
  name: "memory",
  once: true,
  slow: true,
  contestants: [{
    name: "performance-server",
    async measure(owner) {
      // It fails where it breaks a budget of its own; what it printed is looked at here.
      const stdout = await new Promise<string>((resolve) => {
        const args = [loadTest, `${CLIENTS}`, "5"];
        const child = execFile(process.execPath, args, (_error, stdout) => resolve(stdout));
        owner.after(() => child.kill());
      });
      const { clients, memory_mb } = JSON.parse(stdout);
      if (clients !== CLIENTS) throw new Error(`only ${clients} clients got in`);
      return { idleMb: memory_mb.idle };
    },
  }],
  rows: [{
    what: "memory of the server with 1,000 idle clients",
    figure: "idleMb",
    unit: "MB",
    budget: { of: "figure", atMost: 200 },
  }],
};
