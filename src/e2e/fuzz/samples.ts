/** Well-formed things for the corpus. */
import type { Counts } from "../../relay/counts.ts";
import { beginHop, finishHop, stampSent, writeDataFrame } from "../../relay/data-frame.ts";
import type { Directory } from "../../relay/directory.ts";
import type { Hello } from "../../relay/hello.ts";
import type { Report } from "../../relay/report-frame.ts";
import type { Welcome } from "../../relay/welcome.ts";

const bytesOf = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i + 1);

export const aHello: Hello = {
  ...{ probe: false, echo: true, maxPayloadBytes: 2048, flow: 0, mode: "paced" },
  ...{ processId: bytesOf(16), previousSession: new Uint8Array(8) },
  ...{ name: "client-é", route: "direct", prefix: "x" },
};

export const aWelcome: Welcome = {
  ...{ metered: true, takesReports: true, session: 1, maxPayloadBytes: 65_536 },
  ...{ sessionId: bytesOf(8), processId: bytesOf(16), heartbeatMs: 10_000, hopSlots: 2 },
  ...{ name: "server", previous: { received: 3, next: 4 } },
};

export const COUNTS: Counts = {
  sent: 3,
  origins: [
    { session: 1, received: 3, next: 4, dropped: 0 },
    { session: 2, received: 0, next: 1, dropped: 0 },
  ],
};

export const aDirectory: Directory = {
  joined: [
    {
      session: 2,
      sessionId: bytesOf(8),
      flow: 0,
      received: 0,
      next: 1,
      name: "b",
      route: "direct",
    },
  ],
  left: [{ session: 3, received: 4, next: 6, dropped: 1 }],
};

const delays = [0.5, 1, 0.25, 1, 1.5, 2, 2, 2, 4];

export const aReport: Report = {
  keys: [{
    ...{ nodes: ["a", "server", "b"], route: "direct", echo: false, told: true, count: 300 },
    ...{ up: -1, down: 2, dropped: 0, duplicates: 1, reordered: 1, negative: 0, uncorrected: 0 },
    ...{ delays, jitterMs: 0.5, errorMs: { p50: 0.5, max: 1 } },
    span: {
      ...{ ms: 1000, count: 3, lost: 1, errorMs: 1 },
      delays: { p50: 1, p95: 2, p99: 2, max: 4, buckets: [0, 1, 300, 2] },
    },
  }],
  differences: [{
    ...{ a: "direct", b: "other", from: "a", to: "server", pairs: 5, oneWay: delays },
    ...{ errorMs: { p50: 0.5, max: 1 }, oneWayMedian: { low: -1, high: 1 } },
    ...{ roundTrip: delays, roundTripMedian: { low: 0, high: 1 } },
  }],
};

/** Of session 2, as its receiver gets it: the last of so many hops is open. */
export function aMessage(hops: 1 | 2, sequence: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(96 + payloadBytes).fill(0x61);
  const view = new DataView(bytes.buffer);
  const start = { flags: 0, hopSlots: 2, origin: 2, sequence, intendedUs: 2e14 };
  writeDataFrame(view, 0, { ...start, payloadBytes });
  for (let hop = 0; hop < hops; hop++) {
    if (hop > 0) finishHop(view, 0, 2e14 + 20, -3, 0.5, 2);
    beginHop(view, 0);
    stampSent(view, 0, 2e14 + 10);
  }
  return bytes;
}
