/** Starts the programs for a test, as users do, and ends them with it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunSummary } from "../metrics/summary.ts";
import type { Given, ProxyOptions } from "./proxy.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Deno as `scripts/build.sh` installs it. */
export const DENO = join(ROOT, "node_modules/.bin/deno");
/** What a test waits for comes within this time even on a slow machine, or never. */
const PATIENCE_MS = 60_000;
/** The same of what programs tell that go on telling other things. */
const PATIENCE_WITH_TALKERS_MS = 240_000;
/** Nothing that is started here, and ends by itself, takes longer. */
const LONGEST_RUN_MS = 600_000;

/** Ends what was started for it: a test. */
export type Owner = Pick<TestContext, "after">;
export type Program = "client" | "server";
/** What runs the program: the executable of `dist`, or the sources on a runtime. */
export type Runtime = "executable" | "node" | "deno";

export interface StartOptions {
  runtime?: Runtime;
  /** Beside PATH and HOME. */
  env?: Readonly<Record<string, string>>;
  /** A program and its arguments that starts ours, such as `faketime`. */
  through?: readonly string[];
}

/** How a process ended. */
export interface Exit {
  /** Null where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A line of the log. */
export interface LogLine {
  level: string;
  area: string;
  message: string;
  [field: string]: unknown;
}

export interface Running {
  readonly pid: number;
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /**
   * The first log line that `matches`, of those behind the `after` first; rejects when the process
   * ends without it.
   */
  logged(matches: (line: LogLine) => boolean, after?: number): Promise<LogLine>;
  /** Log lines so far. */
  log(): LogLine[];
  /** Resolves once the lines of stdout, parsed as JSON, fulfil `matches`. */
  printed<T>(matches: (lines: T[]) => boolean): Promise<T[]>;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end as an operator would, and waits. */
  stop(): Promise<Exit>;
}

export interface RunningServer extends Running {
  readonly port: number;
}

/** The executables, built where they are missing. */
export function executable(program: Program): string {
  const path = join(ROOT, "dist", `performance-${program}`);
  if (!existsSync(path)) {
    execFileSync(join(ROOT, "scripts/build.sh"), { stdio: ["ignore", "ignore", "inherit"] });
  }
  return path;
}

function commandOf(program: Program, runtime: Runtime): string[] {
  const main = join(ROOT, "src", program, "main.ts");
  if (runtime === "node") return [process.execPath, main];
  if (runtime === "deno") return [DENO, "run", "--allow-all", main];
  return [executable(program)];
}

/** Starts a program; it is killed at the end of the test, should it still run. */
export function start(
  t: Owner,
  program: Program,
  args: readonly string[],
  { runtime = "executable", env = {}, through = [] }: StartOptions = {},
): Running {
  const command = [...through, ...commandOf(program, runtime), ...args];
  return startCommand(t, command, env, `${program} ${args.join(" ")}`);
}

/**
 * Starts whatever runs one of the programs, as `start` does.
 *
 * @param env beside PATH and HOME
 * @param what names it in errors
 */
export function startCommand(
  t: Owner,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  what = command.join(" "),
): Running {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(command[0]!, command.slice(1), {
    // No test asks the network where it runs.
    env: { PATH, HOME, AWS_EC2_METADATA_DISABLED: "true", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return watch(t, child, what);
}

/** Starts a server on a free port of this machine, and waits until it listens. */
export async function startServer(
  t: Owner,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<RunningServer> {
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const running = start(t, "server", ["--host", "127.0.0.1", ...port, ...args], options);
  const line = await running.logged(({ message }) => message.includes("is listening on"));
  return { ...running, port: Number(line["port"]) };
}

/** Starts a client of a server on this machine, and waits until it is connected. */
export async function startClient(
  t: Owner,
  port: number,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Running> {
  const running = start(t, "client", ["-s", `127.0.0.1:${port}`, ...args], options);
  await running.logged(isConnected);
  return running;
}

/** A client's line that tells of a welcome. */
export function isConnected({ message }: LogLine): boolean {
  return message.startsWith("connected to");
}

/** The document that `--json` printed. */
export function documentOf({ code, stdout, stderr }: Exit): RunSummary {
  if (code !== 0) throw new Error(`exit code ${code}:\n${stderr}`);
  return JSON.parse(stdout);
}

/** What a proxy gave, by direction. */
type AllGiven = Record<"up" | "down", Given[]>;

/** A proxy in a process of its own; `end` ends it and tells what it gave. */
export async function startProxy(
  t: Owner,
  options: ProxyOptions,
): Promise<{ port: number; end(): Promise<AllGiven> }> {
  const { ports, end } = await startProxies(t, [options]);
  return { port: ports[0]!, end: async () => (await end())[0]! };
}

/** As `startProxy`, several in one process, started `through` a program and its arguments. */
export async function startProxies(
  t: Owner,
  options: readonly ProxyOptions[],
  through: readonly string[] = [],
): Promise<{ ports: number[]; end(): Promise<AllGiven[]> }> {
  const main = fileURLToPath(new URL("proxy-main.ts", import.meta.url));
  const command = [
    ...through,
    process.execPath,
    main,
    ...options.map((one) => JSON.stringify(one)),
  ];
  const child = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "pipe"] });
  const running = watch(t, child, "proxy");
  const [first] = await running.printed<{ ports: number[] }>((lines) => lines.length > 0);
  return {
    ports: first!.ports,
    async end() {
      child.stdin.end();
      const { stdout } = await running.exited;
      return JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    },
  };
}

function watch(t: Owner, child: ChildProcess, what: string): Running {
  const lines = { stdout: collect(child.stdout!), stderr: collect(child.stderr!) };
  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      resolve({ code, signal, stdout: lines.stdout.text(), stderr: lines.stderr.text() });
    };
    child.once("error", (error) => {
      lines.stderr.add(String(error));
      end(null, null);
    });
    child.once("close", end);
  });
  let hasEnded = false;
  exited.then(() => hasEnded = true);
  t.after(() => {
    if (!hasEnded) child.kill("SIGKILL");
    return exited;
  });

