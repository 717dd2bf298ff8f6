// The same sources on Deno and on Node speak with one another.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { DENO, documentOf, type Runtime, start, startClient, startServer } from "./processes.ts";

const skip = existsSync(DENO) ? false : "deno is not installed";

describe("Deno and Node", { skip }, () => {
  const pairs: { server: Runtime; client: Runtime }[] = [
    { server: "node", client: "deno" },
    { server: "deno", client: "node" },
  ];
  for (const { server: serves, client: asks } of pairs) {
    test(`a client on ${asks} measures with a server on ${serves}`, async (t) => {
      const server = await startServer(t, ["--json"], { runtime: serves });
      const listener = await startClient(t, server.port, [
        "-n",
        "listener",
        "--interval",
        "1h",
        "--json",
      ], { runtime: serves });
      const sender = start(t, "client", [
        "-s",
        `127.0.0.1:${server.port}`,
        "-n",
        "sender",
        "--interval",
        "3ms",
        "--count",
        "100",
        "--echo",
        "--json",
      ], { runtime: asks });
      const sent = documentOf(await sender.exited);
      const heard = documentOf(await listener.stop());
      const echo = sent.keys.find(({ hops, echo }) => hops === 2 && echo);
      const path = heard.keys.find(({ hops, from }) => hops === 2 && from === "sender");
      for (const figures of [echo, path]) {
        assert.deepEqual([figures?.count, figures?.lost], [100, 0]);
        assert.ok(figures!.ms!.p50 > 0 && figures!.error_ms!.p50 > 0);
      }
      const { keys } = documentOf(await server.stop());
      assert.equal(keys.find(({ from }) => from === "sender")?.count, 100);
    });
  }
});
