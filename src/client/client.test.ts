import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { parseCommandLine } from "../cli/command-line.ts";
import { createHostClock } from "../cli/host-clock.ts";
import { createClock } from "../platform/clock.ts";
import { createTicker } from "../platform/ticker.ts";
import { createRelay } from "../relay/relay.ts";
import { listenTcp } from "../transport/tcp.ts";
import { type Client, createClient } from "./client.ts";
import { createConnector } from "./connect.ts";
import { createClientMetering } from "./metering.ts";
import { clientOptions } from "./options.ts";

/** Messages that the relay had, by the route of their session. */
type Relayed = Map<string, number>;

/** A relay on this machine. */
async function startRelay() {
  const clock = createClock();
  const relayed: Relayed = new Map();
  const relay = createRelay({
    name: "relay",
    processId: new Uint8Array(16).fill(1),
    maxClients: 10,
    maxBacklogBytes: 8 << 20,
    filter: "",
    clockMode: "auto",
    hostClock: () => ({ boundUs: NaN, anchorErrorUs: 1, wallShiftUs: 0 }),
    nowUs: clock.nowUs,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    wake: (atUs) => ticker.wake(atUs),
    observer: {
      joined() {},
      left() {},
      refused() {},
      stranger() {},
      messages: ({ route }, { count }) => relayed.set(route, (relayed.get(route) ?? 0) + count),
      relayed() {},
      dropped() {},
      clock() {},
    },
  });
  const ticker = createTicker(clock.nowUs, () => relay.tick());
  ticker.wake(clock.nowUs());
  const where = { host: "127.0.0.1", port: 0, family: 4 } as const;
  const listener = await listenTcp(where, relay.accept, (error) => assert.fail(error));
  return {
    address: `127.0.0.1:${listener.address.port}`,
    relayed,
    close() {
      listener.close();
      ticker.stop();
    },
  };
}

/** A port on which nobody listens. */
async function closedAddress(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

/** A server that takes connections and says nothing. */
async function startSilent() {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Runs a client until it is complete, and returns what it was. */
async function run(args: string, until: (client: Client) => Promise<unknown> = (c) => c.completed) {
  const outcome = parseCommandLine(clientOptions, args.split(" "), {});
  assert.ok(outcome.ok && outcome.action === "run", args);
  const { config } = outcome;
  const metering = createClientMetering({
    name: config.name,
    routes: config.server.map(({ label }) => label),
    record: undefined,
  });
  const clock = createClock();
  const client = createClient({
    tokens: undefined,
    config,
    place: { region: "any", zone: "any" },
    processId: crypto.getRandomValues(new Uint8Array(16)),
    clock,
    metering,
    connector: createConnector(config, clock.nowUs),
    hostClock: createHostClock(clock, undefined),
  });
  await until(client);
  await client.end(10_000);
  const { routes, seconds, sent } = client.summarise();
  return { routes, seconds, sent, figures: metering.summarise(seconds, false), client };
}

test("a run over two routes sends its count on each, and has all back by its end", async () => {
  const relay = await startRelay();
  const { routes, sent, seconds, figures } = await run(
    `-s direct=${relay.address},accelerated=${relay.address} --interval 1ms --count 50 --warmup 3`,
  );
  relay.close();
  assert.equal(sent, 106);
  assert.deepEqual(
    routes.map(({ route, sent, unsent, unconfirmed, state }) => [
      route,
      sent,
      unsent,
      unconfirmed,
      state,
    ]),
    [["direct", 53, 0, 0, "closed"], ["accelerated", 53, 0, 0, "closed"]],
  );
  assert.ok(seconds > 0.05);
  const echoes = figures.keys.filter(({ hops, echo }) => hops === 2 && echo);
  assert.deepEqual(echoes.map(({ route, count, lost }) => [route, count, lost]), [
    ["accelerated", 50, 0],
    ["direct", 50, 0],
  ]);
  assert.ok(figures.differences!.some(({ pairs }) => pairs === 50));
});

test("a route that cannot be connected does not keep the other from starting at once", async () => {
  const relay = await startRelay();
  const dead = await closedAddress();
  const { routes, client } = await run(
    `-s dead=${dead},direct=${relay.address} --interval 1ms --count 5 --warmup 0`,
  );
  relay.close();
  assert.deepEqual(routes.map(({ sent, unsent }) => [sent, unsent]), [[0, 5], [5, 0]]);
  assert.match(client.failures()[0]!, /connection refused/);
});

test("a route that takes the connection and stays silent is waited for, but not for long", async () => {
  const relay = await startRelay();
  const silent = await startSilent();
  const startMs = performance.now();
  const { routes } = await run(
    `-s silent=${silent.address},direct=${relay.address} --interval 1ms --count 5 --warmup 0`,
  );
  const tookMs = performance.now() - startMs;
  relay.close();
  silent.close();
  assert.deepEqual(routes.map(({ sent, unsent }) => [sent, unsent]), [[0, 5], [5, 0]]);
  // Its welcome would have been awaited for ten seconds.
  assert.ok(tookMs >= 2000, `${tookMs} ms`);
});

test("a ping-pong with a route that cannot be connected completes on the other", async () => {
  const relay = await startRelay();
  const dead = await closedAddress();
  const { routes } = await run(
    `-s direct=${relay.address},dead=${dead} --mode ping-pong --count 20 --warmup 2`,
  );
  relay.close();
  assert.deepEqual(routes.map(({ sent }) => sent), [22, 0]);
});

test("of a flood every message reaches the relay, and none beyond its count", async () => {
  const relay = await startRelay();
  const { routes, sent } = await run(
    `-s direct=${relay.address} --mode flood --count 20000 --warmup 10 --size 128`,
  );
  relay.close();
  assert.equal(sent, 20_010);
  assert.equal(relay.relayed.get("direct"), 20_010);
  assert.equal(routes[0]!.unconfirmed, 0);
});

test("a client that ends before any connection tells why each route has none", async () => {
  const dead = await closedAddress();
  const { routes, seconds, sent, client } = await run(
    `-s ${dead}`,
    async (client) => {
      while (client.failures()[0]!.endsWith("no answer")) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  );
  assert.deepEqual([seconds, sent, routes[0]!.state], [0, 0, "closed"]);
  assert.deepEqual(client.failures(), [`${dead}: connection refused: nothing listens there`]);
});

test("a run ends by its duration, counted from the first welcome", async () => {
  const relay = await startRelay();
  const { sent, routes } = await run(
    `-s direct=${relay.address} --interval 1ms --duration 200ms --warmup 0`,
  );
  relay.close();
  assert.ok(sent > 0);
  assert.equal(routes[0]!.state, "closed");
});

test("each flow of each route is a connection that sends the whole count", async () => {
  const relay = await startRelay();
  const { routes, sent, figures } = await run(
    `-s a=${relay.address},b=${relay.address} --flows 3 --interval 2ms --count 20 --warmup 2`,
  );
  assert.equal(sent, 2 * 3 * 22);
  for (const { flows, state } of routes) {
    assert.equal(state, "closed");
    assert.deepEqual(flows!.map(({ flow, sent }) => [flow, sent]), [[0, 22], [1, 22], [2, 22]]);
  }
  const echoes = figures.keys.filter(({ echo, hops }) => echo && hops === 2);
  assert.deepEqual(echoes.map(({ count, lost }) => [count, lost]), [[60, 0], [60, 0]]);
  relay.close();
});
