// Links that break in every way: the mesh comes back by itself, and tells no delay that was not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { RunSummary } from "../metrics/summary.ts";
import { FrameType } from "../relay/frame.ts";
import { type FaultMesh, says, startFaultMesh } from "./fault-mesh.ts";
import type { Direction } from "./proxy.ts";

test("a connection that is reset is made again, and the server's word on the old one is had", async (t) => {
  const mesh = await startFaultMesh(t);
  const tookMs = await mesh.survives(() => mesh.way.cut());
  const [route] = (await mesh.finish(tookMs)).one.routes!;
  assert.deepEqual([route!.reconnects, route!.unconfirmed], [1, 0]);
});

test("a client whose old connection still looks alive takes its own place", async (t) => {
  const mesh = await startFaultMesh(t);
  const tookMs = await mesh.survives(() => mesh.way.abandon());
  await mesh.server.logged(says(/^one left: replaced by a newer connection/));
  const { one } = await mesh.finish(tookMs);
  assert.deepEqual([one.routes![0]!.reconnects, one.routes![0]!.unconfirmed], [1, 0]);
});

test("what a way swallows for a while is lost, and both its sender and others know", async (t) => {
  const mesh = await startFaultMesh(t);
  const tookMs = await mesh.survives(async () => {
    mesh.way.blackHole();
    await mesh.measuresTwo();
    mesh.way.resume();
  }, { reconnects: false });
  const { one, two } = await mesh.finish(tookMs);
  const upTo = ({ keys }: RunSummary): number =>
    keys.find(({ from, hops }) => hops === 2 && from === "one")!.up;
  assert.ok(upTo(one) > 0);
  assert.equal(upTo(one), upTo(two));
});

const SPOILED: [what: string, (bytes: Buffer) => Buffer][] = [
  ["inverted bytes", (bytes) => bytes.map((byte) => byte ^ 0xff) as Buffer],
  ["zeros", (bytes) => Buffer.alloc(bytes.length)],
  ["a length of 4 GB", (bytes) => Buffer.concat([Buffer.alloc(4, 0xff), bytes.subarray(4)])],
  ["half a frame twice", (bytes) => Buffer.concat([bytes.subarray(0, bytes.length >> 1), bytes])],
  ["a lost byte", (bytes) => bytes.subarray(1)],
];

for (const direction of ["up", "down"] as const) {
  test(`a stream that is spoiled on its way ${direction} ends with a reason, and begins anew`, async (t) => {
    const mesh = await startFaultMesh(t);
    let mostMs = 0;
    for (const [what, spoil] of SPOILED) {
      const before = mesh.one.log().length;
      const tookMs = await mesh.survives(() => mesh.way.spoil(direction, spoil));
      mostMs = Math.max(mostMs, tookMs);
      const { message } = await mesh.one.logged(says(/^connection lost: ./), before);
      t.diagnostic(`${what}: ${message}`);
    }
    const { one } = await mesh.finish(mostMs);
    assert.equal(one.routes![0]!.reconnects, SPOILED.length);
  });
}

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url));

test("with TLS not one bit is changed, nor a record repeated, without the connection's end", async (t) => {
  const mesh = await startFaultMesh(t, {
    serverArgs: ["--tls-cert", fixture("test-server"), "--tls-key", fixture("test-server-key")],
    clientArgs: ["--tls", "--tls-ca", fixture("test-ca")],
  });
  const flip = (share: number) => (bytes: Buffer): Buffer => {
    const flipped = Buffer.from(bytes);
    flipped[Math.floor(share * (bytes.length - 1))]! ^= 0x01;
    return flipped;
  };
  const twice = (bytes: Buffer): Buffer => Buffer.concat([bytes, bytes]);
  const spoiled = [["up", flip(0.3)], ["down", flip(0.6)], ["up", flip(1)], ["up", twice]] as const;
  let mostMs = 0;
  for (const [direction, spoil] of spoiled) {
    const before = mesh.one.log().length;
    const tookMs = await mesh.survives(() => mesh.way.spoil(direction, spoil));
    mostMs = Math.max(mostMs, tookMs);
    const { message } = await mesh.one.logged(says(/^connection lost/), before);
    assert.match(message, /^connection lost: [a-z]/, "in words, not by a code");
  }
  const { one } = await mesh.finish(mostMs);
  assert.equal(one.routes![0]!.reconnects, spoiled.length);
});

const REPEATED = 5;

/** Has the proxy send messages twice. */
async function repeat(mesh: FaultMesh, direction: Direction): Promise<void> {
  // Several frames may have become one chunk, and some are of clocks.
  const isMessage = (bytes: Buffer): boolean =>
    bytes.readUInt32LE(0) === bytes.length && bytes[4] === FrameType.data;
  let repeated = 0;
  while (repeated < REPEATED) {
    await mesh.way.spoil(direction, (bytes) => {
      if (!isMessage(bytes)) return bytes;
      repeated++;
      return Buffer.concat([bytes, bytes]);
    });
  }
}

test("messages that come twice are told as duplicates, and count once", async (t) => {
  const mesh = await startFaultMesh(t);
  const how = { reconnects: false };
  const upMs = await mesh.survives(() => repeat(mesh, "up"), how);
  const downMs = await mesh.survives(() => repeat(mesh, "down"), how);
  const { one, two, atServer } = await mesh.finish(Math.max(upMs, downMs));
  assert.equal(one.routes![0]!.reconnects, 0);
  const ids = atServer.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "one record each");
  const duplicates = [one, two].flatMap(({ keys }) => keys)
    .filter(({ hops }) => hops === 2)
    .reduce((sum, key) => sum + key.duplicates, 0);
  assert.equal(
    duplicates,
    2 * REPEATED + REPEATED,
    "what comes twice to the server goes twice to both",
  );
});

test("a way that is too slow shows in the delays, and they are true", async (t) => {
  const startMs = performance.now();
  // Less than comes down: the queue grows all the time.
  const mesh = await startFaultMesh(t, { way: { delayUs: 0, bytesPerSecond: 30_000 } });
  for (let i = 0; i < 6; i++) await mesh.measuresAll();
  const { one } = await mesh.finish(performance.now() - startMs);
  const echoes = one.keys.find(({ hops, echo }) => hops === 2 && echo)!;
  assert.ok(echoes.elapsed_ms!.max > 200, `at most ${echoes.elapsed_ms!.max} ms`);
});
