/** All experiments, in the order of the table. */
import type { Experiment } from "./experiment.ts";
import { accuracyExperiments } from "./rows/accuracy.ts";
import { floodExperiment } from "./rows/flood.ts";
import { imagesExperiment } from "./rows/images.ts";
import { memoryExperiment } from "./rows/memory.ts";
import { pingPongExperiments } from "./rows/ping-pong.ts";
import { rateExperiment } from "./rows/rate.ts";
import { relayExperiments } from "./rows/relay.ts";
import { startUpExperiment } from "./rows/start-up.ts";
import { udpExperiment } from "./rows/udp.ts";

export const experiments: readonly Experiment[] = [
  ...relayExperiments,
  floodExperiment,
  ...pingPongExperiments,
  udpExperiment,
  rateExperiment,
  ...accuracyExperiments,
  startUpExperiment,
  memoryExperiment,
  imagesExperiment,
];
