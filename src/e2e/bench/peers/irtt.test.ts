import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIrtt } from "./irtt.ts";

/** What irtt 0.9.0 wrote of two seconds at 1 ms on loopback, without its parts that are not read. */
const DOCUMENT = `{
    "version": { "irtt": "0.9.0", "protocol": 1, "json_format": 1 },
    "stats": {
        "start_time": "2026-11-25T00:23:10.676226052Z",
        "timer_error": {
            "total": 475613558, "n": 1703, "min": 125, "max": 1485095,
            "mean": 279279, "stddev": 200495, "variance": 40198445228
        },
        "rtt": {
            "total": 156685950, "n": 1704, "min": 11428, "max": 5253455,
            "mean": 91951, "median": 49954, "stddev": 246046, "variance": 60538877112
        },
        "send_delay": {
            "total": 106344656, "n": 1704, "min": 6870, "max": 4376988,
            "mean": 62408, "median": 27494, "stddev": 207359, "variance": 42998149982
        },
        "receive_delay": {
            "total": 50392351, "n": 1704, "min": 3725, "max": 1381501,
            "mean": 29572, "median": 21271, "stddev": 86077, "variance": 7409389590
        },
        "packets_sent": 1704,
        "packets_received": 1702,
        "packet_loss_percent": 0.1173,
        "ipdv_round_trip": {
            "total": 136335129, "n": 1703, "min": 2, "max": 5200049,
            "mean": 80055, "median": 6912, "stddev": 266204, "variance": 70864998700
        },
        "timer_err_percent": 27.9279,
        "timer_misses": 296,
        "timer_miss_percent": 14.8
    },
    "round_trips": []
}`;

test("irtt's nanoseconds become milliseconds, and its ticks that sent nothing are missed", () => {
  assert.deepEqual(parseIrtt(DOCUMENT), {
    sent: 1704,
    received: 1702,
    rttMedianMs: 0.049954,
    upMedianMs: 0.027494,
    downMedianMs: 0.021271,
    ipdvMeanMs: 0.080055,
    timerErrorMeanMs: 0.279279,
    missed: 296,
  });
});

test("what is no document of irtt's is refused", () => {
  assert.throws(() => parseIrtt("[Connecting] connecting to 127.0.0.1:2199\n"));
  assert.throws(() => parseIrtt('{"version":{}}'));
});
