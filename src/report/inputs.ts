/** From what the user named to the files to read: files, patterns, folders, stdin. */

import { glob, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../platform/failure.ts";

/** One source of lines. */
export interface Input {
  /** As messages name it. */
  name: string;
  /** Undefined: standard input. */
  path: string | undefined;
  /** On disk; 0 where it is not known. */
  bytes: number;
  isCompressed: boolean;
}

/** Of a folder's files, these; of files named one by one, all. */
const RECORD_FILE = /\.(ndjson|jsonl|json)(\.gz)?$|\.gz$/;
const HAS_EXTENSION = /\.[A-Za-z][A-Za-z0-9]*$/;
const IS_PATTERN = /[*?[{]/;

/**
 * The inputs that operands stand for, in order, each once.
 *
 * @throws Failure where one names nothing that can be read
 */
export async function findInputs(operands: readonly string[]): Promise<Input[]> {
  const found = new Map<string, Input>();
  for (const operand of operands) {
    for (const input of await inputsOf(operand)) found.set(input.path ?? "-", input);
  }
  return [...found.values()];
}

async function inputsOf(operand: string): Promise<Input[]> {
  if (operand === "-") return [{ name: "-", path: undefined, bytes: 0, isCompressed: false }];
  const info = await statOf(operand);
  if (info?.isDirectory()) {
    const files = await filesOf(operand);
    if (files.length === 0) throw new Failure(`${operand}: no files of records in this folder`);
    return files;
  }
  if (info !== undefined) return [inputOf(operand, info.size)];
  if (!IS_PATTERN.test(operand)) throw new Failure(`${operand}: no such file or folder`);
  const matches: Input[] = [];
  for await (const path of glob(operand)) {
    const match = await statOf(path);
    if (match?.isDirectory()) matches.push(...await filesOf(path));
    else if (match !== undefined) matches.push(inputOf(path, match.size));
  }
  if (matches.length === 0) throw new Failure(`${operand}: nothing matches this pattern`);
  return matches.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Files of a folder and of those within, by name: in order of time, as Firehose lays them out. */
async function filesOf(folder: string): Promise<Input[]> {
  const files: Input[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    // Objects of Firehose have no extension; notes and checksums beside them do.
    const isRecords = RECORD_FILE.test(entry.name) || !HAS_EXTENSION.test(entry.name);
    if (entry.name.startsWith(".") || !isRecords) continue;
    const info = await statOf(path);
    if (info?.isFile()) files.push(inputOf(path, info.size));
  }
  return files.sort((a, b) => a.name < b.name ? -1 : 1);
}

function inputOf(path: string, bytes: number): Input {
  return { name: path, path, bytes, isCompressed: path.endsWith(".gz") };
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Failure(`${path}: ${(error as Error).message}`);
  }
}
