import { execFile } from "node:child_process";

/**
 * Runs a program to its end.
 *
 * @param cwd the folder to run it in
 * @returns what it wrote to stdout, without the last line break
 * @throws with its output in the message when it fails; with code `ENOENT` when it is not installed
 */
export function run(program: string, args: string[], cwd: string): Promise<string> {
  // The caller's NODE_OPTIONS would end up in what the Node programs among these make.
  const env = { ...process.env, NODE_OPTIONS: "" };
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout.trimEnd());
      if (error.code === "ENOENT") return reject(error);
      reject(new Error(`${program} failed: ${(stderr || stdout || error.message).trim()}`));
    });
  });
}
