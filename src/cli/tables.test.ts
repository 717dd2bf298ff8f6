import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSummary } from "../metrics/summary.ts";
import { renderLines } from "./lines.ts";
import {
  clientRun,
  delays,
  key,
  route,
  serverRun,
  sevenRegionsRun,
  sink,
  twoRoutesRun,
} from "./sample-runs.ts";
import { finalTables, liveLines, logLines } from "./tables.ts";

const at = (run: RunSummary, width: number) => finalTables(run, { width, colour: false });

const live = (run: RunSummary, width: number) =>
  renderLines(liveLines(run, 75, width), { width, colour: false });

test("a client with one route, 80 columns", () => {
  assert.equal(
    at(clientRun(), 80),
    `\
performance-client client-a: 62.0 s, 1,250 sent, 1,240 received, 10 for warm-up

ms: corrected one-way delay (path: sum of hops); ± is the bound on its error
Hops, ms             count  lost       ±     p50     p90     p95     p99     max
client-b → server
                     1,240     0  0.0512  0.0500  0.0550  0.0570  0.0625  0.1050
server → client-a
                     1,240     0  0.0512  0.0421  0.0463  0.0480  0.0526  0.0884

Paths of 2 hops, ms  count  lost       ±     p50     p90     p95     p99     max
client-b → server → client-a
                     1,240     0  0.1024  0.0921  0.1013  0.1050  0.1151  0.1934

Routes, ms          sent  unsent  unconfirmed  reconnects  RTT p50    p99    max
localhost  closed  1,250       0            0           0    24.10  30.13  50.61

Own times, ms     min    mean     p50     p90     p95     p99   p99.9     max
schedule lag   0.0037  0.0042  0.0041  0.0045  0.0047  0.0051  0.0066  0.0086
`,
  );
});

test("a client with a direct and an accelerated route, 80 columns", () => {
  assert.equal(
    at(twoRoutesRun(), 80),
    `\
performance-client client-a: 62.0 s, 2,500 sent, 7,440 received, 20 for warm-up

ms: corrected one-way delay (path: sum of hops); ± is the bound on its error
Hops, ms              count  lost       ±      p50      p95     p99     max
client-a → server (echo)
  direct              1,240     0  0.0512   12.31    14.03    15.39   25.85
  accelerated         1,240     0  0.0512    8.020    9.143   10.02   16.84
server → client-a
  direct              1,240     0  0.0512   11.81    13.46    14.76   24.80
  accelerated         1,240    12  0.0512    8.600    9.804   10.75   18.06
    12 lost (0.96 %): 0 up, 12 down, 2 of these dropped by the relay

Paths of 2 hops, ms   count  lost       ±      p50      p95     p99     max
client-a → server → client-a (echo)
  direct              1,240     0  0.1024   24.12    27.50    30.15   50.65
  accelerated         1,240     0  0.1024   16.62    18.95    20.78   34.90
client-b → server → client-a
  direct              1,240     0  0.1024  120.3    137.1    150.4   252.6
    1 duplicate; 3 reordered
  direct>accelerated  1,240     0  0.1024  116.9    133.3    146.1   245.5

Routes, ms   sent  unsent  unconfirmed  reconnects  RTT p50    p90    p99    max
direct · direct.example.com:8080 · closed
            1,250       0            0           0    24.10  26.51  30.13  50.61
accelerated · accelerated.example.com:8080 · closed
            1,250       0            0           1    16.05  17.66  20.06  33.70

Own times, ms     min    mean     p50     p90     p95     p99   p99.9     max
schedule lag   0.0037  0.0042  0.0041  0.0045  0.0047  0.0051  0.0066  0.0086

Routes side by side, ms
               count       ±     min     p50     p90     p95     p99      max
client-a → server
  direct       1,240  0.0512  11.08   12.31   13.54   14.03   15.39   25.85
  accelerated  1,240  0.0512   7.218   8.020   8.822   9.143  10.02   16.84
  difference   1,240  0.0021  −4.600  −4.290  −3.980  −3.856  −3.515  −0.8800
client-a → server → client-a
  direct       1,240  0.1024  21.71   24.12   26.53   27.50   30.15   50.65
  accelerated  1,240  0.1024  14.96   16.62   18.28   18.95   20.78   34.90
  difference   1,240  0.0021  −8.170  −7.550  −6.930  −6.682  −6.000  −0.7300
server → client-a
  direct       1,240  0.0512  10.63   11.81   12.99   13.46   14.76   24.80
  accelerated  1,240  0.0512   7.740   8.600   9.460   9.804  10.75   18.06
  difference   1,240  0.0021  −3.520  −3.210  −2.900  −2.776  −2.435  +0.2000
difference: second route minus first, pair by pair (messages of one slot);
  negative: the second is faster. Its percentiles are those of the pairs. Both
  routes share one clock offset, which cancels: ± is what remains.

client-a → server: accelerated is 4.290 ±0.0021 ms faster than direct one way,
  7.550 ±0.0021 ms faster there and back (medians of 1,240 pairs)
server → client-a: accelerated is 3.210 ±0.0021 ms faster than direct one way
  (median of 1,240 pairs)
`,
  );
});

