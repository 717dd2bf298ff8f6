/** Errors of the figures where the client's clock is wrong, against the truth. */
import { CLOCKS, differenceErrors, hopErrors, quantile, ROUTES, run } from "../../accuracy-runs.ts";
import type { Experiment } from "../experiment.ts";
import { lacks } from "../started.ts";

const MESSAGES_A_SECOND = 125;
const wrongClock = CLOCKS.find(({ name }) => name === "+5 s, +50 ppm")!;
const messagesOf = (seconds: number): number => Math.ceil(2 * seconds * MESSAGES_A_SECOND);

export const accuracyExperiments: readonly Experiment[] = [
  {
    name: "accuracy of one way",
    contestants: [{
      name: "performance-client",
      unable: lacks("faketime"),
      async measure(_owner, { seconds }) {
        const result = await run(wrongClock, { loopback: undefined }, messagesOf(seconds));
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
        const result = await run(wrongClock, ROUTES, messagesOf(seconds));
        const { upUs, upByOneClockUs, downUs, toldUs } = differenceErrors(result);
        const p95Of = (errorsUs: readonly number[]): number => quantile(errorsUs, 0.95);
        return {
          overUs: p95Of(upUs) - p95Of(upByOneClockUs),
          downUs: p95Of(downUs),
          toldUs: Math.max(Math.abs(toldUs.up), Math.abs(toldUs.down)),
        };
      },
    }],
    rows: [
      {
        what:
          "error of the difference of two routes, the same clock, p95 over that by a true clock",
        figure: "overUs",
        unit: "µs",
        budget: { of: "figure", atMost: 20 },
      },
      {
        what: "the same on the way down, p95",
        figure: "downUs",
        unit: "µs",
        budget: { of: "figure", atMost: 20 },
      },
      {
        what: "mean difference that the client tells, off by",
        figure: "toldUs",
        unit: "µs",
        budget: { of: "figure", atMost: 20 },
      },
    ],
  },
];
