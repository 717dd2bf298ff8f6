// The images are built from the real Dockerfiles. No registry is asked: what these start from is
// made of Debian's packages.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  ARCHITECTURES,
  buildImages,
  findContainerTools,
  FOREIGN_ARCHITECTURE,
  type Images,
} from "./containers.ts";
import { documentOf, isConnected, type LogLine } from "./processes.ts";

const programs = ["server", "client"] as const;
const dockerfile = (program: string) =>
  readFile(new URL(`../../docker/${program}.Dockerfile`, import.meta.url), "utf8");
const isListening = ({ message }: LogLine) => message.includes("is listening on");
/** Measures for a moment, against a server on this machine. */
const clientEnv = (port: number) => ({
  SERVER_NAME: `127.0.0.1:${port}`,
  CLIENT_NAME: "in-a-container",
  CLIENT_ECHO: "true",
  CLIENT_INTERVAL: "5ms",
  CLIENT_WARMUP: "2",
  CLIENT_COUNT: "20",
  CLIENT_JSON: "true",
});

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("both Dockerfiles build in the same stage, which is run once for both", async () => {
  const [server, client] = await Promise.all(programs.map(async (program) => {
    const text = await dockerfile(program);
    return text.slice(text.indexOf("ARG BUILDER"), text.indexOf("/out/*\n"));
  }));
  assert.ok(server!.length > 500, server);
  assert.equal(server, client);
});

const tools = findContainerTools();

describe("the container images", { skip: typeof tools === "string" && tools }, () => {
  let images: Images;
  before(async () => {
    if (typeof tools !== "string") images = await buildImages(tools);
  });
  after(() => images?.close());

  for (const program of programs) {
    for (const architecture of ARCHITECTURES) {
      const what = `the ${program}'s image for ${architecture}`;

      test(`${what} adds one file to its base: the executable`, async () => {
        const { layers } = await images.read(program, architecture);
        assert.equal(layers.length, 2);
        assert.deepEqual(layers[1]!.entries, [
          { mode: "-rwxr-xr-x", owner: "0/0", path: `performance-${program}` },
        ]);
      });

      test(`${what} is within its budget`, async (t) => {
        const { layers } = await images.read(program, architecture);
        const added = layers.at(-1)!.compressedBytes;
        const whole = layers.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0);
        t.diagnostic(`compressed: added ${added} bytes, whole ${whole} bytes`);
        assert.ok(added <= 45e6, `the added layer has ${added} bytes`);
        assert.ok(whole <= 55e6, `the image has ${whole} bytes`);
      });

      test(`${what} holds no shell`, async () => {
        const { layers } = await images.read(program, architecture);
        const paths = layers.flatMap(({ entries }) => entries.map(({ path }) => path));
        assert.ok(paths.some((path) => path.endsWith("/libstdc++.so.6")), "the base is there");
        assert.deepEqual(paths.filter((path) => /\/(\w*sh|busybox|perl[\d.]*)$/.test(path)), []);
      });

      test(`${what} says what it is, and starts the executable as nobody special`, async () => {
        const { config } = await images.read(program, architecture);
        assert.equal(config.User, "65532:65532");
        assert.deepEqual(config.Entrypoint, [`/performance-${program}`]);
        assert.equal(config.StopSignal, "SIGTERM");
        const label = (name: string) => config.Labels[`org.opencontainers.image.${name}`];
        assert.equal(label("title"), `performance-${program}`);
        assert.equal(label("licenses"), "MIT");
        assert.match(label("description")!, /measures/i);
        assert.match(label("version")!, /^\d+\.\d+\.\d+$/);
        assert.match(label("revision")!, /^[0-9a-f]{40}$/);
      });
    }
  }

  test("the server's image asks the executable for its health, and names its port", async () => {
    const { Test } = await images.healthCheck();
    assert.deepEqual(Test, ["CMD", "/performance-server", "--health"]);
    const { config } = await images.read("server", "amd64");
    assert.deepEqual(Object.keys(config.ExposedPorts!).sort(), ["8080/tcp", "8080/udp"]);
  });

  test("server and client measure without any privilege, configured by variables", async (t) => {
    const server = images.start(t, "server", { SERVER_NAME: "relay", SERVER_PORT: "0" });
    const { port } = await server.logged(isListening);

    const status = await readFile(`/proc/${await images.processOf(server)}/status`, "utf8");
    assert.match(status, /^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
    assert.match(status, /^Gid:\s+65532\s/m);
    assert.match(status, /^CapEff:\s+0+$/m);
    assert.match(status, /^CapPrm:\s+0+$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);

    const client = images.start(t, "client", clientEnv(Number(port)));
    const { keys } = documentOf(await client.exited);
    const path = keys.find(({ hops, echo }) => hops === 2 && echo);
    assert.equal(path?.from, "in-a-container");
    assert.equal(path?.count, 20);
    assert.equal(path?.lost, 0);
    assert.match(path!.key, /relay/);

    const { code, stdout } = await server.stop();
    assert.equal(code, 0);
    assert.match(stdout, /in-a-container/, "the summary");
  });

  test("no container writes to its root", async (t) => {
    const server = images.start(t, "server", { SERVER_PORT: "0", SERVER_NDJSON: "/tmp/hops" });
    const { code, stderr } = await server.exited;
    assert.equal(code, 1);
    assert.match(stderr, /EROFS|read-only/);
  });

  test("a client in a container ends on SIGTERM with its figures", async (t) => {
    const server = images.start(t, "server", { SERVER_PORT: "0" });
    const { port } = await server.logged(isListening);
    const { CLIENT_COUNT: _, ...env } = clientEnv(Number(port));
    const client = images.start(t, "client", env);
    await client.logged(isConnected);
    assert.equal(documentOf(await client.stop()).tool, "performance-client");
  });

  test("the health check tells a server that serves from one that is not there", async (t) => {
    const port = String(await freePort());
    const ask = () => images.start(t, "server", { SERVER_PORT: port }, ["--health"]).exited;
    assert.equal((await ask()).code, 1);
    const server = images.start(t, "server", { SERVER_PORT: port });
    await server.logged(isListening);
    assert.equal((await ask()).code, 0);
    assert.equal((await server.stop()).code, 0);
  });

  for (const program of programs) {
    test(`the ${program}'s image shows help and version`, async (t) => {
      const startMs = performance.now();
      const version = await images.start(t, program, {}, ["--version"]).exited;
      t.diagnostic(`container to exit of --version: ${Math.round(performance.now() - startMs)} ms`);
      assert.equal(version.code, 0);
      assert.match(version.stdout, new RegExp(`^performance-${program} \\d`));
      const help = await images.start(t, program, {}, ["-h"]).exited;
      assert.equal(help.code, 0);
      assert.match(help.stdout, /--help/);
    });
  }

  const emulator = typeof tools === "object" ? tools.emulator : undefined;
  const skip = emulator === undefined && "no emulator of the other architecture is here";
  test(`the images for ${FOREIGN_ARCHITECTURE} measure, emulated`, { skip }, async (t) => {
    const server = await images.emulate(t, "server", ["--port", "0", "--host", "127.0.0.1"]);
    const { port } = await server.logged(isListening);
    const args = ["-s", `127.0.0.1:${port}`, "--echo", "--interval", "20ms", "--json"];
    const client = await images.emulate(t, "client", [...args, "--warmup", "2", "--count", "10"]);
    const path = documentOf(await client.exited).keys.find(({ hops }) => hops === 2);
    assert.equal(path?.count, 10);
    assert.equal((await server.stop()).code, 0);
  });
});
