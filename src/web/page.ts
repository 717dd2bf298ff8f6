/**
 * The dashboard page as the programs hand it out: the server in three parts from URLs of its own,
 * the report as one file with its data inside.
 */

import { createHash } from "node:crypto";
import type { MeshView, PercentilesView, SeriesView } from "../metrics/mesh-view.ts";

/** The page in parts. `html` names the others as `page.js` and `page.css`, beside it. */
export interface Page {
  html: string;
  script: string;
  style: string;
}

/** What a page shows that no server feeds: one state of the mesh, with its past. */
export interface ReportData {
  mesh: MeshView;
  series: SeriesView;
  percentiles: PercentilesView;
}

/** Named so that the bundler does not follow: executables have the page, and no esbuild. */
const BUNDLER = "../../build/web.ts";

let loaded: Promise<Page> | undefined;

/**
 * The page: an asset of the executables, bundled anew (by a dependency for development, in some
 * 100 ms) where the sources run as they are. Read once.
 *
 * @throws when run from sources without the packages for development
 */
export function loadPage(): Promise<Page> {
  return loaded ??= load();
}

async function load(): Promise<Page> {
  const sea = process.getBuiltinModule?.("node:sea");
  if (sea?.isSea?.()) return JSON.parse(sea.getAsset("page", "utf8"));
  const { bundlePage } = await import(BUNDLER);
  return (await bundlePage()).page;
}

/** The page as one file with its data inside, which opens from disk and asks for nothing. */
export async function renderReportPage(data: ReportData): Promise<string> {
  return assemble(await loadPage(), data);
}

/** Joins the parts and the data. The policy names the only script and style by their hashes. */
export function assemble({ html, script, style }: Page, data: ReportData): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  // Within a script element only "<" can begin something that is not data.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return html
    .replace(
      '<meta charset="utf-8">',
      () =>
        `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    )
    .replace('<link rel="stylesheet" href="page.css">', () => `<style>${style}</style>`)
    .replace(
      '<script src="page.js" defer></script>',
      () => `<script type="application/json" id="report-data">${json}</script>`,
    )
    .replace("</body>", () => `<script>${script}</script>\n</body>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
