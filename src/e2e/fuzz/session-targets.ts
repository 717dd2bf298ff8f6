/** Whole sessions: what a relay makes of a client's stream, and a client of a relay's. */
import assert from "node:assert/strict";
import { createClientSession } from "../../client/session.ts";
import { readBye, writeBye } from "../../relay/bye.ts";
import { readClockFrame, writeClockFrame } from "../../relay/clock-frame.ts";
import {
  dataFrameFault,
  hopOffset,
  readHopCount,
  readHopErrorUs,
  readHopReceivedUs,
  readHopSentUs,
} from "../../relay/data-frame.ts";
import { readDirectory, writeDirectory } from "../../relay/directory.ts";
import { FrameType } from "../../relay/frame.ts";
import { readHeartbeat, writeHeartbeat } from "../../relay/heartbeat.ts";
import { writeHello } from "../../relay/hello.ts";
import type { TransportName } from "../../relay/link.ts";
import { eachMessage } from "../../relay/message-run.ts";
import { createProcessPairs } from "../../relay/process-pairs.ts";
import { createRelay, type RelayOptions } from "../../relay/relay.ts";
import { writeReports } from "../../relay/report-frame.ts";
import { readWelcome, writeWelcome } from "../../relay/welcome.ts";
import { createFakeLink, createFixedBytes, createStepClock } from "./fake-link.ts";
import { concat, splitInput } from "./pieces.ts";
import { aDirectory, aHello, aMessage, aReport, aWelcome, COUNTS } from "./samples.ts";
import type { Target } from "./target.ts";

const MOST_BYTES = 8192;
const HOST = { boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 };

/** After the welcome, before the first answer. */
const ASKED_US = 2e14 + 40_000;

const clock = (phase: 1 | 2 | 3, exchange: number): Uint8Array =>
  writeClockFrame({
    ...{ phase, exchange, soonestMs: 0, t1Us: ASKED_US, t2Us: ASKED_US + 40, t3Us: ASKED_US + 50 },
    ...{ t4Us: ASKED_US + 90, errorUs: 500, wallShiftUs: 0 },
  });

const bye = writeBye({ reason: "done", counts: COUNTS, text: "" });

/** Throws where a relay's or client's own frames are not what its peers take. */
function checkFrames(bytes: Uint8Array): void {
  for (const frame of splitInput("frames", bytes)) {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    switch (frame[4]) {
      case FrameType.welcome:
        readWelcome(frame);
        break;
      case FrameType.directory:
        readDirectory(frame);
        break;
      case FrameType.data:
        assert.equal(dataFrameFault(view, 0, frame.byteLength), undefined);
        break;
      case FrameType.clock:
        readClockFrame(frame);
        break;
      case FrameType.heartbeat:
        readHeartbeat(frame);
        break;
      case FrameType.bye:
        readBye(frame);
        break;
      default:
        assert.equal(frame[4], FrameType.hello);
    }
  }
}

/** @param hops those that are finished */
function checkHops(view: DataView, at: number, hops: number): void {
  for (let hop = 0; hop < hops; hop++) {
    const hopAt = hopOffset(at, hop);
    assert.ok(Number.isFinite(readHopReceivedUs(view, hopAt) - readHopSentUs(view, hopAt)));
    const errorUs = readHopErrorUs(view, hopAt);
    assert.ok(Number.isNaN(errorUs) || errorUs >= 0, `a bound of ${errorUs} µs`);
  }
}

/** A relay as the fuzzer needs it. */
export function createTestRelay(
  nowUs: () => number,
  observer: Partial<RelayOptions["observer"]> = {},
  secrets?: RelayOptions["secrets"],
): ReturnType<typeof createRelay> {
  const silence = (): void => {};
  return createRelay({
    ...{ name: "server", maxClients: 4, maxBacklogBytes: 1 << 20, filter: "", clockMode: "auto" },
    ...{ processId: new Uint8Array(16).fill(9), randomBytes: createFixedBytes(), wake: silence },
    ...{ hostClock: () => HOST, nowUs, secrets },
    observer: {
      ...{ joined: silence, left: silence, refused: silence, stranger: silence },
      ...{ relayed: silence, dropped: silence, clock: silence, report: silence },
      // The next one has begun.
      messages: (_, run) =>
        eachMessage(run, (at) => checkHops(run.view, at, readHopCount(run.view, at) - 1)),
      ...observer,
    },
  });
}

