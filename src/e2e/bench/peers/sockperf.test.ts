import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSockperf } from "./sockperf.ts";

/** What sockperf 3.7 printed, with its colours, shortened. */
const TEXT = `sockperf: \x1b[2;35m== version #3.7-no.git == \x1b[0m
sockperf[CLIENT] send on:sockperf: using recvfrom() to block on socket(s)

[ 0] IP = 127.0.0.1       PORT =  2198 # TCP
sockperf: [Valid Duration] RunTime=1.550 sec; SentMessages=132344; ReceivedMessages=132344
sockperf: \x1b[2;35m====> avg-rtt=11.697 (std-dev=3.242)\x1b[0m
sockperf: Summary: Round trip is 11.697 usec
sockperf: ---> <MAX> observation =  805.246
sockperf: ---> percentile 99.990 =   51.386
sockperf: ---> percentile 75.000 =   11.947
sockperf: ---> percentile 50.000 =   11.547
sockperf: ---> percentile 25.000 =   11.406
`;

test("sockperf's median is read, and no other percentile", () => {
  assert.deepEqual(parseSockperf(TEXT), { p50Us: 11.547 });
});

test("a run of sockperf that failed is told", () => {
  assert.throws(() => parseSockperf("sockperf: No messages were received\n"), /no median/);
});
