import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One licensed thing inside an executable. */
export interface Licensed {
  /** Name and version. */
  title: string;
  text: string;
}

const licenceFile = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/**
 * Reads the licence of every package that contributed to a bundle.
 *
 * @param root the project's folder
 * @param inputs the bundled files, relative to `root`
 * @returns one entry a package, in the order of their names
 * @throws when a package has no licence text, or a file belongs to nobody known
 */
export async function licensesOf(root: string, inputs: string[]): Promise<Licensed[]> {
  const folders = new Set<string>();
  for (const input of inputs) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
    if (folder !== undefined) folders.add(folder);
    else if (!input.startsWith("src/") && input !== "package.json") {
      throw new Error(`${input} is bundled, but is neither ours nor a package's`);
    }
  }
  return await Promise.all([...folders].sort().map((folder) => readLicense(join(root, folder))));
}

/**
 * Reads the licence and notice files of the package in `folder`.
 *
 * @throws when it has none
 */
export async function readLicense(folder: string): Promise<Licensed> {
  const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => licenceFile.test(file)).sort();
  if (files.length === 0) throw new Error(`${name} ${version} is bundled, but has no licence text`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return { title: `${name} ${version}`, text: texts.map((text) => text.trim()).join("\n\n") };
}

/** The document that `--licenses` shows. */
export function formatLicenses(parts: Licensed[]): string {
  const rule = "=".repeat(80);
  const contents = parts.map(({ title }) => `  ${title}\n`).join("");
  const chapters = parts.map(({ title, text }) => `\n${rule}\n${title}\n${rule}\n\n${text}\n`);
  return `This executable contains:\n\n${contents}${chapters.join("")}`;
}