test("a client that hears seven regions, 80 columns", () => {
  assert.equal(
    at(sevenRegionsRun(), 80),
    `\
performance-client client-eu-west-1: 62.0 s, 1,250 sent, 7,440 received, 10 for
  warm-up

ms: corrected one-way delay (path: sum of hops); ± is the bound on its error
Hops, ms             count  lost       ±      p50      p95      p99      max
client-af-south-1 → server-sa-east-1
                     1,240     0  0.0512    1.200    1.368    1.500    2.520
client-ap-east-1 → server-sa-east-1
                     1,240     0  0.0512  115.8    132.0    144.8    243.2
client-eu-central-1 → server-sa-east-1
                     1,240     0  0.0512  230.4    262.7    288.0    483.8
client-me-south-1 → server-sa-east-1
                     1,240     0  0.0512  173.1    197.3    216.4    363.5
client-sa-east-1 → server-sa-east-1
                     1,240     0  0.0512   58.50    66.69    73.13   122.8
client-us-west-1 → server-sa-east-1
                     1,240     0  0.0512  287.7    328.0    359.6    604.2
server-sa-east-1 → client-eu-west-1
                     1,240     0  0.0512   91.90   104.8    114.9    193.0

Paths of 2 hops, ms  count  lost       ±      p50      p95      p99      max
client-af-south-1 → server-sa-east-1 → client-eu-west-1
                     1,240     0  0.1024   93.10   106.1    116.4    195.5
client-ap-east-1 → server-sa-east-1 → client-eu-west-1
                     1,240     0  0.1024  207.7    236.8    259.6    436.2
client-eu-central-1 → server-sa-east-1 → client-eu-west-1
                     1,240     0  0.1024  322.3    367.4    402.9    676.8
client-me-south-1 → server-sa-east-1 → client-eu-west-1
                     1,240     0  0.1024  265.0    302.1    331.3    556.5
client-sa-east-1 → server-sa-east-1 → client-eu-west-1
                     1,240     0  0.1024  150.4    171.5    188.0    315.8
client-us-west-1 → server-sa-east-1 → client-eu-west-1
                     1,240     0  0.1024  379.6    432.7    474.5    797.2

Routes, ms   sent  unsent  unconfirmed  reconnects  RTT p50    p90    p99    max
server-sa-east-1 · sa-east-1.relay.example.com:8080 · closed
            1,250       0            0           0    24.10  26.51  30.13  50.61

Own times, ms     min    mean     p50     p90     p95     p99   p99.9     max
schedule lag   0.0037  0.0042  0.0041  0.0045  0.0047  0.0051  0.0066  0.0086
`,
  );
});

