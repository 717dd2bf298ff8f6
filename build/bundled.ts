import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a package says of itself. */
export interface Manifest {
  name: string;
  version: string;
  license?: string;
  repository?: { url?: string };
  dependencies?: Record<string, string>;
}

/** Licences of what may be in an executable: those that ask for nothing but to be shown. */
export const ALLOWED_LICENSES: readonly string[] = [
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"],
];

/**
 * Names the folders of the packages that contributed to a bundle, in their order.
 *
 * @param inputs the bundled files, relative to the project's folder
 * @throws when a file belongs to nobody known
 */
export function bundledFolders(inputs: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const input of inputs) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
    if (folder !== undefined) folders.add(folder);
    else if (!input.startsWith("src/") && input !== "package.json") {
      throw new Error(`${input} is bundled, but is neither ours nor a package's`);
    }
  }
  return [...folders].sort();
}

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}
