/** Inputs that are kept: a line of hexadecimal digits each, in a file by the target's name. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Target } from "./target.ts";

const folder = fileURLToPath(new URL("corpus", import.meta.url));

/** What our encoders make, then what was kept: inputs that reached something new, and findings. */
export function corpusOf(target: Target): Uint8Array[] {
  return [...target.seeds(), ...readCorpus(target.name)];
}

export function corpusFile(name: string): string {
  return `${folder}/${name}.hex`;
}

export function readCorpus(name: string): Uint8Array[] {
  const file = corpusFile(name);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").filter((line) => line !== "")
    .map((line) => Uint8Array.from(Buffer.from(line, "hex")));
}
