// Recipients that take little, nothing, or are gone: nobody else pays for them.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { dataFrameBytes, HOP_SLOTS } from "../relay/data-frame.ts";
import {
  documentOf,
  type Exit,
  type LogLine,
  type RunningServer,
  start,
  startClient,
  startServer,
} from "./processes.ts";
import { createDelayProxy, type DelayProxy } from "./proxy.ts";

const LISTENS = ["--interval", "1h", "--json"];

function listen(t: TestContext, name: string, port: number) {
  return startClient(t, port, ["-n", name, ...LISTENS]);
}

/** A way to the server; `bytesPerSecond` limits what comes from it. */
async function makeWay(
  t: TestContext,
  { port }: RunningServer,
  bytesPerSecond = Infinity,
): Promise<DelayProxy> {
  const proxy = await createDelayProxy({
    target: { host: "127.0.0.1", port },
    up: { delayUs: 0 },
    down: { delayUs: 0, ...(bytesPerSecond < Infinity && { bytesPerSecond }) },
  });
  t.after(proxy.close);
  return proxy;
}

const says = (text: string) => ({ message }: LogLine) => message.startsWith(text);

/** What arrived of the sender's messages, and what was lost of them. */
function arrived(exit: Exit): [count: number, lost: number] {
  const path = documentOf(exit).keys.find(({ hops, from }) => hops === 2 && from === "sender");
  assert.ok(path, "the sender was heard");
  return [path.count, path.lost];
}

test("a stalled, a slow and a dead recipient cost the healthy ones no message", async (t) => {
  const server = await startServer(t, ["--max-backlog", "256KiB"]);
  const stalledWay = await makeWay(t, server);
  const slowWay = await makeWay(t, server, 1_000_000);
  await listen(t, "stalled", stalledWay.port);
  const slow = await listen(t, "slow", slowWay.port);
  const dead = await listen(t, "dead", server.port);
  const healthy = [
    await listen(t, "healthy", server.port),
    await listen(t, "well", server.port),
  ];
  stalledWay.stall("down");
  dead.signal("SIGSTOP");
  const sender = await startClient(t, server.port, [
    "-n",
    "sender",
    "--rate",
    "150",
    "--size",
    "65536",
    "--warmup",
    "0",
    "--json",
  ]);

  for (const name of ["stalled", "slow", "dead"]) {
    await server.logged(says(`${name} falls behind`));
  }
  await server.logged(says("stalled left: stalled"));
  await server.logged(says("dead left: stalled"));
  assert.ok(!server.log().some(says("slow left")), "who takes something stays");

  const { sent } = documentOf(await sender.stop());
  await server.logged(says("sender left"));
  for (const client of healthy) assert.deepEqual(arrived(await client.stop()), [sent, 0]);
  await slow.stop();
  const left = await server.logged(says("slow left"));
  assert.ok(Number(left["dropped"]) > 0, "what the slow one could not take was dropped");
});

/** More than the buffers of the system and the backlog hold together. */
const FLOOD = { count: 150_000, bytes: 150_000 * dataFrameBytes(HOP_SLOTS, 128) };

function flood(t: TestContext, port: number) {
  return start(t, "client", [
    "-s",
    `127.0.0.1:${port}`,
    "-n",
    "sender",
    "--mode",
    "flood",
    "--size",
    "128",
    "--count",
    String(FLOOD.count),
    "--json",
  ]);
}

test("a flood waits for a slow recipient, and loses nothing", async (t) => {
  const server = await startServer(t, ["--max-backlog", "256KiB"]);
  const slowWay = await makeWay(t, server, 8_000_000);
  const slow = await listen(t, "slow", slowWay.port);
  const fast = await listen(t, "fast", server.port);
  const { notes, sent } = documentOf(await flood(t, server.port).exited);
  assert.equal(sent, FLOOD.count + 10);
  assert.match(notes.join(), /full queues/);
  await slowWay.passed("down", FLOOD.bytes);
  assert.deepEqual(arrived(await slow.stop()), [FLOOD.count, 0]);
  assert.deepEqual(arrived(await fast.stop()), [FLOOD.count, 0]);
});

test("a flood does not wait for a recipient that takes nothing", async (t) => {
  const server = await startServer(t, ["--max-backlog", "256KiB"]);
  const stalledWay = await makeWay(t, server);
  await listen(t, "stalled", stalledWay.port);
  const healthy = await listen(t, "healthy", server.port);
  stalledWay.stall("down");
  const { sent } = documentOf(await flood(t, server.port).exited);
  assert.equal(sent, FLOOD.count + 10);
  await server.logged(says("stalled left: stalled"));
  assert.deepEqual(arrived(await healthy.stop()), [FLOOD.count, 0]);
});
