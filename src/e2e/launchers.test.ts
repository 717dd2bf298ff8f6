// Runs the launchers in a copy of the project, so that what runs in this checkout is left alone.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** In the environment of all that these tests start, and of what that starts in turn. */
const mark = `LAUNCHER_TEST=${randomUUID()}`;

let work: string;
let checkout: string;

/** A program that runs: what it wrote so far, and its end. */
interface Started {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function startProgram(program: string, args: string[]): Started {
  const [name, value] = mark.split("=") as [string, string];
  const child = spawn(program, args, {
    cwd: tmpdir(),
    // Where relative paths are looked for, for scripts that do not take care.
    env: { ...process.env, CDPATH: `${checkout}:${root}`, TMPDIR: work, [name]: value },
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (piece: string) => output[stream] += piece);
  }
  const ended = once(child, "close").then(([code]) => ({ code, ...output }));
  return { child, output, ended };
}

function start(script: string, ...args: string[]): Started {
  return startProgram(join(checkout, "scripts", script), args);
}

async function run(script: string, ...args: string[]) {
  const { child, ended } = start(script, ...args);
  child.stdin!.end();
  return await ended;
}

/** Resolves with the match once a program has written it to stderr. */
async function told({ child, output, ended }: Started, what: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = what.exec(output.stderr);
    if (match !== null) return match;
    const end = await Promise.race([ended, once(child.stderr!, "data")]);
    if ("code" in end) assert.fail(`ended and never told ${what}: ${output.stderr}`);
  }
}

/** The command lines of the programs that these tests started and that still run. */
function running(): string[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).flatMap((id) => {
    try {
      if (!readFileSync(`/proc/${id}/environ`, "utf8").includes(mark)) return [];
      const command = readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return command.startsWith(checkout) ? [command] : [];
    } catch {
      return [];
    }
  });
}

/** As many as expected, once they are: a new process bears its parent's name for a moment. */
async function runningOnce(count: number): Promise<string[]> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    const commands = running();
    if (commands.length === count || performance.now() > deadlineMs) return commands;
    await setTimeout(10);
  }
}

function occurrences(all: string, what: string): number {
  return all.match(RegExp(what, "gm"))?.length ?? 0;
}

describe("the launchers", () => {
  before(async () => {
    work = await mkdtemp(join(tmpdir(), "launchers-"));
    checkout = join(work, "a folder");
    await mkdir(join(checkout, "dist"), { recursive: true });
    for (
      const path of [
        "scripts",
        "src",
        "build",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
      ]
    ) {
      await cp(join(root, path), join(checkout, path), { recursive: true });
    }
    // Last, so that they are newer than the sources and are not built again.
    for (const program of ["performance-server", "performance-client"]) {
      await copyFile(join(root, "dist", program), join(checkout, "dist", program));
    }
  });

  after(async () => {
    await run("run.sh", "stop");
    await rm(work, { recursive: true });
  });

  test("run.sh measures for a while, shows the tables of all three, and leaves nothing", async () => {
    const { code, stdout, stderr } = await run("run.sh");
    assert.equal(code, 0, stderr);
    for (const name of ["client client-1", "client client-2", "server server"]) {
      assert.equal(occurrences(stdout, `^performance-${name}:`), 1, stdout);
    }
    assert.match(stdout, /^client-2 → server → client-1 +\d+ +[\d.]+ +0 /m);
    assert.match(stdout, /^client-1 → server → client-2 +\d+ +[\d.]+ +0 /m);
    assert.match(stderr, /figures: client-2::~::server<~>server::~::client-1/);
    assert.deepEqual(running(), []);
    assert.deepEqual((await readdir(work)).filter((file) => file.startsWith("run")), []);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`run.sh leaves nothing behind after ${signal}`, async () => {
      const started = start("run.sh");
      await told(started, /connected to/);
      assert.equal(running().filter((line) => line.includes("/dist/")).length, 3);
      started.child.kill(signal);
      const { code, stderr } = await started.ended;
      assert.ok(code !== null && code > 128, `${code} ${stderr}`);
      assert.deepEqual(running(), []);
    });
  }

  test("run.sh managed runs until Enter", async () => {
    const started = start("run.sh", "managed");
    await told(started, /connected to/);
    assert.equal(running().filter((line) => line.includes("/dist/")).length, 3);
    started.child.stdin!.write("\n");
    const { code, stdout } = await started.ended;
    assert.equal(code, 0, stdout);
    assert.equal(occurrences(stdout, "^performance-\\w+ [\\w-]+:"), 3, stdout);
    assert.deepEqual(running(), []);
  });

  test("run.sh start runs once in the background, and stop ends it and nothing else", async () => {
    const other = startProgram(join(checkout, "dist/performance-server"), ["--port", "0"]);
    try {
      await told(other, /listening/);
      const { code, stderr } = await run("run.sh", "start");
      assert.equal(code, 0, stderr);
      assert.equal((await runningOnce(4)).length, 4);

      const again = await run("run.sh", "start");
      assert.equal(again.code, 1);
      assert.match(again.stderr, /already running/);
      assert.equal(running().length, 4);

      assert.equal((await run("run.sh", "stop")).code, 0);
      assert.deepEqual(running(), [`${join(checkout, "dist/performance-server")} --port 0`]);

      // The id of a process that ended may be given to another one.
      const file = join(checkout, ".run", "server.pid");
      const [, startTime, boot] = (await readFile(file, "utf8")).split(" ");
      await writeFile(file, [other.child.pid, startTime, boot].join(" "));
      assert.match((await run("run.sh", "stop")).stdout, /Nothing is running/);
      assert.equal(running().length, 1);
    } finally {
      // Nothing is left to it where all went well.
      await run("run.sh", "stop");
      other.child.kill();
      await other.ended;
    }
  });

  test("run-server.sh and run-clients.sh pass their options on", async () => {
    const server = start("run-server.sh", "--port", "0", "--log-format", "text", "-n", "hub");
    try {
      const [, port] = await told(server, /hub is listening .* port=(\d+)/);
      const options = ["--port", port!, "--mode", "ping-pong", "--count", "20", "--json"];
      const { code, stdout, stderr } = await run("run-clients.sh", "3", ...options);
      assert.equal(code, 0, stderr);
      const documents = stdout.trim().split(/\n+/).map((line) => JSON.parse(line));
      assert.deepEqual(documents.map(({ config }) => config.name), [
        "client-1",
        "client-2",
        "client-3",
      ]);
    } finally {
      server.child.kill();
      await server.ended;
    }
  });

  test("run-clients.sh fails if a client does", async () => {
    const options = ["-s", "127.0.0.1:1", "--connect-timeout", "100ms"];
    const { code, stdout } = await run("run-clients.sh", ...options);
    assert.equal(code, 1, stdout);
    assert.deepEqual(running(), []);
  });

  for (
    const script of [
      "build.sh",
      "fuzz.sh",
      "run-clients.sh",
      "run-server.sh",
      "run.sh",
      "test.sh",
    ]
  ) {
    test(`${script} -h tells what it does in two lines`, async () => {
      const { code, stdout } = await run(script, "-h");
      assert.equal(code, 0);
      assert.match(
        stdout,
        RegExp(`^[A-Z].*\\.\\nUsage: scripts/${script.replace(".", "\\.")}.*\\n$`),
      );
    });
  }
});
