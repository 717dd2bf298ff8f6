// Messages that are alike are stamped, counted and metered in runs: nobody can tell it from one by one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHopMeasurement, measureHop } from "../metrics/measure-hop.ts";
import {
  FLAG_WARM_UP,
  hopOffset,
  payloadOffset,
  readFlags,
  readHopCount,
  readHopSentUs,
  readOrigin,
} from "../relay/data-frame.ts";
import type { RelayObserver } from "../relay/relay.ts";
import { createBench, joinBytes, message } from "../relay/simulation/relay-bench.ts";
import { createServerMetering } from "./metering.ts";

const NOW_US = 2e14;
const ignore = () => {};
const observer: RelayObserver = {
  ...{ joined: ignore, left: ignore, refused: ignore, stranger: ignore },
  ...{ messages: ignore, relayed: ignore, dropped: ignore, clock: ignore },
};

/** A few that are alike and in sequence; the next few often go on where they ended. */
const some = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  skips: fc.constantFrom(0, 0, 0, 2, -1, -4),
  sentUs: fc.constantFrom(NOW_US - 1000, NOW_US - 70),
  payload: fc.constantFrom("a", "bb"),
  flags: fc.constantFrom(0, 0, FLAG_WARM_UP),
});

type Sent = NonNullable<Parameters<typeof message>[1]> & { sequence: number };

const messages = fc.array(some, { minLength: 1, maxLength: 8 }).map((groups) => {
  let next = 1;
  return groups.flatMap(({ count, skips, ...rest }): Sent[] => {
    const first = Math.max(1, next + skips);
    next = first + count;
    return Array.from({ length: count }, (_, index) => ({ ...rest, sequence: first + index }));
  });
});

/** What a receiver got of messages that arrived in such chunks, and what the server measured. */
function relay(chunks: readonly Sent[][]) {
  const metering = createServerMetering({ name: "server", record: undefined });
  const bench = createBench({
    clockMode: "system",
    observer: { ...observer, ...metering.observer },
  });
  const origin = bench.join();
  const receiver = bench.join();
  for (const chunk of chunks) {
    origin.say(joinBytes(chunk.map(({ sequence, ...rest }) => message(sequence, rest))));
  }
  return {
    figures: metering.summarise(1, true),
    frames: receiver.frames("data").map(readFrame),
  };
}

/** All that a receiver reads of a frame: bytes would differ where they are but another NaN. */
function readFrame(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const measured = createHopMeasurement();
  measureHop(measured, view, 0, 0);
  return {
    measured,
    origin: readOrigin(view, 0),
    flags: readFlags(view, 0),
    hops: readHopCount(view, 0),
    sentUs: readHopSentUs(view, hopOffset(0, 1)),
    payload: new TextDecoder().decode(bytes.subarray(payloadOffset(view, 0))),
  };
}

test("messages that arrive together are stamped and metered as those that come one by one", () => {
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 12 }), (all, most) => {
      const chunks: Sent[][] = [];
      for (let at = 0; at < all.length; at += most) chunks.push(all.slice(at, at + most));
      assert.deepEqual(relay(chunks), relay(all.map((one) => [one])));
    }),
    { numRuns: 300, seed: 6 },
  );
});
