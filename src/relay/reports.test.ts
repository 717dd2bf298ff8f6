import assert from "node:assert/strict";
import { test } from "node:test";
import type { RelayObserver } from "./relay.ts";
import { type Report, type ReportedKey, writeReports } from "./report-frame.ts";
import { createBench } from "./simulation/relay-bench.ts";

const KEY: ReportedKey = {
  nodes: ["relay", "tokyo"],
  route: "direct",
  echo: false,
  told: false,
  count: 5,
  up: 0,
  down: 0,
  dropped: 0,
  duplicates: 0,
  reordered: 0,
  negative: 0,
  uncorrected: 0,
  span: { ms: 1000, count: 5, lost: 0 },
};
const [FRAME] = writeReports({ keys: [KEY], differences: [] }) as [Uint8Array];

const ignore = () => {};
const observer: RelayObserver = {
  joined: ignore,
  left: ignore,
  refused: ignore,
  stranger: ignore,
  messages: ignore,
  relayed: ignore,
  dropped: ignore,
  clock: ignore,
};

function createReportBench() {
  const reports: Report[] = [];
  const bench = createBench({
    observer: { ...observer, report: (_session, report) => reports.push(report) },
  });
  return { bench, reports };
}

test("a relay that takes reports says so, and hands them on", () => {
  const { bench, reports } = createReportBench();
  const peer = bench.join();
  assert.equal(peer.welcome!.takesReports, true);
  peer.say(FRAME);
  assert.deepEqual(reports, [{ keys: [KEY], differences: [] }]);
});

test("a relay that does not take reports ends who sends one", () => {
  const bench = createBench();
  const peer = bench.join();
  assert.equal(peer.welcome!.takesReports, false);
  peer.say(FRAME);
  assert.equal(peer.bye!.reason, "protocol");
});

test("reports in haste are left unread, however many: one a second is read", () => {
  const { bench, reports } = createReportBench();
  const peer = bench.join();
  for (let i = 0; i < 1000; i++) peer.say(FRAME);
  assert.equal(reports.length, 1);
  for (let i = 0; i < 5; i++) {
    bench.pass(1_000_000);
    peer.say(FRAME);
  }
  assert.equal(reports.length, 6);
  assert.equal(peer.bye, undefined);
});

test("a malformed report ends its session alone", () => {
  const { bench, reports } = createReportBench();
  const [good, bad] = [bench.join(), bench.join()];
  const broken = FRAME.slice();
  broken[6] = 0xff;
  bad.say(broken);
  assert.equal(bad.bye!.reason, "protocol");
  good.say(FRAME);
  assert.equal(reports.length, 1);
});
