// Hosts that fail their programs: stopped processes, stepped clocks, full disks, no descriptors, too
// little memory, and names that resolve to nothing or to somewhere else.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { FAKETIME_LIBRARY } from "./faketime.ts";
import { finishWhole, says, startFaultMesh } from "./fault-mesh.ts";
import { createMemoryGroup, skip as skipMemory } from "./memory-group.ts";
import {
  documentOf,
  isConnected,
  type LogLine,
  start,
  startClient,
  startServer,
} from "./processes.ts";

const PAUSE_MS = 1_500;

test("a client that is stopped and goes on has nobody's delay but its own", async (t) => {
  const mesh = await startFaultMesh(t);
  const tookMs = await mesh.survives(async () => {
    mesh.one.signal("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    mesh.one.signal("SIGCONT");
  }, { reconnects: false });
  const { one, two } = await mesh.finish(tookMs);
  const fromTwo = one.keys.find(({ hops, from }) => hops === 2 && from === "two")!;
  assert.equal(fromTwo.lost, 0);
  assert.ok(fromTwo.elapsed_ms!.max > 0.8 * PAUSE_MS, "what came meanwhile is late");
  assert.ok(one.lag_ms!.max > 0.8 * PAUSE_MS, "what was due meanwhile was sent late, and says so");
  const ofTwo = two.keys.find(({ hops, echo }) => hops === 2 && echo)!;
  assert.ok(ofTwo.elapsed_ms!.max < 0.8 * PAUSE_MS, `${ofTwo.elapsed_ms!.max} ms`);
});

for (const who of ["one", "server"] as const) {
  for (const bounds of [[], ["--clock-error", "2"]]) {
    const known = bounds.length > 0 ? ", with known bounds" : "";
    const skip = FAKETIME_LIBRARY === undefined && "faketime is not installed";
    test(`steps of the wall clock of ${who} touch no delay${known}`, { skip }, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "faults-"));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = join(folder, "time");
      const step = (by: string): void => writeFileSync(file, `${by}\n`);
      step("+0");
      const env = {
        LD_PRELOAD: FAKETIME_LIBRARY!,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      };
      const mesh = await startFaultMesh(t, {
        [who]: { env },
        serverArgs: bounds,
        clientArgs: bounds,
      });
      let mostMs = 0;
      for (const by of ["+3s", "-2s", "+0"]) {
        const before = mesh[who].log().length;
        const tookMs = await mesh.survives(() => step(by), { reconnects: false });
        mostMs = Math.max(mostMs, tookMs);
        await mesh[who].logged(says(/^this host's wall clock was set/), before);
      }
      const { one } = await mesh.finish(mostMs);
      assert.equal(one.routes![0]!.reconnects, 0);
    });
  }
}

/** Why mounts of one's own are not to be had, or false. */
const skipMounts = spawnSync("unshare", ["--mount", "true"]).status !== 0 &&
  "mounts of one's own are made by root alone";

/** A small disk that only the program started through it sees at `path`. */
const onDisk = (path: string, size: string): string[] => [
  ...["unshare", "--mount", "sh", "-c"],
  `mount -t tmpfs -o size=${size} none "$0" && exec "$@"`,
  path,
];

