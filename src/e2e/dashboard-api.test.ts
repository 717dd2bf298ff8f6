import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { KeyView, MeshView } from "../metrics/mesh-view.ts";
import {
  documentOf,
  isConnected,
  type Running,
  type RunningServer,
  start,
  startServer,
} from "./processes.ts";

const TOKEN = "the-token-of-this-very-test";

/** Where a program that was started with `--http` serves. */
async function httpOf(running: Running): Promise<string> {
  const { port } = await running.logged(({ message }) => message.startsWith("serving http://"));
  return `http://127.0.0.1:${port}`;
}

/** Asks for the mesh until it is as wanted. */
async function meshOf(at: string, isWanted: (mesh: MeshView) => boolean): Promise<MeshView> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const mesh = await (await fetch(`${at}/api/v1/mesh`)).json() as MeshView;
    if (isWanted(mesh)) return mesh;
    const told = mesh.keys.map(({ key, route, count, state }) =>
      `${key} ${route} ${count} ${state}`
    );
    assert.ok(performance.now() < untilMs, `not in time:\n${told.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function startNode(
  t: TestContext,
  name: string,
  routes: [label: string, server: RunningServer][],
  transport: "tcp" | "udp",
): Promise<Running> {
  const running = start(t, "client", [
    "-s",
    routes.map(([label, { port }]) => `${label}=127.0.0.1:${port}`).join(),
    "--name",
    name,
    "--transport",
    transport,
    "--rate",
    "50",
    "--warmup",
    "1",
    "--stats",
    "1",
  ]);
  for (const [label] of routes) {
    await running.logged((line) => isConnected(line) && line["route"] === label);
  }
  return running;
}

const find = (mesh: MeshView, key: string, route: string, echo = false): KeyView | undefined =>
  mesh.keys.find((one) => one.key === key && one.route === route && one.echo === echo);

for (const transport of ["tcp", "udp"] as const) {
  test(`each server shows the whole mesh, other servers' hops too, over ${transport}`, async (t) => {
    const args = ["--http", "0", "--stats", "1", "--transport", "tcp,udp"];
    const [east, west] = await Promise.all([
      startServer(t, ["--name", "east", ...args]),
      startServer(t, ["--name", "west", ...args]),
    ]);
    const bridge = await startNode(t, "bridge", [["a", east], ["b", west], ["c", west]], transport);
    await startNode(t, "far", [["f", west]], transport);
    const at = await httpOf(east);
    const mesh = await meshOf(at, (mesh) =>
      (find(mesh, "far::~::west", "f")?.last?.[1] ?? 0) > 0 &&
      (find(mesh, "bridge::~::east", "a")?.count ?? 0) > 20 &&
      mesh.differences.some(({ pairs }) => pairs > 20));

    // The server measures its own inbound hop; what another server's clients know comes by report.
    assert.equal(find(mesh, "bridge::~::east", "a")!.source, "own");
    const told = find(mesh, "far::~::west", "f")!;
    assert.equal(told.source, "reported");
    assert.deepEqual(told.reporters, ["bridge"]);
    assert.ok(told.ms!.p50 >= 0 && told.error_ms!.p50 > 0);
    // Counted once, though two routes of the bridge hear of it.
    assert.equal(mesh.keys.filter(({ key }) => key === "far::~::west").length, 1);
    const difference = mesh.differences.find(({ to }) => to === "west")!;
    assert.deepEqual([difference.a, difference.b, difference.reporter], ["b", "c", "bridge"]);
    assert.deepEqual(
      mesh.nodes.map(({ name, kind }) => `${name} ${kind}`).sort(),
      ["bridge client", "east server", "far client", "west server"],
    );

    // The reporter dies without a word: nothing that it told is shown as live.
    bridge.signal("SIGKILL");
    const after = await meshOf(at, ({ keys }) => keys.every(({ state }) => state !== "live"));
    assert.ok(find(after, "far::~::west", "f")!.count >= told.count);
    if (transport === "tcp") assert.ok(after.keys.every(({ state }) => state === "gone"));
  });
}

test("a token opens the API, and stands in no log and no document", async (t) => {
  const file = join(tmpdir(), `token-${process.pid}`);
  await writeFile(file, `${TOKEN}\n`);
  const server = await startServer(t, [
    "--http",
    "0.0.0.0:0",
    "--http-token-file",
    file,
    "--json",
    "--verbose",
  ]);
  const at = await httpOf(server);
  const status = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(`${at}${path}`, { headers, redirect: "manual" })).status;
  assert.equal(await status("/metrics"), 401);
  assert.equal(await status("/healthz"), 200);
  assert.equal(await status("/readyz"), 200);
  assert.equal(await status(`/?token=${TOKEN}`), 303);
  assert.equal(await status("/api/v1/mesh", { authorization: `Bearer ${TOKEN}` }), 200);
  const exit = await server.stop();
  documentOf(exit);
  assert.ok(!`${exit.stdout}${exit.stderr}`.includes(TOKEN));
});

test("the token may come by its variable; the client asks for it, too", async (t) => {
  const server = await startServer(t);
  const client = start(t, "client", [
    "-s",
    `127.0.0.1:${server.port}`,
    "--http",
    "0.0.0.0:0",
  ], { env: { CLIENT_HTTP_TOKEN: TOKEN } });
  const at = await httpOf(client);
  assert.equal((await fetch(`${at}/metrics`)).status, 401);
  const answer = await fetch(`${at}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.match(await answer.text(), /performance_build_info\{tool="performance-client"/);
  assert.ok(!JSON.stringify(client.log()).includes(TOKEN));
});

test("beyond this machine nothing is served without a token, unless that is said", async (t) => {
  const refused = await start(t, "server", ["--port", "0", "--http", "0.0.0.0:0"]).exited;
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /--http 0\.0\.0\.0:0 is open to other machines.*--http-open/);
  const open = await startServer(t, ["--http", "0.0.0.0:0", "--http-open"]);
  assert.equal((await fetch(`${await httpOf(open)}/metrics`)).status, 200);
});
