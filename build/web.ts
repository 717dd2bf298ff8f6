import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page } from "../src/web/page.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Joins the sources of the dashboard page into its three parts.
 *
 * @returns the parts, and the files that contributed, relative to the project's folder
 * @throws on any error or warning of the bundler
 */
export async function bundlePage(): Promise<{ page: Page; inputs: string[] }> {
  const { outputFiles, metafile, warnings } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "src/web/app/main.ts", out: "page" },
      { in: "src/web/page.css", out: "page" },
    ],
    outdir: ".",
    write: false,
    bundle: true,
    minify: true,
    // Names in the page's own text stand as they are: the page declares its encoding.
    charset: "utf8",
    platform: "browser",
    format: "iife",
    target: ["chrome110", "firefox115", "safari16.4"],
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
  });
  const [warning] = warnings;
  if (warning) {
    throw new Error(`${warning.location?.file}:${warning.location?.line}: ${warning.text}`);
  }
  const text = (suffix: string) => {
    const file = outputFiles.find(({ path }) => path.endsWith(suffix))!;
    // Neither may end the element that it stands in, in the report's file.
    return file.text.trim().replaceAll(/<\/(script|style)/gi, "<\\/$1");
  };
  return {
    page: {
      html: await readFile(join(root, "src/web/page.html"), "utf8"),
      script: text(".js"),
      style: text(".css"),
    },
    inputs: Object.keys(metafile.inputs),
  };
}