test("a client that hears seven regions, 140 columns: one line a path, and more figures", () => {
  assert.equal(
    at(sevenRegionsRun(), 140),
    `\
performance-client client-eu-west-1: 62.0 s, 1,250 sent, 7,440 received, 10 for warm-up

ms: corrected one-way delay (path: sum of hops); ± is the bound on its error
Hops, ms                                                   count    /s  lost       ±      p50      p90      p95      p99    p99.9      max
client-af-south-1 → server-sa-east-1                       1,240  20.0     0  0.0512    1.200    1.320    1.368    1.500    1.920    2.520
client-ap-east-1 → server-sa-east-1                        1,240  20.0     0  0.0512  115.8    127.4    132.0    144.8    185.3    243.2
client-eu-central-1 → server-sa-east-1                     1,240  20.0     0  0.0512  230.4    253.4    262.7    288.0    368.6    483.8
client-me-south-1 → server-sa-east-1                       1,240  20.0     0  0.0512  173.1    190.4    197.3    216.4    277.0    363.5
client-sa-east-1 → server-sa-east-1                        1,240  20.0     0  0.0512   58.50    64.35    66.69    73.13    93.60   122.8
client-us-west-1 → server-sa-east-1                        1,240  20.0     0  0.0512  287.7    316.5    328.0    359.6    460.3    604.2
server-sa-east-1 → client-eu-west-1                        1,240  20.0     0  0.0512   91.90   101.1    104.8    114.9    147.0    193.0

Paths of 2 hops, ms                                        count    /s  lost       ±      p50      p90      p95      p99    p99.9      max
client-af-south-1 → server-sa-east-1 → client-eu-west-1    1,240  20.0     0  0.1024   93.10   102.4    106.1    116.4    149.0    195.5
client-ap-east-1 → server-sa-east-1 → client-eu-west-1     1,240  20.0     0  0.1024  207.7    228.5    236.8    259.6    332.3    436.2
client-eu-central-1 → server-sa-east-1 → client-eu-west-1  1,240  20.0     0  0.1024  322.3    354.5    367.4    402.9    515.7    676.8
client-me-south-1 → server-sa-east-1 → client-eu-west-1    1,240  20.0     0  0.1024  265.0    291.5    302.1    331.3    424.0    556.5
client-sa-east-1 → server-sa-east-1 → client-eu-west-1     1,240  20.0     0  0.1024  150.4    165.4    171.5    188.0    240.6    315.8
client-us-west-1 → server-sa-east-1 → client-eu-west-1     1,240  20.0     0  0.1024  379.6    417.6    432.7    474.5    607.4    797.2

Routes, ms                                                   sent  unsent  unconfirmed  reconnects  RTT p50    p90    p99    max
server-sa-east-1  sa-east-1.relay.example.com:8080  closed  1,250       0            0           0    24.10  26.51  30.13  50.61

Own times, ms     min    mean  stddev     p50     p90     p95     p99   p99.9     max
schedule lag   0.0037  0.0042  0.0003  0.0041  0.0045  0.0047  0.0051  0.0066  0.0086
`,
  );
});

test("a server, 100 columns", () => {
  assert.equal(
    at(serverRun(), 100),
    `\
performance-server server: 62.0 s, 2 open sessions, 1,240 received, 1,250 sent, 10 for warm-up

ms: corrected one-way delay; ± is the bound on its error
Hops, ms                        count  lost       ±      p50      p90      p95     p99     max
client-a → server  accelerated  1,240     0  0.0512    8.020    8.822    9.143   10.02   16.84
client-a → server  direct       1,240     0  0.0512   12.31    13.54    14.03    15.39   25.85
client-b → server  direct       1,240     3  0.0512  108.2    119.0    123.3    135.3   227.2
    3 lost (0.24 %): 3 up, 0 down; 7 uncorrected, not in ms

Sessions, ms                              RTT       ±  backlog B  dropped
client-a  direct  10.0.0.7:51234        24.10  0.0500          0        0
client-b  direct  [2001:db8::7]:51236  210.5                   0        0

Own times, ms          min    mean  stddev     p50     p90     p95     p99   p99.9     max
residence in relay  0.0111  0.0125  0.0010  0.0123  0.0135  0.0140  0.0154  0.0197  0.0258
fan-out wait        0.0028  0.0032  0.0002  0.0031  0.0034  0.0035  0.0039  0.0050  0.0065

Records  accepted  queued   sent  retried  failed  dropped
ndjson      3,720       0  3,720        0       0        0
`,
  );
});

test("the live view of a client that starts", () => {
  const run = clientRun({
    sent: 0,
    received: 0,
    warmup: 0,
    keys: [],
    routes: [
      route("direct", { state: "warming-up", warmed_up: { sent: 3, of: 10 }, sent: 3 }),
      route("accelerated", { state: "connecting", sent: 0 }),
    ],
  });
  for (const one of run.routes ?? []) delete one.rtt_ms;
  delete run.lag_ms;
  assert.equal(
    live(run, 80),
    `\
performance-client client-a  1:15  0 sent  0 received

Routes, ms  sent  unsent  unconfirmed  reconnects
direct · direct.example.com:8080 · warming up 3/10
               3       0            0           0
accelerated · accelerated.example.com:8080 · connecting
               0       0            0           0
`,
  );
});

test("the live view begins with the routes' verdict", () => {
  assert.equal(
    live(twoRoutesRun(), 100).split("\n").slice(0, 11).join("\n"),
    `\
performance-client client-a  1:15  2,500 sent  7,440 received

client-a → server: accelerated is 4.290 ±0.0021 ms faster than direct one way, 7.550 ±0.0021 ms
  faster there and back (medians of 1,240 pairs)
server → client-a: accelerated is 3.210 ±0.0021 ms faster than direct one way (median of 1,240
  pairs)

Routes, ms   sent  unsent  unconfirmed  reconnects  RTT p50    p90    p99    max
direct · direct.example.com:8080 · closed
            1,250       0            0           0    24.10  26.51  30.13  50.61
accelerated · accelerated.example.com:8080 · closed`,
  );
});

