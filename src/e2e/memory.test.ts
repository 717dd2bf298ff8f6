// Memory under attack: what hostile peers have a program keep is bounded, whatever they send, and
// nobody else pays for it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { createClock } from "../platform/clock.ts";
import {
  beginHop,
  dataFrameBytes,
  HOP_SLOTS,
  stampSent,
  writeDataFrame,
} from "../relay/data-frame.ts";
import { MAX_DIRECTORY_ENTRIES, writeDirectory } from "../relay/directory.ts";
import { MAX_PAYLOAD_BYTES } from "../relay/frame.ts";
import { type Hello, writeHello } from "../relay/hello.ts";
import { writeWelcome } from "../relay/welcome.ts";
import { says, startFaultMesh } from "./fault-mesh.ts";
import { start } from "./processes.ts";

/** What programs of about 110 MiB may take at most: far less than what is sent to them. */
const SERVER_MIB = 400;
const CLIENT_MIB = 800;

/** The most memory that a process has had so far, in MiB. */
function peakMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

function helloOf(name: string, changes: Partial<Hello> = {}): Uint8Array {
  return writeHello({
    probe: false,
    echo: false,
    processId: randomBytes(16),
    previousSession: new Uint8Array(8),
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    flow: 0,
    mode: "paced",
    name,
    route: "r",
    prefix: "",
    ...changes,
  });
}

/** Joins, and says something; never reads what comes back, beyond what its buffers take. */
async function mutter(
  t: TestContext,
  port: number,
  hello: Uint8Array,
  ...says: Uint8Array[]
): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(hello);
  // The welcome has come, and stays where it is.
  await once(socket, "readable");
  for (const bytes of says) socket.write(bytes);
  return socket;
}

/** Resolves once a socket takes more, or nothing any more. */
function hasRoom(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off("drain", settle);
      socket.off("close", settle);
      resolve();
    };
    socket.on("drain", settle);
    socket.on("close", settle);
  });
}

const { nowUs } = createClock();

/** The largest message that there may be. */
function messageOf(sequence: number): Uint8Array {
  const bytes = new Uint8Array(dataFrameBytes(HOP_SLOTS, MAX_PAYLOAD_BYTES));
  const view = new DataView(bytes.buffer);
  const intendedUs = nowUs();
  writeDataFrame(view, 0, {
    ...{ flags: 0, hopSlots: HOP_SLOTS, origin: 0 },
    ...{ sequence, intendedUs, payloadBytes: MAX_PAYLOAD_BYTES },
  });
  beginHop(view, 0);
  stampSent(view, 0, nowUs());
  return bytes;
}

test("a flood at receivers that never read takes no more memory than their backlogs", async (t) => {
  const mesh = await startFaultMesh(t, { serverArgs: ["--max-backlog", "1MiB"] });
  const { port, pid } = mesh.server;
  const tookMs = await mesh.survives(async () => {
    const deaf = Array.from({ length: 20 }, (_, i) => mutter(t, port, helloOf(`deaf-${i}`)));
    await Promise.all(deaf);
    const flood = await mutter(t, port, helloOf("flood", { mode: "flood" }));
    let isOver = false;
    let sequence = 0;
    const pour = async (): Promise<void> => {
      while (!isOver && !flood.destroyed) {
        if (!flood.write(messageOf(++sequence))) {
          await hasRoom(flood);
        }
      }
    };
    const poured = pour();
    await mesh.server.logged(says(/^deaf-.* falls behind/));
    await mesh.server.logged(says(/^deaf-.* left: stalled/));
    isOver = true;
    flood.destroy();
    await poured;
    t.diagnostic(`${sequence} messages of 64 KiB`);
    assert.ok(sequence * MAX_PAYLOAD_BYTES > 2 ** 29, "more than the server may keep");
  }, { reconnects: false });
  const mostMiB = peakMiB(pid);
  t.diagnostic(`at most ${Math.round(mostMiB)} MiB`);
  assert.ok(mostMiB < SERVER_MIB, `${mostMiB} MiB`);
  const { log } = await mesh.finish(tookMs);
  const dropped = log.filter(says(/^deaf-.* left/)).map(({ dropped }) => Number(dropped));
  assert.ok(dropped.every((count) => count > 0), "what they did not get is counted");
});

test("frames that are begun and never end, and ever new names, are kept within bounds", async (t) => {
  const mesh = await startFaultMesh(t, { serverArgs: ["--max-clients", "400"] });
  const { port, pid } = mesh.server;
  const tookMs = await mesh.survives(async () => {
    // The largest frame but for its last byte, from each of as many as there may be.
    const unfinished = messageOf(1).subarray(0, -1);
    const name = (i: number): string => `${i}-`.padEnd(255, "n");
    for (let i = 0; i < 390; i++) await mutter(t, port, helloOf(name(i)), unfinished);
    // Each tells all the others its name, sends a message, and is gone.
    for (let i = 0; i < 2000; i++) {
      const passing = await mutter(t, port, helloOf(name(1000 + i)), new Uint8Array(messageOf(1)));
      passing.end();
    }
  }, { reconnects: false });
  const mostMiB = peakMiB(pid);
  t.diagnostic(`at most ${Math.round(mostMiB)} MiB`);
  assert.ok(mostMiB < SERVER_MIB, `${mostMiB} MiB`);
  await mesh.finish(tookMs);
});

test("a server that tells of sessions without end costs a client its connection, not its memory", async (t) => {
  const entry = (session: number) => ({
    session,
    sessionId: new Uint8Array(randomBytes(8)),
    ...{ flow: 0, received: 0, next: 1, name: `${session}-`.padEnd(255, "n"), route: "r" },
  });
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", async () => {
      socket.write(writeWelcome({
        metered: true,
        takesReports: true,
        session: 1,
        sessionId: new Uint8Array(8),
        processId: new Uint8Array(16),
        maxPayloadBytes: MAX_PAYLOAD_BYTES,
        heartbeatMs: 10_000,
        hopSlots: HOP_SLOTS,
        name: "endless",
      }));
      for (let session = 2; !socket.destroyed; session += MAX_DIRECTORY_ENTRIES) {
        const joined = Array.from({ length: MAX_DIRECTORY_ENTRIES }, (_, i) => entry(session + i));
        if (!socket.write(writeDirectory({ joined, left: [] }))) {
          await hasRoom(socket);
        }
      }
    });
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as net.AddressInfo;
  const client = start(t, "client", ["-s", `127.0.0.1:${port}`]);
  const lost = says(/^connection lost: directory: too many sessions/);
  // What was kept for the first connection is not kept beside that of the next.
  for (let times = 0; times < 3; times++) {
    await client.logged((line) => lost(line) && client.log().filter(lost).length > times);
  }
  const mostMiB = peakMiB(client.pid);
  t.diagnostic(`at most ${Math.round(mostMiB)} MiB`);
  assert.ok(mostMiB < CLIENT_MIB, `${mostMiB} MiB`);
  assert.equal((await client.stop()).code, 0);
});
