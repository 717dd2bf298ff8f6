import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundledFolders, type Manifest, readManifest } from "./bundled.ts";

/** One licensed thing inside an executable. */
export interface Licensed {
  /** Name and version. */
  title: string;
  text: string;
}

const licenceFile = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/**
 * Reads the licence of every package that contributed to a bundle. A package that lacks its text
 * shows that of another one under the same licence from the same repository.
 *
 * @param root the project's folder
 * @param inputs the bundled files, relative to `root`
 * @returns one entry a package, in the order of their names
 * @throws when a package has no licence text, or a file belongs to nobody known
 */
export async function licensesOf(root: string, inputs: string[]): Promise<Licensed[]> {
  const packages = await Promise.all(
    bundledFolders(inputs).map(async (folder) => ({
      manifest: await readManifest(join(root, folder)),
      text: await readText(join(root, folder)),
    })),
  );
  return packages.map(({ manifest, text }) => {
    const sibling = packages.find((other) => other.text && isSibling(other.manifest, manifest));
    return { title: titleOf(manifest), text: text || sibling?.text || lacksText(manifest) };
  });
}

/**
 * Reads the licence and notice files of the package in `folder`.
 *
 * @throws when it has none
 */
export async function readLicense(folder: string): Promise<Licensed> {
  const manifest = await readManifest(folder);
  const text = await readText(folder) || lacksText(manifest);
  return { title: titleOf(manifest), text };
}

async function readText(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => licenceFile.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return texts.map((text) => text.trim()).join("\n\n");
}

function titleOf({ name, version }: Manifest): string {
  return `${name} ${version}`;
}

function isSibling(a: Manifest, b: Manifest): boolean {
  return a.license !== undefined && a.license === b.license &&
    a.repository?.url !== undefined && a.repository.url === b.repository?.url;
}

function lacksText(manifest: Manifest): never {
  throw new Error(`${titleOf(manifest)} is bundled, but has no licence text`);
}

/** The document that `--licenses` shows. Things with the same text share it. */
export function formatLicenses(parts: Licensed[]): string {
  const rule = "=".repeat(80);
  const contents = parts.map(({ title }) => `  ${title}\n`).join("");
  const chapters = [...Map.groupBy(parts, ({ text }) => text)].map(([text, sharing]) => {
    const titles = sharing.map(({ title }) => `${title}\n`).join("");
    return `\n${rule}\n${titles}${rule}\n\n${text}\n`;
  });
  return `This executable contains:\n\n${contents}${chapters.join("")}`;
}
