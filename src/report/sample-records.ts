/** Records for tests, as the programs write them. */

import { createHopLines, type HopMeasurement, type HopRecordSpec } from "../metrics/records.ts";
import { fromUnixMs } from "../relay/time.ts";

/** When the records of tests begin, in µs since 2020. */
export const START_US = fromUnixMs(Date.parse("2026-03-01T09:30:00Z"));

/** The way of client a to the server, as the server records it. */
export const UP: HopRecordSpec = {
  reporter: "server",
  region: "eu-west-1",
  zone: null,
  run: "r",
  key: "a::~::server",
  session: "a1",
  toSession: "a1",
  clockId: "clocks of a",
  from: "a",
  to: "server",
  route: "direct",
  flow: 0,
  hop: 1,
  hops: 1,
  path: "a::~::server",
  last: false,
  echo: false,
  transport: "tcp",
  peer: "10.0.0.1:5000",
};

/** The way of its messages on to client b, as that one records it. */
export const DOWN: HopRecordSpec = {
  ...UP,
  reporter: "b",
  key: "server::~::b",
  toSession: "b1",
  clockId: "clocks of b",
  from: "server",
  to: "b",
  route: "other",
  hop: 2,
  hops: 2,
  path: "a::~::server<~>server::~::b",
  last: true,
};

/** The way back of a message, as the client that sent it records it. */
export const BACK: HopRecordSpec = {
  ...DOWN,
  reporter: "a",
  key: "server::~::a",
  toSession: "a1",
  clockId: "clocks of a",
  to: "a",
  route: "direct",
  path: "a::~::server<~>server::~::a",
  echo: true,
};

/** The line of message `sequence`, sent that many milliseconds after the start, 7 ms long. */
export function hopLine(
  spec: HopRecordSpec,
  sequence: number,
  changes: Partial<HopMeasurement> = {},
): string {
  const sentUs = START_US + sequence * 1000;
  return createHopLines(spec)({
    sequence,
    length: 16,
    intendedUs: sentUs,
    sentUs,
    receivedUs: sentUs + 7000,
    delayUs: 7000,
    rawUs: 7000,
    errorUs: 300,
    clock: "estimate",
    rttUs: 14_000,
    residenceUs: 10,
    pathUs: 14_000,
    elapsedUs: 14_010,
    ...changes,
  });
}
