import { execFile } from "node:child_process";
import { fail, type Outcome, pass } from "./test-outcome.ts";

/**
 * Runs a program to its end, whatever the end is.
 *
 * @returns its exit code, or what ended or prevented it, and what it wrote
 */
export function spawnCommand(
  program: string,
  args: string[],
  cwd: string,
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const env = { ...process.env, NO_COLOR: "1" };
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code ?? error.message, stdout: out, stderr: err });
    });
    child.stdin?.end();
  });
}

/** One check: passes if a program ends with exit code 0, else fails with the program's output. */
export async function runCommand(
  name: string,
  program: string,
  args: string[],
  cwd: string,
): Promise<Outcome> {
  const { code, stdout, stderr } = await spawnCommand(program, args, cwd);
  return code === 0 ? pass() : fail(name, `${stdout}${stderr}\nended with ${code}`);
}