test("a log has one line a key, by the key's own notation, and one a verdict", () => {
  const run = twoRoutesRun();
  run.keys = run.keys.slice(3, 5);
  const bare = key(["server", "client-a"], "direct", 1, { count: 7, uncorrected: 7 });
  delete bare.ms;
  run.keys.push(bare);
  assert.deepEqual(logLines(run), [
    "server::~::client-a accelerated: 1,240 messages, p50 8.600 ±0.0512, p95 9.804, p99 10.75, max 18.06 ms, 12 lost (0.96 %): 0 up, 12 down, 2 of these dropped by the relay",
    "client-a::~::server<~>server::~::client-a accelerated echo: 1,240 messages, p50 16.62 ±0.1024, p95 18.95, p99 20.78, max 34.90 ms, 0 lost",
    "server::~::client-a direct: 7 messages, 0 lost, 7 uncorrected, not in ms",
    "client-a → server: accelerated is 4.290 ±0.0021 ms faster than direct one way, 7.550 ±0.0021 ms faster there and back (medians of 1,240 pairs)",
    "server → client-a: accelerated is 3.210 ±0.0021 ms faster than direct one way (median of 1,240 pairs)",
  ]);
});

test("records that wait: how many, for how long, and what an earlier run had left", () => {
  const run = serverRun({
    keys: [],
    sessions: [],
    sinks: [
      sink("ndjson hops.ndjson"),
      sink("firehose eu-west-1:performance", {
        accepted: 1_234_567,
        recovered: 2_048,
        queued: 36_615,
        sent: 1_200_000,
        retried: 1_500,
        dropped: 0,
        oldest_waiting_s: 754,
      }),
    ],
  });
  for (const text of [at(run, 80), live(run, 80)]) {
    assert.ok(
      text.includes(`\
Records
         accepted  recovered  queued       sent  failed  dropped  oldest waiting
ndjson hops.ndjson
            3,720                  0      3,720       0        0
firehose eu-west-1:performance
        1,234,567      2,048  36,615  1,200,000       0        0          13 min
`),
      text,
    );
  }
  assert.deepEqual(logLines(run), [
    "ndjson hops.ndjson: 3,720 records accepted, 3,720 sent",
    "firehose eu-west-1:performance: 1,234,567 records accepted, 2,048 recovered, 1,200,000 sent, 36,615 queued (the oldest for 13 min), 1,500 retried",
  ]);
  run.sinks = [sink("ndjson x", { accepted: 10, sent: 6, failed: 3, dropped: 1 })];
  assert.deepEqual(logLines(run), ["ndjson x: 10 records accepted, 6 sent, 3 failed, 1 dropped"]);
});

test("names that try to command the terminal are shown instead", () => {
  const run = twoRoutesRun({ config: { name: "me\x1b]0;owned\x07" } });
  run.keys.push(key(["evil\x1b[2J\u202e", "server"], "ro\nute", 1.5));
  run.notes.push("from \x9b2J");
  const text = at(run, 200) + live(run, 60) + logLines(run).join("\n");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  assert.match(text, /evil\\u001b\[2J\\u202e → server +ro\\u000aute/);
});

test("of a route with several flows each is shown, and how far the slowest is behind", () => {
  const flow = (index: number, p50: number, down: number) => ({
    ...{ flow: index, sent: 625, up: 0, down },
    rtt_ms: delays(p50),
    round_trip_ms: delays(p50 + 1),
  });
  const run = clientRun();
  run.routes = [route("localhost", {
    flows: [flow(0, 20, 0), flow(1, 45, 12)],
    flow_spread: { by: "round_trip_ms", fastest: 0, slowest: 1, ms: 25 },
  })];
  const text = at(run, 100);
  assert.match(text, /flow 0 +625 +0 +0 +20\.00 +21\.00/);
  assert.match(text, /flow 1 +625 +0 +12 +45\.00 +46\.00/);
  const says = "localhost: flow 1 is the slowest, 25.00 ms behind flow 0, the fastest";
  assert.ok(text.replaceAll("\n", " ").includes(says), text);
  assert.ok(logLines(run).some((line) => line.startsWith(says)));
});
