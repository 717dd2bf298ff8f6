/** Starts an emulator of AWS that is not ours, for tests that shall not believe us. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPythonPrograms, PYTHON_MISSING } from "../../build/test-python.ts";
import type { TestHost } from "./hosts.ts";
import type { Owner } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const programs = findPythonPrograms(ROOT);

/** As `test` takes it: why tests that need the emulator are skipped, else false. */
export const skipWithoutMoto: string | false = programs === undefined ? PYTHON_MISSING : false;

export interface Moto {
  /** URL of all its services. */
  readonly endpoint: string;
  /** What leads an SDK or the command line to it, and to nothing else. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the emulator, empty, on a free port of this machine, or of `at`; it ends with the test. */
export async function startMoto(
  t: Owner,
  at: TestHost = { address: "127.0.0.1", through: [] },
): Promise<Moto> {
  const command = [...at.through, join(programs!, "moto_server"), "-H", at.address, "-p", "0"];
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", resolve));
  t.after(() => {
    child.kill("SIGTERM");
    return ended;
  });
  const endpoint = await new Promise<string>((resolve, reject) => {
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      const [url] = /\bhttp:\/\/[\d.]+:\d+(?=\s)/.exec(log) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once("error", reject);
    ended.then(() => reject(new Error(`the emulator ended:\n${log}`)));
  });
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-west-1",
      AWS_EC2_METADATA_DISABLED: "true",
    },
  };
}
