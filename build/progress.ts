import { stat } from "node:fs/promises";

/**
 * Does one step of the build and prints a line with its time and the size of what it made.
 *
 * @param what names the step
 * @param file what the step makes
 * @param work does it; may return a remark for the line
 */
export async function step(what: string, file: string, work: () => Promise<string | void>) {
  const startMs = performance.now();
  const remark = await work();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const size = formatSize((await stat(file)).size);
  const line = `  ${what.padEnd(42)}${seconds.padStart(6)} s${size.padStart(12)}`;
  console.log(remark ? `${line}  ${remark}` : line);
}

function formatSize(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
