/** A flood through the relay to four real clients, each of which measures each message. */
import { documentOf, start, startClient, startServer } from "../../processes.ts";
import type { Experiment } from "../experiment.ts";
import { relayContestant, RELAYS } from "../load/relays.ts";

const RECEIVERS = 4;

export const floodExperiment: Experiment = {
  name: "flood 1 to 4",
  contestants: [
    {
      name: "performance-client, measuring",
      async measure(owner, { seconds }) {
        const server = await startServer(owner);
        const receivers = await Promise.all(Array.from(
          { length: RECEIVERS },
          (_, index) =>
            startClient(owner, server.port, ["-n", `r${index}`, "--interval", "1h", "--json"]),
        ));
        const sender = start(owner, "client", [
          ...["-s", `127.0.0.1:${server.port}`, "-n", "flood", "--mode", "flood"],
          ...["--size", "128", "--duration", `${seconds}s`, "--json"],
        ]);
        const flood = documentOf(await sender.exited);
        const documents = await Promise.all(receivers.map((receiver) => receiver.stop()));
        const paths = documents.flatMap((exit) =>
          documentOf(exit).keys.filter(({ from, hops }) => from === "flood" && hops === 2)
        );
        const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
        return {
          delivered: total(paths.map(({ count }) => count)) / flood.seconds,
          lost: total(paths.map(({ lost }) => lost)),
        };
      },
    },
    relayContestant(RELAYS.nats, RECEIVERS),
  ],
  rows: [
    {
      what: `flood, 128 B, 1 → ${RECEIVERS} clients that measure`,
      figure: "delivered",
      unit: "messages/s",
      reference: RELAYS.nats.name,
      budget: { of: "ratio", atLeast: 1 },
    },
    {
      what: "lost of that flood",
      figure: "lost",
      unit: "messages",
      budget: { of: "figure", atMost: 0 },
    },
  ],
};
