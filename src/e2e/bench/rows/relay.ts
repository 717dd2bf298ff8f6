/** Messages through the relay, to receivers that only count bytes. */
import type { Experiment } from "../experiment.ts";
import { relayContestant, RELAYS } from "../load/relays.ts";

const fanOut = (receivers: number, atLeast: number): Experiment => ({
  name: `relay 1 to ${receivers}`,
  contestants: [
    RELAYS.ours,
    RELAYS.nats,
    RELAYS.mosquitto,
    RELAYS.redis,
    RELAYS.bare,
    RELAYS.copying,
  ]
    .map((relay) => relayContestant(relay, receivers)),
  rows: [{
    what: `delivered, 128 B, 1 → ${receivers}`,
    figure: "delivered",
    unit: "messages/s",
    reference: RELAYS.nats.name,
    budget: { of: "ratio", atLeast },
  }],
});

export const relayExperiments: readonly Experiment[] = [
  fanOut(1, 1.5),
  fanOut(4, 4),
  fanOut(10, 4),
];
