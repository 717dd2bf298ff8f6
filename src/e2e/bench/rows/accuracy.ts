/** Errors of the figures where the client's clock is wrong, against the truth. */
import { CLOCKS, differenceErrors, hopErrors, quantile, ROUTES, run } from "../../accuracy-runs.ts";
import type { Experiment } from "../experiment.ts";
import { lacks } from "../started.ts";

const MESSAGES_A_SECOND = 125;
const [trueClock, wrongClock] = ["as it is", "+5 s, +50 ppm"]
  .map((wanted) => CLOCKS.find(({ name }) => name === wanted)!);
const messagesOf = (seconds: number): number => Math.ceil(2 * seconds * MESSAGES_A_SECOND);

export const accuracyExperiments: readonly Experiment[] = [
  {
    name: "accuracy of one way",
    contestants: [{
      name: "performance-client",
      unable: lacks("faketime"),
      async measure(_owner, { seconds }) {
        const result = await run(wrongClock!, { loopback: undefined }, messagesOf(seconds));
        const { errorsUs, worstOfBound } = hopErrors(result);
        return { p95Us: quantile(errorsUs, 0.95), worstOfBound };
      },
    }],
    rows: [
      {
        what: "error of one-way delay, clock 5 s off and drifting 50 ppm, loopback, p95",
        figure: "p95Us",
        unit: "µs",
        budget: { of: "figure", atMost: 50 },
      },
      {
        what: "largest of these errors ÷ its own bound",
        figure: "worstOfBound",
        unit: "",
        budget: { of: "figure", atMost: 1 },
      },
    ],
  },
  {
    name: "accuracy of a difference",
    contestants: [{
      name: "performance-client",
      unable: lacks("faketime"),
      async measure(_owner, { seconds }) {
        const p95Of = async (clock: typeof wrongClock): Promise<number> =>
          quantile(differenceErrors(await run(clock!, ROUTES, messagesOf(seconds))), 0.95);
        const control = await p95Of(trueClock);
        return { overUs: await p95Of(wrongClock) - control };
      },
    }],
    rows: [{
      what: "error of the difference of two routes, the same clock, p95 over one with a true clock",
      figure: "overUs",
      unit: "µs",
      budget: { of: "figure", atMost: 20 },
    }],
  },
];