test("a full disk costs records, counted, and no message", { skip: skipMounts }, async (t) => {
  const disk = mkdtempSync(join(tmpdir(), "faults-"));
  t.after(() => rmSync(disk, { recursive: true }));
  const server = await startServer(t, ["--json", "--ndjson", join(disk, "records.ndjson")], {
    through: onDisk(disk, "256k"),
  });
  const inside = join("/proc", String(server.pid), "root", disk);
  const ballast = join(inside, "ballast");
  writeFileSync(ballast, Buffer.alloc(192 * 1024));
  const client = await startClient(t, server.port, [
    ...["-n", "one", "--rate", "400", "--warmup", "0", "--echo", "--json"],
  ]);
  await server.logged(says(/^records cannot be written to .*ENOSPC/));
  unlinkSync(ballast);
  await server.logged(says(/^records are written to .* again; [1-9]\d* could not be written/));
  const { sent, keys } = documentOf(await client.stop());
  const echo = keys.find(({ hops, echo }) => hops === 2 && echo)!;
  assert.deepEqual([echo.count, echo.lost], [sent, 0]);
  // The disk goes with the process: it is read while that still runs.
  await server.logged(says(/^one left/));
  const lines = readFileSync(join(inside, "records.ndjson"), "utf8");
  const whole = lines.slice(0, lines.lastIndexOf("\n")).split("\n");
  for (const line of whole) JSON.parse(line);
  const [sink] = documentOf(await server.stop()).sinks;
  t.diagnostic(JSON.stringify(sink));
  assert.equal(sink!.accepted, sent);
  assert.ok(sink!.failed > 0);
  assert.equal(sink!.sent + sink!.failed, sent);
});

const DESCRIPTORS = 48;

test("a server without descriptors says so, keeps its clients, and takes others once it can", async (t) => {
  const mesh = await startFaultMesh(t, {
    server: { through: ["prlimit", `--nofile=${DESCRIPTORS}`] },
    serverArgs: ["--http", "0"],
  });
  const { port } = mesh.server;
  await mesh.server.logged(says(/^there is room for \d+ clients/));
  const { port: httpPort } = await mesh.server.logged(says(/^serving http/));
  const sockets: net.Socket[] = [];
  let late: ReturnType<typeof start> | undefined;
  const tookMs = await mesh.survives(async () => {
    // Takes all that is left for good: connections without a session would make room after 5 s.
    const crowd = await startClient(t, port, [
      ...["-n", "crowd", "--flows", String(DESCRIPTORS), "--interval", "1h"],
    ]);
    const line = await mesh.server.logged(says(/^a client was turned away: the server is out of/));
    assert.equal(line["reason"], "descriptors");
    for (let i = 0; i < 2 * DESCRIPTORS; i++) {
      const socket = net.connect(port, "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => {});
      await Promise.race([once(socket, "connect"), once(socket, "close")]);
    }
    late = start(t, "client", ["-s", `127.0.0.1:${port}`, "-n", "late", "--json"]);
    await late.logged(says(/^no connection/));
    const metrics = await (await fetch(`http://127.0.0.1:${String(httpPort)}/metrics`)).text();
    assert.match(metrics, /turned_away_connections_total\{.*reason="descriptors".*\} [1-9]\d/);
    for (const socket of sockets) socket.destroy();
    await crowd.stop();
    await late.logged(isConnected);
  }, { reconnects: false });
  const { code } = await late!.stop();
  assert.equal(code, 0);
  await finishWhole(mesh, tookMs);
});

const PRESSED_MS = 2_000;

/** How often a process waited for pages that had to be read from the disk. */
function majorFaults(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[10]);
}

test(
  "a server beside what takes all memory goes on, and loses nothing",
  { skip: skipMemory },
  async (t) => {
    const { through, press } = createMemoryGroup(t, 256);
    const mesh = await startFaultMesh(t, { server: { through } });
    const before = majorFaults(mesh.server.pid);
    let ended = 0;
    const tookMs = await mesh.survives(async () => {
      for (const startMs = performance.now(); performance.now() < startMs + PRESSED_MS; ended++) {
        assert.equal(await press(), "SIGKILL", "the system had no memory left for it");
      }
    }, { reconnects: false });
    t.diagnostic(`${ended} ended, ${majorFaults(mesh.server.pid) - before} pages read anew`);
    await finishWhole(mesh, tookMs);
  },
);

const NAME = "mesh.test";

