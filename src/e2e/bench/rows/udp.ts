/** A message every millisecond over UDP: round trip, and how well the schedule is kept. */
import { dataFrameBytes, HOP_SLOTS } from "../../../relay/data-frame.ts";
import { PLAIN_HEADER_BYTES } from "../../../relay/datagram.ts";
import type { Experiment } from "../experiment.ts";
import { runEcho } from "../our-echo.ts";
import { lacks } from "../started.ts";
import { runIrtt, startIrttServer } from "../peers/irtt.ts";

const BYTES = 64;
const INTERVAL_MS = 1;
const datagramBytes = PLAIN_HEADER_BYTES + dataFrameBytes(HOP_SLOTS, BYTES);

export const udpExperiment: Experiment = {
  name: "udp",
  contestants: [
    {
      name: "performance-client",
      async measure(owner, { seconds }) {
        const count = seconds * 1000 / INTERVAL_MS;
        const { client, echo } = await runEcho(owner, {
          transport: "udp",
          args: [
            ...["--interval", `${INTERVAL_MS}ms`, "--size", `${BYTES}`],
            ...["--count", `${count}`, "--warmup", "0"],
          ],
        });
        return {
          rttUs: echo.elapsed_ms!.p50 * 1000,
          lagUs: client.lag_ms!.mean * 1000,
          missedPercent: 100 * (1 - client.sent / count),
        };
      },
    },
    {
      name: "irtt",
      unable: lacks("irtt"),
      async measure(owner, { seconds }) {
        const port = await startIrttServer(owner);
        const irtt = await runIrtt({ port, intervalMs: INTERVAL_MS, seconds, datagramBytes });
        return {
          rttUs: irtt.rttMedianMs * 1000,
          lagUs: irtt.timerErrorMeanMs * 1000,
          missedPercent: 100 * irtt.missed / (irtt.missed + irtt.sent),
        };
      },
    },
  ],
  rows: [
    {
      what: "round trip over UDP, 1 ms interval, 64 B, median",
      figure: "rttUs",
      unit: "µs",
      reference: "irtt",
      budget: { of: "ratio", atMost: 1 },
    },
    {
      what: "schedule lag at 1 ms interval, mean",
      figure: "lagUs",
      unit: "µs",
      reference: "irtt",
      budget: { of: "ratio", atMost: 0.1 },
    },
    {
      what: "sends missed at 1 ms interval",
      figure: "missedPercent",
      unit: "%",
      budget: { of: "figure", atMost: 0 },
    },
  ],
};
