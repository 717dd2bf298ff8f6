/** 10,000 messages a second over TCP and back to their sender: the relay's and the sender's own time. */
import type { Experiment } from "../experiment.ts";
import { runEcho } from "../our-echo.ts";

const RATE = 10_000;

export const rateExperiment: Experiment = {
  name: "rate",
  contestants: [{
    name: "performance-server, -client",
    async measure(owner, { seconds }) {
      const count = RATE * seconds;
      const { client, server } = await runEcho(owner, {
        args: ["--rate", `${RATE}`, "--size", "128", "--count", `${count}`, "--warmup", "0"],
      });
      return {
        residenceP50Us: server.residence_ms!.p50 * 1000,
        residenceP99Us: server.residence_ms!.p99 * 1000,
        lagUs: client.lag_ms!.mean * 1000,
        missedPercent: 100 * (1 - client.sent / count),
      };
    },
  }],
  rows: [
    {
      what: "residence at 10,000 messages/s, p50",
      figure: "residenceP50Us",
      unit: "µs",
      budget: { of: "figure", atMost: 15 },
    },
    {
      what: "residence at 10,000 messages/s, p99",
      figure: "residenceP99Us",
      unit: "µs",
      budget: { of: "figure", atMost: 150 },
    },
    { what: "schedule lag at 10,000 messages/s, mean", figure: "lagUs", unit: "µs" },
    {
      what: "sends missed at 10,000 messages/s",
      figure: "missedPercent",
      unit: "%",
      budget: { of: "figure", atMost: 0 },
    },
  ],
};
