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
  readSequence,
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

/** What a receiver got of bytes that arrived in such pieces, and what the server measured. */
function relay(pieces: readonly Uint8Array[]) {
  const records: unknown[] = [];
  const metering = createServerMetering({
    name: "server",
    record: (_, view, at) => records.push([readSequence(view, at), measure(view, at)]),
  });
  const bench = createBench({
    clockMode: "system",
    observer: { ...observer, ...metering.observer },
  });
  const origin = bench.join();
  const receiver = bench.join();
  for (const piece of pieces) origin.say(piece);
  return {
    figures: metering.summarise(1, true),
    records,
    bye: origin.bye?.text,
    frames: receiver.frames("data").map(readFrame),
  };
}

/** All that a receiver reads of a frame: bytes would differ where they are but another NaN. */
function readFrame(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    measured: measure(view, 0),
    origin: readOrigin(view, 0),
    flags: readFlags(view, 0),
    hops: readHopCount(view, 0),
    sentUs: readHopSentUs(view, hopOffset(0, 1)),
    payload: new TextDecoder().decode(bytes.subarray(payloadOffset(view, 0))),
  };
}

function measure(view: DataView, at: number) {
  const measured = createHopMeasurement();
  measureHop(measured, view, at, 0);
  return measured;
}

const encode = ({ sequence, ...rest }: Sent): Uint8Array => message(sequence, rest);

/** Wherever the bytes are cut, also within a message. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function cut(bytes: Uint8Array, shares: readonly number[]): Uint8Array[] {
  const places = shares.map((share) => Math.round(share * bytes.byteLength)).sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.slice(start, places[index]));
}

test("messages that arrive together are stamped and metered as those that come one by one", () => {
  fc.assert(
    fc.property(messages, cuts, (all, shares) => {
      const encoded = all.map(encode);
      assert.deepEqual(relay(cut(joinBytes(encoded), shares)), relay(encoded));
    }),
    { numRuns: 300, seed: 6 },
  );
});

test("one without a slot's time among those that are alike ends the session, like one by itself", () => {
  const encoded = [1, 2, 3, 4].map((sequence) =>
    encode({ sequence, ...(sequence === 3 && { intendedUs: NaN }) })
  );
  const together = relay([joinBytes(encoded)]);
  assert.deepEqual(together, relay(encoded));
  assert.equal(together.frames.length, 2);
  assert.match(together.bye!, /intended is no time/);
});
