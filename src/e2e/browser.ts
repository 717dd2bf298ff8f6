/** A headless Chromium for tests of the page, and what it complains about. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Owner } from "./processes.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((path) => existsSync(path));

/** Why tests that need a browser are skipped; false where they are not. */
export const skip: string | false = executablePath === undefined
  ? "Chromium is not installed"
  : false;

/** Nothing of these talks to the outside by itself. */
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export async function startBrowser(t: Owner): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS });
  t.after(() => browser.close());
  return browser;
}

export interface WatchedPage {
  page: Page;
  /** Errors and warnings of the console, uncaught errors, and requests to elsewhere. */
  complaints: string[];
}

/** A page that notes whatever should not happen on it. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const { origin } = new URL(url);
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (!["data:", "blob:"].includes(asked.protocol) && asked.origin !== origin) {
      complaints.push(`asked for ${asked.href}`);
    }
  });
  await page.goto(url);
  return { page, complaints };
}

/** What axe-core finds wrong with a page, each as a line. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  // Evaluated by the debugger: the page's own policy would not let it in.
  await page.evaluate(await readFile(axe, "utf8"));
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as {
      axe: {
        run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
      };
    }).axe.run();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html }) => `${id}: ${help}: ${html}`)
    );
  });
}
