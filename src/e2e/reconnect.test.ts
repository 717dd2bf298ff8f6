// A server dies without a word, and comes back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { documentOf, isConnected, type Running, startClient, startServer } from "./processes.ts";
import { createDelayProxy } from "./proxy.ts";

const NAMES = ["one", "two", "three"];
const MESSAGES = 20;

/** Resolves once the server has metered some messages of each client. */
async function metersAll(server: Running): Promise<void> {
  await server.printed<{ from: string }>((records) =>
    NAMES.every((name) => records.filter(({ from }) => from === name).length >= MESSAGES)
  );
}

/** Resolves once `client` has failed to connect again, at the server's absence. */
function missesServer(client: Running) {
  return client.logged(({ message }) => /refused/.test(message));
}

test("clients survive a server that is killed: the gap is never a delay", async (t) => {
  const first = await startServer(t, ["--ndjson", "-"]);
  const clients: Running[] = [];
  for (const name of NAMES) {
    clients.push(
      await startClient(t, first.port, [
        "-n",
        name,
        "--interval",
        "10ms",
        "--warmup",
        "3",
        "--json",
      ]),
    );
  }
  await metersAll(first);
  const killedMs = performance.now();
  first.signal("SIGKILL");
  await first.exited;
  await Promise.all(clients.map(missesServer));

  const before = clients.map((client) => client.log().length);
  const outageMs = performance.now() - killedMs;
  const second = await startServer(t, ["--port", String(first.port), "--ndjson", "-"]);
  await Promise.all(clients.map((client, index) => client.logged(isConnected, before[index])));
  await metersAll(second);

  for (const [index, client] of clients.entries()) {
    const document = documentOf(await client.stop());
    const [route] = document.routes!;
    assert.equal(route!.reconnects, 1, NAMES[index]);
    assert.ok(route!.unsent > 0, "slots of the outage were missed");
    assert.ok(route!.unconfirmed > 0, "nobody told what the server had before it was killed");
    // All that it sent was received, or is unconfirmed; it is lost to no one.
    const paths = document.keys.filter(({ hops }) => hops === 2);
    assert.deepEqual(paths.map(({ from }) => from).sort(), NAMES.toSpliced(index, 1).sort());
    for (const { key, lost, count, ms, elapsed_ms } of paths) {
      assert.ok(count >= MESSAGES, `${key}: ${count}`);
      assert.equal(lost, 0, key);
      assert.ok(ms!.max < outageMs, `${key}: ${ms!.max} ms, the outage was ${outageMs} ms`);
      assert.ok(elapsed_ms!.max < outageMs, `${key}: ${elapsed_ms!.max} ms`);
    }
  }
});

test("a client that is cut off comes back and learns what the server had", async (t) => {
  const server = await startServer(t, ["--ndjson", "-"]);

  const proxy = await createDelayProxy({
    target: { host: "127.0.0.1", port: server.port },
    up: { delayUs: 1000 },
    down: { delayUs: 1000 },
  });
  t.after(proxy.close);
  const client = await startClient(t, proxy.port, [
    "-n",
    "one",
    "--interval",
    "5ms",
    "--warmup",
    "3",
    "--json",
  ]);
  const heard = async (count: number) => {
    const records = await server.printed((lines) => lines.length >= count);
    return records.length;
  };
  const before = await heard(MESSAGES);
  const lines = client.log().length;
  proxy.cut();
  await client.logged(isConnected, lines);
  await heard(before + 3 * MESSAGES);
  const document = documentOf(await client.stop());
  const [route] = document.routes!;
  assert.equal(route!.reconnects, 1);
  assert.equal(route!.unconfirmed, 0, "the next welcome brought the counts of the session before");
});
