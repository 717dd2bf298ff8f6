/** Files of records as Firehose leaves them in S3. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { firehoseFolder } from "./athena-table.ts";
import type { Owner } from "./processes.ts";

/** When the records of tests arrived, whatever the day of the test. */
export const ARRIVED = new Date("2026-03-01T09:30:00Z");
/** Its partition. */
export const DAY = "2026/03/01";
const HOUR_MS = 3_600_000;

/** A new folder that lasts as long as the test. */
export async function workFolder(t: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "athena-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Lines of a file of records, compressed or not. */
export async function readLines(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  const text = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  return text.toString().trimEnd().split("\n");
}

/** Writes lines as one object of a stream, compressed where the name says so. */
export async function putObject(
  lake: string,
  arrived: Date,
  name: string,
  lines: readonly string[],
): Promise<void> {
  const path = join(lake, firehoseFolder(arrived), name);
  await mkdir(dirname(path), { recursive: true });
  const text = lines.map((line) => `${line}\n`).join("");
  await writeFile(path, name.endsWith(".gz") ? gzipSync(text) : text);
}

/** Spreads lines over hours and objects of the day, some of them twice, and one torn. */
export async function putLines(lake: string, lines: readonly string[]): Promise<void> {
  const at = (hours: number) => new Date(ARRIVED.getTime() + hours * HOUR_MS);
  const third = Math.ceil(lines.length / 3);
  const again = lines.filter((_, index) => index % 50 === 7);
  const torn = lines[0]!.slice(0, 90);
  await putObject(lake, at(0), "stream-1-a.gz", lines.slice(0, third));
  await putObject(lake, at(0), "stream-1-b", [...lines.slice(third, 2 * third), ...again]);
  await putObject(lake, at(1), "stream-1-c.gz", [torn, ...lines.slice(2 * third)]);
  await putObject(lake, at(2), "stream-1-d", again);
}