/** An honest client is there before, and still after, a hostile one. */
const relay: Target = {
  name: "relay",
  shape: "frames",
  mostBytes: MOST_BYTES,
  seeds: () => {
    const hello = writeHello(aHello);
    return [
      concat([hello, clock(1, 1), clock(3, 1), aMessage(1, 1, 16), aMessage(1, 2, 16), bye]),
      concat([hello, aMessage(1, 5, 0), writeHeartbeat(COUNTS), ...writeReports(aReport), bye]),
      writeHello({ ...aHello, probe: true }),
      concat([writeHello({ ...aHello, mode: "flood" }), aMessage(1, 1, 900), aMessage(1, 3, 0)]),
    ];
  },
  run(input) {
    const { nowUs, leap } = createStepClock();
    const world = createTestRelay(nowUs);
    const honest = createFakeLink("tcp");
    const honestEvents = world.accept(honest.link);
    const processId = new Uint8Array(16).fill(0xaa);
    honestEvents.data(writeHello({ ...aHello, processId, name: "honest" }));
    const hostile = createFakeLink("tcp");
    const events = world.accept(hostile.link);
    let isTaken = false;
    for (const frame of splitInput("frames", input)) {
      if (hostile.isOver) break;
      events.data(frame.slice());
      leap(20_000);
      world.tick();
      isTaken ||= world.sessions.size === 2;
    }
    assert.ok(!honest.isOver, "one client ends another");
    events.closed();
    leap(1_000_000);
    honestEvents.data(aMessage(1, 1, 16));
    world.tick();
    assert.equal(world.sessions.size, 1);
    assert.equal(world.connections, 1);
    assert.equal([...world.sessions][0]!.tracker.received, 1);
    const [told, said] = [honest.written(), hostile.written()];
    checkFrames(told);
    checkFrames(said);
    // What one client can make a relay send is in proportion to what it sent itself.
    assert.ok(told.byteLength <= 2 * input.byteLength + 4096, `${told.byteLength} to the other`);
    assert.ok(said.byteLength <= 2 * input.byteLength + 4096, `${said.byteLength} to itself`);
    return isTaken;
  },
};

/** @param transport over UDP, messages may come before what announces them */
function client(transport: TransportName): Target {
  return {
    name: `client-${transport}`,
    shape: "frames",
    mostBytes: MOST_BYTES,
    seeds: () => {
      const start = [writeWelcome(aWelcome), ...range(1, 12).map((n) => clock(2, n))];
      const directory = writeDirectory(aDirectory);
      return [
        concat([...start, directory, aMessage(2, 1, 16), aMessage(2, 2, 16), bye]),
        concat([...start, aMessage(2, 4, 0), directory, writeHeartbeat(COUNTS), bye]),
        writeBye({ reason: "full", counts: { sent: 0, origins: [] }, text: "full" }),
      ];
    },
    run(input) {
      const { nowUs, leap } = createStepClock();
      const { link, written } = createFakeLink(transport);
      const silence = (): void => {};
      let isOpen = false;
      let ends = 0;
      const session = createClientSession(link, {
        ...{ hello: aHello, pairs: createProcessPairs("auto"), nowUs, random: () => 0.5 },
        ...{ hostClock: () => HOST, maxBacklogBytes: 1 << 20, wake: silence },
        payload: new Uint8Array(4096),
        observer: {
          ...{ welcomed: silence, originJoined: silence, originLeft: silence },
          ...{ clock: silence, drained: silence },
          opened: () => isOpen = true,
          messages: (_session, _origin, run) =>
            eachMessage(run, (at) => checkHops(run.view, at, readHopCount(run.view, at))),
          rtt: (_, rttUs) => assert.ok(Number.isFinite(rttUs)),
          ended: () => ends++,
        },
      });
      session.tick();
      for (const frame of splitInput("frames", input)) {
        if (session.state === "closed") break;
        session.events.data(frame.slice());
        leap(50_000);
        session.tick();
        if (session.state === "open") session.send(nowUs(), 16, false);
      }
      if (session.state !== "closed") session.abandon("done");
      assert.equal(ends, 1, "a session ends once");
      const said = written();
      checkFrames(said);
      // Its messages have as much room for hops as the welcome asks for, of 255 at most.
      const most = 4 * input.byteLength + (session.sent + 1) * 255 * 32 + 8192;
      assert.ok(said.byteLength <= most, `${said.byteLength} said`);
      return isOpen;
    },
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

export const sessionTargets: Target[] = [relay, client("tcp"), client("udp")];
