/** All experiments, in the order of the table. */
import type { Experiment } from "./experiment.ts";
import { relayExperiments } from "./rows/relay.ts";

export const experiments: readonly Experiment[] = [
  ...relayExperiments,
];