  /** Looks after each output until `find` finds something. */
  const waitFor = async <T>(stream: Collected, find: () => T | undefined): Promise<T> => {
    const lastMs = performance.now() + PATIENCE_WITH_TALKERS_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (hasEnded) throw new Error(`${what} ended too early:\n${lines.stderr.text()}`);
      await inTime(
        Promise.race([stream.changed(), exited]),
        () => `${what}: it has logged\n${lines.stderr.text()}`,
        Math.max(0, Math.min(PATIENCE_MS, lastMs - performance.now())),
      );
    }
  };

  const running: Running = {
    pid: child.pid ?? 0,
    exited: inTime(exited, () => `${what} has not ended`, LONGEST_RUN_MS),
    log: () => lines.stderr.parsed<LogLine>(),
    logged(matches, after = 0) {
      return waitFor(lines.stderr, () => running.log().slice(after).find(matches));
    },
    printed<T>(matches: (lines: T[]) => boolean) {
      return waitFor(lines.stdout, () => {
        const parsed = lines.stdout.parsed<T>();
        return matches(parsed) ? parsed : undefined;
      });
    },
    signal: (signal) => void child.kill(signal),
    stop() {
      child.kill("SIGTERM");
      return inTime(exited, () => `${what} has not ended:\n${lines.stderr.text()}`);
    },
  };
  // Whoever does not await it has another error to tell.
  running.exited.catch(() => {});
  return running;
}

interface Collected {
  text(): string;
  add(text: string): void;
  /** The whole lines so far that are JSON. */
  parsed<T>(): T[];
  changed(): Promise<void>;
}

function collect(stream: NodeJS.ReadableStream): Collected {
  let text = "";
  const documents: unknown[] = [];
  let parsedTo = 0;
  let waiting: (() => void)[] = [];
  const add = (more: string): void => {
    text += more;
    for (let end; (end = text.indexOf("\n", parsedTo)) >= 0; parsedTo = end + 1) {
      const line = text.slice(parsedTo, end);
      if (line.startsWith("{")) documents.push(JSON.parse(line));
    }
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  stream.setEncoding("utf8");
  stream.on("data", add);
  return {
    text: () => text,
    add,
    parsed: <T>() => documents as T[],
    changed: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

/** Rejects where `promise` takes longer than anything here should. */
async function inTime<T>(
  promise: Promise<T>,
  describe: () => string,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${describe()}`)), patienceMs);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
