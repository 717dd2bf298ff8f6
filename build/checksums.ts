import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Writes `SHA256SUMS` into a folder, in the form that `sha256sum --check` reads.
 *
 * @param names the files to sum, all in `folder`
 */
export async function writeChecksums(folder: string, names: string[]) {
  const lines = await Promise.all(
    names.toSorted().map(async (name) => {
      const hash = createHash("sha256").update(await readFile(join(folder, name))).digest("hex");
      return `${hash}  ${name}\n`;
    }),
  );
  await writeFile(join(folder, "SHA256SUMS"), lines.join(""));
}