/** Lays own tables of hosts under a program, with nothing else to ask. */
function resolving(t: TestContext): { through: string[]; to(address?: string): void } {
  const folder = mkdtempSync(join(tmpdir(), "faults-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const hosts = join(folder, "hosts");
  writeFileSync(join(folder, "nsswitch.conf"), "hosts: files\n");
  const to = (address?: string): void =>
    writeFileSync(hosts, address === undefined ? "" : `${address} ${NAME}\n`);
  to();
  return {
    to,
    through: [
      ...["unshare", "--mount", "sh", "-c"],
      'for f in hosts nsswitch.conf; do mount --bind "$0/$f" /etc/$f || exit; done; exec "$@"',
      folder,
    ],
  };
}

test(
  "a name that resolves to nothing, then to a server, then to another",
  { skip: skipMounts },
  async (t) => {
    const resolver = resolving(t);
    const first = await startServer(t, ["--ndjson", "-"]);
    const second = start(t, "server", [
      ...["--host", "127.0.0.2", "--port", String(first.port), "--ndjson", "-"],
    ]);
    await second.logged(says(/is listening on/));
    const client = start(t, "client", [
      ...["-s", `${NAME}:${first.port}`, "-n", "one", "--interval", "10ms", "--warmup", "0"],
      ...["--echo", "--json"],
    ], { through: resolver.through });
    const failure = await client.logged(says(/^no connection/));
    t.diagnostic(failure.message);
    await client.logged((line: LogLine) => line !== failure && says(/^no connection/)(line));
    resolver.to("127.0.0.1");
    const connected = await client.logged(isConnected);
    assert.equal(connected["peer"], `127.0.0.1:${first.port}`);
    await first.printed((records) => records.length > 30);
    resolver.to("127.0.0.2");
    const before = client.log().length;
    const killedMs = performance.now();
    first.signal("SIGKILL");
    const again = await client.logged(isConnected, before);
    assert.equal(again["peer"], `127.0.0.2:${first.port}`);
    await second.printed((records) => records.length > 30);
    const outageMs = performance.now() - killedMs;
    t.diagnostic(`normal after ${Math.round(outageMs)} ms`);
    const { routes, keys, sent } = documentOf(await client.stop());
    const { unsent, unconfirmed, reconnects } = routes![0]!;
    t.diagnostic(`sent ${sent}, unsent ${unsent}, unconfirmed ${unconfirmed}`);
    assert.equal(reconnects, 1);
    assert.ok(unsent > 0);
    const echo = keys.find(({ hops, echo }) => hops === 2 && echo)!;
    assert.ok(echo.elapsed_ms!.max < outageMs);
    // Each came back, or is known not to have, or nobody is left to tell.
    assert.equal(echo.count + echo.lost + unconfirmed, sent);
  },
);

test("a server that is restarted under load has had, or tells of, all that was sent to it", async (t) => {
  const first = await startServer(t, ["--ndjson", "-"]);
  const client = await startClient(t, first.port, [
    ...["-n", "one", "--rate", "2000", "--warmup", "0", "--echo", "--json"],
  ]);
  await first.printed((records) => records.length > 1_000);
  const before = client.log().length;
  const stoppedMs = performance.now();
  assert.equal((await first.stop()).code, 0);
  const second = await startServer(t, ["--port", String(first.port), "--ndjson", "-"]);
  await client.logged(isConnected, before);
  await second.printed((records) => records.length > 1_000);
  const outageMs = performance.now() - stoppedMs;
  const { routes, keys, sent } = documentOf(await client.stop());
  const { reconnects, unsent, unconfirmed } = routes![0]!;
  const echo = keys.find(({ hops, echo }) => hops === 2 && echo)!;
  t.diagnostic(`normal after ${Math.round(outageMs)} ms`);
  t.diagnostic(`sent ${sent}, unsent ${unsent}, lost up ${echo.up}, down ${echo.down}`);
  assert.deepEqual([reconnects, unconfirmed], [1, 0]);
  assert.equal(echo.count + echo.lost, sent);
  assert.ok(echo.elapsed_ms!.max < outageMs);
});
